"""Lists in the cells of a table: JSON, or as Python prints them."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterable

_SPACES = re.compile(r"[ \t]+")  # not the other spaces of Unicode: words may hold those


def as_list(cell: str) -> tuple[str, ...] | None:
    """Return the items of a list that a cell writes, as texts; None where it is no list of single values.

    >>> as_list('["red", "round"]'), as_list("['red']"), as_list("[]"), as_list("red")
    (('red', 'round'), ('red',), (), None)
    """
    if not (cell.startswith("[") and cell.endswith("]")):
        return None
    try:
        items = json.loads(cell)
    except ValueError:
        try:
            items = ast.literal_eval(cell)  # how pandas writes lists to CSV
        except (ValueError, SyntaxError, MemoryError, RecursionError):
            return None
    if not isinstance(items, list) or not all(isinstance(item, (str, int, float)) for item in items):
        return None
    return tuple(item.strip() if isinstance(item, str) else str(item) for item in items)


def are_lists(cells: Iterable[str]) -> bool:
    """Say whether there are cells, and each that holds something is a list."""
    filled = [cell.strip() for cell in cells if cell.strip()]
    return bool(filled) and all(as_list(cell) is not None for cell in filled)


def splitter(cells: Iterable[str]) -> Callable[[str], tuple[str, ...]]:
    """Return what splits each cell of a column into words: its list, or its parts between spaces."""
    return _items if are_lists(cells) else _words


def _items(cell: str) -> tuple[str, ...]:
    return as_list(cell) or ()


def _words(cell: str) -> tuple[str, ...]:
    return tuple(_SPACES.split(cell)) if cell else ()
