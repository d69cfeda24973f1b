"""Columns of a table with official splits: "split", "is_test", or any with the values train and test."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from assay.readers.split_names import consistent, split_folder
from assay.readers.splits import Part, part_of

_FLAGS = {
    "is_test": Part.TEST, "in_test": Part.TEST, "istest": Part.TEST, "is_train": Part.TRAIN,
    "in_train": Part.TRAIN, "istrain": Part.TRAIN, "is_val": Part.VAL, "is_validation": Part.VAL,
}  # fmt: skip
_UNSURE = {"is_valid": Part.VAL, "test": Part.TEST, "train": Part.TRAIN}  # read only if the user names them
_TRUTH = {
    "true": True, "1": True, "1.0": True, "yes": True, "false": False, "0": False, "0.0": False, "no": False,
}  # fmt: skip
_PLAIN = ("split", "fold", "data_split", "dataset_split")  # noted even if no cell names a split
_MOST = 20  # different cells of a column that may be one of splits


class SplitColumn(NamedTuple):
    """The column of official splits, if there is one, and notes about it or those that are not read."""

    name: str | None
    notes: Mapping[str, str] = {}  # column -> note

    def notes_besides(self, columns: Sequence[str]) -> tuple[str, ...]:
        """Return the notes, without those about columns that turned out to be something else."""
        return tuple(note for column, note in self.notes.items() if column not in columns)


def split_values(column: str, cells: Iterable[str]) -> dict[str, Part | None]:
    """Return the split that each different cell of a column names; None for cells that name none.

    >>> split_values("is_test", ["True", "False"])
    {'True': <Part.TEST: 2>, 'False': <Part.TRAIN: 0>}
    >>> split_values("split", ["train", "holdout", "bus"])
    {'train': <Part.TRAIN: 0>, 'holdout': <Part.TEST: 2>, 'bus': None}
    """
    different = list(dict.fromkeys(cell.strip() for cell in cells))
    flagged = {**_FLAGS, **_UNSURE}.get(column.strip().lower())
    if flagged is not None and all(cell.lower() in _TRUTH for cell in different if cell):
        other = Part.TEST if flagged is Part.TRAIN else Part.TRAIN
        return {cell: (flagged if _TRUTH[cell.lower()] else other) if cell else None for cell in different}
    found = {cell: named for cell in different if (named := split_folder(cell)) is not None}
    parts = consistent(named for named in found.values() if not named.rest)
    values: dict[str, Part | None] = {
        cell: parts.get(found[cell]) if cell in found else part_of(cell) for cell in different
    }
    public, private = (
        [cell for cell in found if found[cell].rest == (word,)] for word in ("public", "private")
    )
    if public and private and Part.VAL not in values.values():  # of a competition: the second decided it
        values.update({**dict.fromkeys(public, Part.VAL), **dict.fromkeys(private, Part.TEST)})
    return values


def find_split(head: Mapping[str, Sequence[str]], taken: Iterable[str], usual: Sequence[str]) -> SplitColumn:
    """Find the column of official splits.

    Args:
        head: The first cells of each column.
        taken: Columns with another role.
        usual: What such columns are called, in lower case.
    """
    used = {*taken}
    values = {
        name: split_values(name, filled)
        for name, cells in head.items()
        if name not in used and 0 < len(filled := sorted({cell.strip() for cell in cells} - {""})) <= _MOST
    }
    by_name = {name.strip().lower(): name for name in values}
    named = [by_name[name] for name in usual if name in by_name]
    flags = [by_name[name] for name in _FLAGS if name in by_name]
    others = [
        name
        for name, found in values.items()
        if _are_plain(found) and Part.TRAIN in found.values() and len(found) > 1
    ]
    for name in (*named, *flags, *others):
        if None in values[name].values():
            continue
        is_usual = name in named and _are_plain(values[name])
        return SplitColumn(name, {} if is_usual else {name: _read(name, values[name])})
    unread = [
        name
        for name in named
        if len(values[name]) > 1 and (_names_some(values[name]) or name.lower() in _PLAIN)
    ]
    unread += [by_name[name] for name in _UNSURE if name in by_name and _names_some(values[by_name[name]])]
    return SplitColumn(None, {name: _unread(name, values[name]) for name in unread})


def _are_plain(values: Mapping[str, Part | None]) -> bool:
    return all(part_of(cell) is not None for cell in values)


def _names_some(values: Mapping[str, Part | None]) -> bool:
    return any(part is not None for part in values.values())


def _read(name: str, values: Mapping[str, Part | None]) -> str:
    parts = ", ".join(f"'{cell}' is {part.name.lower()}" for cell, part in values.items() if part is not None)
    return f"'{name}' is read as the official splits: {parts}."


def _unread(name: str, values: Mapping[str, Part | None]) -> str:
    odd = sorted(cell for cell, part in values.items() if part is None)
    if not odd:
        return f"'{name}' is not read as the official splits. Write split='{name}' if it tells them."
    return (
        f"'{name}' is not read as the official splits, because '{odd[0]}' is none. If it tells them, write "
        "train, val and test into it."
    )
