"""Finds files whose names are spelled otherwise: by capitals, form of accents, or without their suffix."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache
from pathlib import Path, PurePath
from typing import NamedTuple

from assay.readers.files import is_file


def speller(folder: Path, *, by_stem: bool = True) -> Callable[[str], str]:
    """Return a function that corrects the spelling of a path that names no file, if exactly one file matches.

    Args:
        folder: The folder.
        by_stem: Whether paths may lack the suffix of their file.
    """
    spellings = cache(_spellings)

    def spelled(path: str) -> str:
        if not path or is_file(folder / path):
            return path
        *above, name = PurePath(path).parts
        place = PurePath()
        for part in above:
            alike = spellings(folder / place).folders.get(plain_name(part), {part})
            place /= part if part in alike or len(alike) > 1 else next(iter(alike))
        found = spellings(folder / place)
        meant = found.files.get(
            plain_name(name), found.stems.get(plain_name(name), set()) if by_stem else set()
        )
        return str(place.joinpath(*meant)) if len(meant) == 1 else path

    return spelled


class _Spellings(NamedTuple):
    folders: dict[str, set[str]]  # the names of folders with the same plain spelling
    files: dict[str, set[str]]  # those of files
    stems: dict[str, set[str]]  # those of files, by their names without suffix


def _spellings(folder: Path) -> _Spellings:
    found = _Spellings({}, {}, {})
    try:
        inside = list(folder.iterdir())
    except (OSError, ValueError):  # there is none, or it may not be read
        return found
    for path in inside:
        if path.is_dir():
            found.folders.setdefault(plain_name(path.name), set()).add(path.name)
        else:
            found.files.setdefault(plain_name(path.name), set()).add(path.name)
            found.stems.setdefault(plain_name(path.stem), set()).add(path.name)
    return found


def plain_name(name: str) -> str:
    """Return a name in lower case, with accents in one form: archives of macOS have the other."""
    return unicodedata.normalize("NFC", name).casefold()
