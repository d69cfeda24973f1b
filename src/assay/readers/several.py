"""From several label columns, or from several classes in one cell, to labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.core.errors import UnreadableTask, UsageError
from assay.core.task import LabelKind, Labels, TaskKind
from assay.readers.guess import as_number
from assay.readers.labelling import Cells, Labelled, is_nothing, missing_note
from assay.readers.lists import as_list

_TRUTH = {"true": 1.0, "false": 0.0, "yes": 1.0, "no": 0.0}


def label_columns(columns: Sequence[Cells], kind: TaskKind | None) -> Labelled:
    """Make labels of several columns: of 0 and 1 for each class, or of numbers to predict.

    Rows that lack one of them are left out.

    Args:
        columns: What stands in each.
        kind: What the user wrote, or None: multilabel where all are 0 or 1, else regression.

    Raises:
        UnreadableTask: A cell is no number, or more than half of the rows lack one.
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
        said = f"{named} hold numbers: each example has {len(names)} to predict (regression)."
        return Labelled(Labels(LabelKind.REGRESSION, matrix), kept, notes if kind else (*notes, said))
    order = np.argsort(names)
    labels = Labels(LabelKind.MULTILABEL, matrix[:, order], tuple(names[place] for place in order))
    said = (
        f"{named} hold 0 and 1: any number of {len(names)} classes may apply to an example (multilabel). "
        "Write kind='regression' if they are numbers to predict."
    )
    return Labelled(labels, kept, notes if kind else (*notes, said))


def label_sets(cells: Cells, separator: str | None, *, is_guessed: bool = False) -> Labelled:
    """Make labels of cells that each hold any number of classes.

    Args:
        cells: What stands in the column.
        separator: What parts the classes of a cell, of which an empty one holds none. None for lists as JSON
            writes them: rows with an empty cell are left out.
        is_guessed: The user did not say that cells hold several classes, so the notes do.

    Raises:
        UnreadableTask: A cell is no list, or more than half of the rows are empty.
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
        _parted(names[code], separator, f"Column '{column}', {row_name(int(kept[row]))}")
        for code, row in zip(used, rows, strict=True)
    ]
    classes = sorted({name for one in sets for name in one})
    place = {name: number for number, name in enumerate(classes)}
    hot = np.zeros((len(sets), len(classes)), dtype=np.int64)
    for row, one in enumerate(sets):
        hot[row, [place[name] for name in one]] = 1
    if is_guessed:
        notes += (
            f"'{column}' holds lists: any number of {len(classes)} classes may apply to an example "
            "(multilabel). Write kind='classification' if each list is a class.",
        )
    return Labelled(Labels(LabelKind.MULTILABEL, hot[codes], tuple(classes)), kept, notes)


def _parted(cell: str, separator: str | None, where: str) -> tuple[str, ...]:
    if separator is not None:
        return tuple(dict.fromkeys(name.strip() for name in cell.split(separator) if name.strip()))
    found = as_list(cell)
    if found is None:
        raise UnreadableTask(
            f"{where}: '{cell[:60]}' is no list of classes. Write for example label_separator='|' "
            f'for red|round, or the cell as ["red", "round"].'
        )
    if len(set(found)) < len(found):
        raise UnreadableTask(
            f"{where}: the list repeats a class: {cell[:60]}. Lists hold the names of classes that apply; "
            "for 0 and 1 give each class a column, as in label=('red', 'round')."
        )
    return found


def _numbers(cells: Cells) -> np.ndarray:
    """Return the number of each row, NaN where the cell is empty."""
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
