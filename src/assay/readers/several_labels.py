"""Labels from several columns, or from cells that hold several classes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.core.errors import UnreadableTask, UsageError
from assay.core.task import LabelKind, Labels, TaskKind
from assay.readers.labelling import (
    Cells,
    Labelled,
    class_labels,
    missing_note,
    multilabel_labels,
    written_note,
)
from assay.readers.lists import as_list
from assay.readers.numbers import read_numbers

_ONE_EACH = ", or kind='classification', as every row has one class"
_MARKS = {"0": False, "1": True, "false": False, "true": True}
_TRUTH = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}


def label_columns(columns: Sequence[Cells], kind: TaskKind | None, missing: Sequence[str] = ()) -> Labelled:
    """Create labels from several columns: 0 or 1 for each class, or regression targets.

    Rows with a missing value are skipped. For classification the class of a row is the column with its 1.

    Args:
        columns: The cells of each column.
        kind: The user's task kind, or None for multilabel if all values are 0 or 1, else regression.
        missing: What marks a missing value, besides an empty cell, "NA" and the like.

    Raises:
        UnreadableTask: A cell is not a number, or more than half of the rows have missing values.
    """
    names = [cells.column for cells in columns]
    named = _listed(names, "and")
    if kind is TaskKind.TOKENS:
        raise UsageError(f"A {kind} task has one label column; {named} are {len(names)}. Name one of them.")
    matrix = np.column_stack([_numbers(cells, missing) for cells in columns])
    none = np.isnan(matrix).any(axis=1)
    notes = missing_note(_listed(names, "or"), none, columns[0].row_name)
    kept = np.flatnonzero(~none)
    matrix = matrix[kept]
    wrong = np.argwhere((matrix != 0) & (matrix != 1))
    one_each = not len(wrong) and bool((matrix.sum(axis=1) == 1).all())
    if kind is TaskKind.CLASSIFICATION:
        if not one_each:
            raise UsageError(
                f"A {kind} task has one class for each row, but not every row has one 1 in {named}. "
                "Name one of them, or write kind='multilabel' for columns of 0 and 1, "
                "kind='regression' for numbers to predict."
            )
        return Labelled(class_labels(np.array(names)[matrix.argmax(axis=1)]), kept, notes)
    if kind is TaskKind.MULTILABEL and len(wrong):
        row, position = wrong[0]
        where = columns[0].row_name(int(kept[row]))
        raise UnreadableTask(
            f"Column '{names[position]}', {where}: {matrix[row, position]:g} is neither 0 nor 1. "
            "Write kind='regression' for numbers to predict."
        )
    if kind is TaskKind.REGRESSION or len(wrong):
        for column in columns:
            notes += written_note(column, read_numbers(column.names))
        note = f"{named} hold numbers: each example has {len(names)} to predict (regression)."
        return Labelled(Labels(LabelKind.REGRESSION, matrix), kept, notes if kind else (*notes, note))
    order = np.argsort(names)
    labels = Labels(LabelKind.MULTILABEL, matrix[:, order], tuple(names[position] for position in order))
    note = (
        f"{named} hold 0 and 1: any number of {len(names)} classes may apply to an example (multilabel). "
        "Write kind='regression' if they are numbers to predict"
        f"{_ONE_EACH if one_each else ''}."
    )
    return Labelled(labels, kept, notes if kind else (*notes, note))


def label_sets(
    cells: Cells, separator: str | None, missing: Sequence[str] = (), *, is_guessed: bool = False
) -> Labelled:
    """Create multilabel labels from cells that each contain any number of classes.

    Args:
        cells: The cells of the column.
        separator: The separator of the classes in a cell; an empty cell has no class. None for JSON lists;
            rows with an empty cell are then skipped.
        missing: What counts as an empty cell.
        is_guessed: True to add a note that the format was guessed.

    Raises:
        UnreadableTask: A cell is not a list, or more than half of the rows are empty.
    """
    column, _, _, row_name = cells
    names = [*("" if name in missing else name for name in cells.names), ""]
    codes = np.where(cells.codes < 0, len(cells.names), cells.codes)
    is_empty = np.array([not name for name in names])[codes]
    notes = missing_note(f"'{column}'", is_empty, row_name) if separator is None else ()
    kept = np.arange(len(codes)) if separator is not None else np.flatnonzero(~is_empty)
    if separator is not None and is_empty.any():
        notes = (
            f"{is_empty.sum()} of {len(codes)} rows have an empty '{column}': no class applies to them.",
        )
    used, rows, codes = np.unique(codes[kept], return_index=True, return_inverse=True)
    sets = _marked([names[code] for code in used]) if separator is None else None
    if sets is not None:
        notes += (f"'{column}' holds lists of 0 and 1: their positions, from 0, are the classes.",)
    else:
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


def _marked(cells: Sequence[str]) -> list[tuple[str, ...]] | None:
    """Return the positions of the ones of lists of one length that hold 0 and 1 alone; else None."""
    lists = [as_list(cell) or () for cell in cells]
    if len({len(items) for items in lists}) != 1 or len(lists[0]) < 2:
        return None
    if any(item.lower() not in _MARKS for items in lists for item in items):
        return None
    return [tuple(str(at) for at, item in enumerate(items) if _MARKS[item.lower()]) for items in lists]


def _split_cell(cell: str, separator: str | None, where: str) -> tuple[str, ...]:
    if separator is not None:
        return tuple(dict.fromkeys(name.strip() for name in cell.split(separator) if name.strip()))
    names = as_list(cell)
    if names is None:
        raise UnreadableTask(
            f"{where}: '{cell[:60]}' is not a list of classes. Write for example label_separator='|' "
            f'for red|round, or the cell as ["red", "round"].'
        )
    if len(set(names)) < len(names):
        raise UnreadableTask(
            f"{where}: the list repeats a class: {cell[:60]}. Lists hold the names of classes that apply; "
            "for 0 and 1 give each class a column, as in label=('red', 'round')."
        )
    return names


def _numbers(cells: Cells, missing: Sequence[str]) -> np.ndarray:
    """Return the number in each row; NaN if the cell is empty or marks a missing number."""
    column, names, codes, row_name = cells
    plain = [str(_TRUTH.get(name.lower(), name)) for name in names]
    found = read_numbers(["" if name in missing else name for name in [*plain, ""]])
    numbers = np.where(found.missing, np.nan, found.values)
    wrong = np.flatnonzero((~np.isfinite(numbers) & ~found.missing)[codes])
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
