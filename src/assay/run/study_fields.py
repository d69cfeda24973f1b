"""Checks the fields of a study as a user writes them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from assay.core.errors import UsageError


def require(name: str, value: object, kind: Any) -> None:
    """Raise ``UsageError`` if a field has another type; True is no number."""
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        words = {int: "a whole number", bool: "true or false"}
        raise UsageError(f"{name} is {value!r}. Write {words.get(kind, 'a text')}.")


def paths_of(plugins: object) -> tuple[Path, ...]:
    """Return the files of plug-ins."""
    if isinstance(plugins, (str, Path)) or not isinstance(plugins, Iterable):
        raise UsageError(f"plugins is {plugins!r}. Write a list: plugins=['my_score.py'].")
    return tuple(map(Path, plugins))
