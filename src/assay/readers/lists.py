"""Parses lists in the cells of a table, in JSON or Python syntax."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterable

_SPACES = re.compile(r"[ \t]+")  # not other Unicode spaces, which may occur within words


def as_list(cell: str) -> tuple[str, ...] | None:
    """Return the items of the list in a cell, as strings; None if it is not a list of scalars.

    >>> as_list('["red", "round"]'), as_list("['red']"), as_list("[]"), as_list("red")
    (('red', 'round'), ('red',), (), None)
    """
    if not (cell.startswith("[") and cell.endswith("]")):
        return None
    try:
        items = json.loads(cell)
    except ValueError:
        try:
            items = ast.literal_eval(cell)  # pandas writes lists to CSV in Python syntax
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
    if not isinstance(items, list) or not all(isinstance(item, (str, int, float)) for item in items):
        return None
    return tuple(item.strip() if isinstance(item, str) else str(item) for item in items)


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
