"""Finds the tables of the splits in a folder: train.csv, a_test.tsv, train-00000-of-00002.parquet."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

from assay.core.errors import UnreadableTask
from assay.readers.escaped_names import first_names
from assay.readers.formats.compressed import table_stem
from assay.readers.formats.suffixes import SUFFIXES
from assay.readers.split_names import consistent, split_folder
from assay.readers.splits import Part, part_of

_SHARD = re.compile(r"(?P<stem>.*?)[-_. ]?\d+(?:[-_. ]of[-_. ](?P<count>\d+))?", re.IGNORECASE)


class SplitTables(NamedTuple):
    """The tables of a folder, with the split of each, and notes about those that lack."""

    paths: tuple[Path, ...]
    parts: tuple[Part, ...]
    notes: tuple[str, ...] = ()


def split_tables(folder: Path) -> SplitTables:
    """Return the tables that are named after splits, in a folder or in the ``data`` folder inside it.

    A table may be in several files, as in train-00000-of-00002.parquet, or in a folder such as train.

    Raises:
        UnreadableTask: There is none, or several data sets are in the folder.
    """
    inside = [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
    found = {place: tables for place in (folder, *inside) if (tables := _named(place))}
    if folder in found:
        return _chosen(found[folder])
    if len(found) > 1:
        names = first_names((place.name for place in found), len(found))
        raise UnreadableTask(
            f"The folder '{folder}' holds several data sets: {names}. Name one, as in "
            f"table:{next(iter(found))}."
        )
    if not found:
        raise UnreadableTask(
            f"The folder '{folder}' has no tables called train, val or test. Name a file, "
            f"as in table:{folder / 'reviews.csv'}; for images write folder: before the path."
        )
    return _chosen(next(iter(found.values())))


def has_split_tables(folder: Path) -> bool:
    """Return whether ``split_tables`` finds any."""
    try:
        return bool(split_tables(folder).paths)
    except (UnreadableTask, OSError):
        return False


def _named(folder: Path) -> dict[Path, Part]:
    """Return the tables in a folder that are named after a split, or are in a folder that is."""
    files = list(_tables(folder))
    plain = {path: part for path in files if (part := part_of(_stem(path))) is not None}
    if plain:
        return plain
    folders = [(path, part) for path in sorted(folder.iterdir()) if (part := part_of(path.name)) is not None]
    below = {path: part for inner, part in folders if inner.is_dir() for path in _tables(inner)}
    return below or _described(files)


def _described(files: Iterable[Path]) -> dict[Path, Part]:
    """Return the tables of one data set whose names say more than the split, as in reviews_train.csv."""
    named = {path: found for path in files if (found := split_folder(_stem(path))) is not None}
    parts = consistent(named.values())
    rests = {found.rest for found in named.values()}
    if len(rests) != 1 or Part.TRAIN not in parts.values() or len(set(parts.values())) < 2:
        return {}
    return {path: parts[found] for path, found in named.items()}


def _tables(folder: Path) -> Iterable[Path]:
    files = (path for path in sorted(folder.iterdir()) if path.name.lower().endswith(SUFFIXES))
    return (path for path in files if path.is_file() and not path.name.startswith((".", "~")))


def _stem(path: Path) -> str:
    """Return the name of a table without its suffixes and the number of its part."""
    stem = table_stem(path.name)
    shard = _SHARD.fullmatch(stem)
    return shard["stem"] if shard and shard["stem"] else stem


def _chosen(tables: Mapping[Path, Part]) -> SplitTables:
    """Return tables of one format, with notes about other formats and about parts that lack."""
    formats: dict[str, dict[Path, Part]] = {}
    for path, part in tables.items():
        formats.setdefault(path.name.removeprefix(table_stem(path.name)).lower(), {})[path] = part
    most = max(formats.values(), key=lambda some: len(set(some.values())))
    again = {part for some in formats.values() if some is not most for part in some.values()} & {
        *most.values()
    }
    notes = []
    if again:
        others = [path for path in tables if path not in most]
        names = first_names((path.name for path in others), len(others))
        notes.append(f"The same splits are there in several formats: {names} are not read.")
        tables = most
    notes += [
        note for part in Part if (note := _incomplete([path for path in tables if tables[path] is part]))
    ]
    return SplitTables(tuple(tables), tuple(tables.values()), tuple(notes))


def _incomplete(paths: list[Path]) -> str:
    """Return a note if a split lacks some of its files, whose names tell how many there are."""
    counts = {
        int(found["count"])
        for path in paths
        if (found := _SHARD.fullmatch(table_stem(path.name))) and found["count"]
    }
    if len(counts) != 1 or len(paths) >= (wanted := counts.pop()):
        return ""
    are = "file is" if len(paths) == 1 else "files are"
    return f"Only {len(paths)} of {wanted} {are} there of '{_stem(paths[0])}': the others are missing."
