"""From the texts of a label column to labels: which kind, which classes, which rows have none."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from assay.core.errors import UnreadableTask, UsageError
from assay.core.task import LabelKind, Labels, TaskKind
from assay.readers.guess import as_number, guess_kind

_INTEGER = re.compile(r"(-?\d+)\.0+")


class Cells(NamedTuple):
    """The cells of a label column."""

    column: str
    names: Sequence[str]  # the distinct cells, trimmed
    codes: np.ndarray  # rows: positions in names, -1 where there is no cell
    row_name: Callable[[int], str]


class Labelled(NamedTuple):
    """Labels of the rows that have one."""

    labels: Labels  # of the kept rows only
    kept: np.ndarray  # positions of rows with a label
    notes: tuple[str, ...]


def parse_kind(kind: str | None) -> TaskKind | None:
    """Return the kind that a user wrote."""
    if kind is None or kind in set(TaskKind):
        return None if kind is None else TaskKind(kind)
    known = ", ".join(f"kind='{one}'" for one in TaskKind)
    raise UsageError(f"Setting 'kind' is '{kind}'. Write one of {known}.")


def label_rows(cells: Cells, kind: TaskKind | None) -> Labelled:
    """Make labels of the cells of a column, one for each row; rows without one are left out.

    Args:
        cells: What stands in the column.
        kind: What the user wrote, or None: guessed from the labels.

    Raises:
        UnreadableTask: More than half of the rows have no label, numbers are wanted and are not there, or
            the name of the column is one of its labels.
    """
    column, names, codes, row_name = cells
    if column in names:
        raise UnreadableTask(
            f"'{column}' stands in the first line and again below it: the table seems to have no names of "
            "columns. Write them in its first line, as in text,label."
        )
    numbers = np.array([as_number(name) for name in names], dtype=np.float64)
    numeric = all(
        math.isfinite(number) or is_nothing(name) for name, number in zip(names, numbers, strict=True)
    )
    missing = np.array([not name or (numeric and is_nothing(name)) for name in names], dtype=bool)
    none = (codes < 0) | missing[codes] if len(names) else np.ones(len(codes), dtype=bool)
    kept = np.flatnonzero(~none)
    notes = missing_note(f"'{column}'", none, row_name)
    codes = codes[kept]

    if kind is None:
        kind, note = guess_kind(column, [names[code] for code in np.unique(codes)], len(codes))
        notes += (note,) if note else ()
    if kind is TaskKind.REGRESSION:
        wrong = np.flatnonzero(~np.isfinite(numbers[codes]))
        if len(wrong):
            row = int(wrong[0])
            raise UnreadableTask(
                f"Column '{column}', {row_name(int(kept[row]))}: the label '{names[codes[row]]}' is not a "
                "number. Write kind='classification', or name a column of numbers."
            )
        return Labelled(Labels(LabelKind.REGRESSION, numbers[codes]), kept, notes)
    canonical, notes = _class_names(column, names, codes, notes, numeric=numeric)
    used, inverse = np.unique(codes, return_inverse=True)
    classes, positions = np.unique([canonical[code] for code in used], return_inverse=True)
    names_used = tuple(str(name) for name in classes)
    return Labelled(Labels(LabelKind.CLASSIFICATION, positions[inverse], names_used), kept, notes)


def is_nothing(name: str) -> bool:
    """Say whether a cell stands for no number."""
    return name.lower() in {"", "nan"}  # how pandas writes a missing number


def missing_note(columns: str, none: np.ndarray, row_name: Callable[[int], str]) -> tuple[str, ...]:
    """Say how many rows have no label, and stop where more than half have none."""
    count = int(none.sum())
    if not count:
        return ()
    first = row_name(int(np.flatnonzero(none)[0]))
    found = f"{count} of {len(none)} rows have an empty cell in {columns} (first: {first})"
    if count > len(none) / 2:
        raise UnreadableTask(f"{found}: more than half. Name another column, as in label='...'.")
    return (f"{found} and are left out.",)


def _class_names(
    column: str, names: Sequence[str], codes: np.ndarray, notes: tuple[str, ...], *, numeric: bool
) -> tuple[list[str], tuple[str, ...]]:
    """Return the class that each text means; '1.0' is '1' where all labels are numbers, and only there."""
    integers = {name: match[1] for name in names if (match := _INTEGER.fullmatch(name))}
    if numeric:
        return [integers.get(name, name) for name in names], notes
    used = {names[code] for code in np.unique(codes)}
    doubled = sorted(name for name in integers.keys() & used if integers[name] in used)
    if doubled:
        name = doubled[0]
        notes += (
            f"The labels '{integers[name]}' and '{name}' in '{column}' count as two classes, "
            "because other labels are words.",
        )
    return list(names), notes
