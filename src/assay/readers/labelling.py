"""Converts the cells of label columns to labels: kind, classes, and rows without labels."""

from __future__ import annotations

import math
import re
from array import array
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import numpy as np

from assay.core.errors import UnreadableTask, UsageError
from assay.core.task import LabelKind, Labels, TaskKind
from assay.readers.guess import as_number, guess_kind
from assay.readers.lists import as_list

_INTEGER = re.compile(r"(-?\d+)\.0+")
_TRUTH = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}


class Cells(NamedTuple):
    """The cells of a label column."""

    column: str
    names: Sequence[str]  # the distinct cells, trimmed
    codes: np.ndarray  # for each row, the index into names; -1 if there is no cell
    row_name: Callable[[int], str]


class Labelled(NamedTuple):
    """The labels of the rows that have one."""

    labels: Labels  # of the kept rows only
    kept: np.ndarray  # positions of rows with a label
    notes: tuple[str, ...]


def class_labels(names: Sequence[str] | np.ndarray) -> Labels:
    """Return classification labels from class names; the classes are sorted."""
    classes, values = np.unique(names, return_inverse=True)
    return Labels(LabelKind.CLASSIFICATION, values, tuple(str(name) for name in classes))


def multilabel_labels(sets: Sequence[Iterable[str]]) -> Labels:
    """Return multilabel labels from sets of class names; the classes are sorted."""
    classes = sorted({name for names in sets for name in names})
    positions = {name: position for position, name in enumerate(classes)}
    hot = np.zeros((len(sets), len(classes)), dtype=np.int64)
    for row, names in enumerate(sets):
        hot[row, [positions[name] for name in names]] = 1
    return Labels(LabelKind.MULTILABEL, hot, tuple(classes))


def tag_labels(texts: Iterable[Sequence[str]]) -> Labels:
    """Return word labels from the tags of each text, concatenated over texts."""
    positions: dict[str, int] = {}
    values, lengths = array("q"), array("q")  # a tenth of the memory of Python lists
    for tags in texts:
        lengths.append(len(tags))
        values.extend(positions.setdefault(tag, len(positions)) for tag in tags)
    classes = sorted(positions)
    order = np.empty(len(classes), dtype=np.int64)
    order[[positions[name] for name in classes]] = np.arange(len(classes))
    return Labels(LabelKind.CLASSIFICATION, order[np.array(values)], tuple(classes), np.array(lengths))


def parse_kind(kind: str | None) -> TaskKind | None:
    """Parse the user's task kind."""
    if kind is None or kind in set(TaskKind):
        return None if kind is None else TaskKind(kind)
    known = ", ".join(f"kind='{name}'" for name in TaskKind)
    raise UsageError(f"Setting 'kind' is '{kind}'. Write one of {known}.")


def label_rows(cells: Cells, kind: TaskKind | None) -> Labelled:
    """Create one label per row from the cells of a column, skipping rows without a label.

    Args:
        cells: The cells of the column.
        kind: The user's task kind, or None to guess it from the labels.

    Raises:
        UnreadableTask: More than half of the rows have no label, regression labels are not numbers, or
            the column's name is one of its labels.
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
    return Labelled(class_labels([canonical[code] for code in used]).of(inverse), kept, notes)


def is_nothing(name: str) -> bool:
    """Return whether a cell is a missing number."""
    return name.lower() in {"", "nan"}  # how pandas writes a missing number


def missing_note(columns: str, none: np.ndarray, row_name: Callable[[int], str]) -> tuple[str, ...]:
    """Return a note about rows without a label; raise if they are more than half."""
    count = int(none.sum())
    if not count:
        return ()
    first = row_name(int(np.flatnonzero(none)[0]))
    message = f"{count} of {len(none)} rows have an empty cell in {columns} (first: {first})"
    if count > len(none) / 2:
        raise UnreadableTask(f"{message}: more than half. Name another column, as in label='...'.")
    return (f"{message} and are left out.",)


def _class_names(
    column: str, names: Sequence[str], codes: np.ndarray, notes: tuple[str, ...], *, numeric: bool
) -> tuple[list[str], tuple[str, ...]]:
    """Return the class of each distinct cell; '1.0' equals '1' only if all labels are numbers."""
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


def label_columns(columns: Sequence[Cells], kind: TaskKind | None) -> Labelled:
    """Create labels from several columns: 0 or 1 for each class, or regression targets.

    Rows with a missing value are skipped.

    Args:
        columns: The cells of each column.
        kind: The user's task kind, or None for multilabel if all values are 0 or 1, else regression.

    Raises:
        UnreadableTask: A cell is not a number, or more than half of the rows have missing values.
    """
    names = [cells.column for cells in columns]
    named = _listed(names, "and")
    if kind not in {None, TaskKind.MULTILABEL, TaskKind.REGRESSION}:
        raise UsageError(
            f"A {kind} task has one label column; {named} are {len(names)}. Name one of them, or write "
            "kind='multilabel' for columns of 0 and 1, kind='regression' for numbers to predict."
        )
    matrix = np.column_stack([_numbers(cells) for cells in columns])
    none = np.isnan(matrix).any(axis=1)
    notes = missing_note(_listed(names, "or"), none, columns[0].row_name)
    kept = np.flatnonzero(~none)
    matrix = matrix[kept]
    wrong = np.argwhere((matrix != 0) & (matrix != 1))
    if kind is TaskKind.MULTILABEL and len(wrong):
        row, column = wrong[0]
        raise UnreadableTask(
            f"Column '{names[column]}', {columns[0].row_name(int(kept[row]))}: {matrix[row, column]:g} is "
            "neither 0 nor 1. Write kind='regression' for numbers to predict."
        )
    if kind is TaskKind.REGRESSION or len(wrong):
        note = f"{named} hold numbers: each example has {len(names)} to predict (regression)."
        return Labelled(Labels(LabelKind.REGRESSION, matrix), kept, notes if kind else (*notes, note))
    order = np.argsort(names)
    labels = Labels(LabelKind.MULTILABEL, matrix[:, order], tuple(names[position] for position in order))
    note = (
        f"{named} hold 0 and 1: any number of {len(names)} classes may apply to an example (multilabel). "
        "Write kind='regression' if they are numbers to predict."
    )
    return Labelled(labels, kept, notes if kind else (*notes, note))


def label_sets(cells: Cells, separator: str | None, *, is_guessed: bool = False) -> Labelled:
    """Create multilabel labels from cells that each contain any number of classes.

    Args:
        cells: The cells of the column.
        separator: The separator of the classes in a cell; an empty cell has no class. None for JSON lists;
            rows with an empty cell are then skipped.
        is_guessed: True to add a note that the format was guessed.

    Raises:
        UnreadableTask: A cell is not a list, or more than half of the rows are empty.
    """
    column, _, _, row_name = cells
    names = [*cells.names, ""]
    codes = np.where(cells.codes < 0, len(cells.names), cells.codes)
    is_empty = np.array([not name for name in names])[codes]
    notes = missing_note(f"'{column}'", is_empty, row_name) if separator is None else ()
    kept = np.arange(len(codes)) if separator is not None else np.flatnonzero(~is_empty)
    if separator is not None and is_empty.any():
        notes = (
            f"{is_empty.sum()} of {len(codes)} rows have an empty '{column}': no class applies to them.",
        )
    used, rows, codes = np.unique(codes[kept], return_index=True, return_inverse=True)
    sets = [
        _split_cell(names[code], separator, f"Column '{column}', {row_name(int(kept[row]))}")
        for code, row in zip(used, rows, strict=True)
    ]
    labels = multilabel_labels(sets)
    if is_guessed:
        notes += (
            f"'{column}' holds lists: any number of {len(labels.classes)} classes may apply to an example "
            "(multilabel). Write kind='classification' if each list is a class.",
        )
    return Labelled(labels.of(codes), kept, notes)


def _split_cell(cell: str, separator: str | None, where: str) -> tuple[str, ...]:
    if separator is not None:
        return tuple(dict.fromkeys(name.strip() for name in cell.split(separator) if name.strip()))
    names = as_list(cell)
    if names is None:
        raise UnreadableTask(
            f"{where}: '{cell[:60]}' is no list of classes. Write for example label_separator='|' "
            f'for red|round, or the cell as ["red", "round"].'
        )
    if len(set(names)) < len(names):
        raise UnreadableTask(
            f"{where}: the list repeats a class: {cell[:60]}. Lists hold the names of classes that apply; "
            "for 0 and 1 give each class a column, as in label=('red', 'round')."
        )
    return names


def _numbers(cells: Cells) -> np.ndarray:
    """Return the number in each row; NaN if the cell is empty."""
    column, names, codes, row_name = cells
    numbers = np.array([_TRUTH.get(name.lower(), as_number(name)) for name in [*names, ""]])
    nothing = np.array([is_nothing(name) for name in [*names, ""]])
    wrong = np.flatnonzero((~np.isfinite(numbers) & ~nothing)[codes])
    if len(wrong):
        row = int(wrong[0])
        raise UnreadableTask(
            f"Column '{column}', {row_name(row)}: '{names[codes[row]]}' is not a number. Several label "
            "columns hold 0 and 1 for each class, or numbers to predict; name one column for a single class."
        )
    return np.asarray(numbers[codes])


def _listed(names: Sequence[str], word: str) -> str:
    quoted = [f"'{name}'" for name in names]
    return f"{', '.join(quoted[:-1])} {word} {quoted[-1]}"
