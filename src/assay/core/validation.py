"""Validates the types of values read from files, which may be damaged or written by anyone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

Value = TypeVar("Value")

_LARGEST = 2**63  # of an int, as in SQLite
_LARGEST_FLOAT = 1e100  # whose squares, and their sums, are finite
_UNIONS = (Union, UnionType)


def checked(value: Value) -> Value:
    """Return a dataclass whose fields have the types that it declares, and whose numbers are possible.

    All numbers are finite. Whole numbers are counts, so that they are not negative, nor are seconds.

    Raises:
        ValueError: A field has another type; the message names it.

    >>> from assay.core.estimate import Interval
    >>> checked(Interval(0.1, "0.9"))
    Traceback (most recent call last):
    ValueError: high is '0.9'
    """
    kind: type = type(value)
    for name, hint in _hints(kind):
        field = getattr(value, name)
        if not _fits(field, hint) or (name.endswith("seconds") and field is not None and field < 0):
            raise ValueError(f"{name} is {field!r:.60}")
    return value


def is_typed(row: tuple[Any, ...]) -> bool:
    """Return whether the fields of a named tuple have the types that it declares, and possible numbers."""
    return all(_fits(value, hint) for value, hint in zip(row, _row_hints(type(row)), strict=True))


@cache
def _row_hints(kind: type) -> tuple[Any, ...]:
    return tuple(get_type_hints(kind).values())


def all_of(hint: Any, values: Mapping[str, Any], name: str) -> None:
    """Raise ``ValueError`` unless every value of a mapping is of a type, or a finite number."""
    for value in values.values():
        if not _fits(value, hint):
            raise ValueError(f"{name} has {value!r:.60}")


def is_usable(value: float) -> bool:
    """Return whether a number is finite, and so small that means and variances of such numbers are."""
    return abs(value) <= _LARGEST_FLOAT


@cache  # there may be 100,000 results
def _parts(hint: Any) -> tuple[Any, tuple[Any, ...]]:
    return get_origin(hint), get_args(hint)


@cache
def _hints(kind: type) -> tuple[tuple[str, Any], ...]:
    hints = get_type_hints(kind)
    return tuple((field.name, hints[field.name]) for field in fields(kind))


def _fits(value: object, hint: Any) -> bool:
    if hint is float and isinstance(value, float):
        return is_usable(value)
    origin, inner = _parts(hint)
    if origin in _UNIONS:
        return any(_fits(value, one) for one in inner)
    if origin is Mapping:
        return isinstance(value, Mapping) and all(
            _fits(key, inner[0]) and _fits(item, inner[1]) for key, item in value.items()
        )
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(item, inner[0]) for item in value)
    if hint in {int, float}:
        least = 0 if hint is int else -_LARGEST
        return isinstance(value, int) and not isinstance(value, bool) and least <= value < _LARGEST
    return isinstance(value, NoneType if hint is None else hint)
