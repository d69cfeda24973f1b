"""Parses lists in the cells of a table, in JSON or Python syntax."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterable

_SPACES = re.compile(r"[ \t]+")  # not other Unicode spaces, which may occur within words
_SCALAR = re.compile(r"\b(?:np|numpy)\.\w+\(([^()]*)\)")  # as NumPy 2 writes its scalars, in np.str_('red')
_ARRAY = re.compile(r"(?:np\.|numpy\.)?array\((\[.*\])(?:,\s*dtype=[\w.<>']+)?\)", re.DOTALL)
_ITEM = r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[-+]?[\d.]+(?:e[-+]?\d+)?|True|False"""
_WITHOUT_COMMAS = re.compile(rf"\[\s*(?:{_ITEM})(?:\s+(?:{_ITEM}))+\s*\]")  # as NumPy writes arrays


def as_list(cell: str) -> tuple[str, ...] | None:
    """Return the items of the list in a cell, as strings; None if it is not a list of scalars.

    >>> as_list('["red", "round"]'), as_list("['red']"), as_list("[]"), as_list("red")
    (('red', 'round'), ('red',), (), None)
    >>> as_list("['red' 'round']"), as_list("[0 1]"), as_list("[np.str_('red')]")
    (('red', 'round'), ('0', '1'), ('red',))
    >>> as_list("{'red', 'round'}"), as_list("('red',)"), as_list("set()"), as_list("(1, 234)")
    (('red', 'round'), ('red',), (), None)
    """
    array = _ARRAY.fullmatch(cell)
    cell = _as_brackets(array[1] if array else cell)
    if not (cell.startswith("[") and cell.endswith("]")):
        return None
    try:
        items = json.loads(cell)
    except (ValueError, RecursionError):
        items = _of_python(_SCALAR.sub(r"\1", cell))
    if not isinstance(items, list) or not all(isinstance(item, (str, int, float)) for item in items):
        return None
    return tuple(item.strip() if isinstance(item, str) else str(item) for item in items)


def _as_brackets(cell: str) -> str:
    """Return a set or tuple of strings, as Python writes them, as a list; other cells as they are."""
    if cell in {"set()", "()"}:
        return "[]"
    is_tuple = cell.startswith("(") and cell.endswith(")")
    if not is_tuple and not (cell.startswith("{") and cell.endswith("}")):
        return cell
    items = _of_python(cell)
    are_words = isinstance(items, tuple) and all(isinstance(item, str) for item in items)
    return f"[{cell[1:-1]}]" if are_words or isinstance(items, set) else cell


def _of_python(cell: str) -> object:
    """Parse a list as Python or NumPy prints it (and pandas writes it to CSV); None for anything else."""
    if _WITHOUT_COMMAS.fullmatch(cell):  # Python joins strings without a comma to one
        cell = f"[{', '.join(re.findall(_ITEM, cell[1:-1]))}]"
    try:
        return ast.literal_eval(cell)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return None


def are_lists(cells: Iterable[str]) -> bool:
    """Return whether there are cells and every non-empty cell is a list."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    return bool(filled) and all(as_list(cell) is not None for cell in filled)


def splitter(cells: Iterable[str]) -> Callable[[str], tuple[str, ...]]:
    """Return a function that splits a cell into words, by list items or at spaces."""
    return _items if are_lists(cells) else _words


def _items(cell: str) -> tuple[str, ...]:
    return as_list(cell) or ()


def _words(cell: str) -> tuple[str, ...]:
    return tuple(_SPACES.split(cell)) if cell else ()
