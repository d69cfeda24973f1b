"""Rows of a table, or files, with labels, official splits and slices."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from assay.core.errors import UnreadableTask, UsageError
from assay.core.slices import SliceColumn
from assay.core.task import LabelKind, Labels, TaskKind
from assay.readers.guess import choose_columns, refuse_unlabelled
from assay.readers.labelling import Cells, Labelled, class_labels, label_rows, missing_note, tag_labels
from assay.readers.lists import are_lists, splitter
from assay.readers.named_columns import NamedColumns
from assay.readers.several_labels import label_columns, label_sets
from assay.readers.spellings import spelled_by_splits
from assay.readers.split_columns import split_values
from assay.readers.splits import PART_NAMES, class_counts, in_words
from assay.readers.table_columns import TableColumns
from assay.readers.tables import TextTable

MOST_SLICES = 100  # per column; about the number of languages in the largest multilingual data sets


class LabelForm(NamedTuple):
    """The user's settings of the label format; None for settings to guess."""

    kind: TaskKind | None = None
    separator: str | None = None  # separates the classes in a cell
    missing: str | tuple[str, ...] = ()  # marks a missing label, besides an empty cell

    @property
    def marks(self) -> tuple[str, ...]:
        """What marks a missing label."""
        return (self.missing,) if isinstance(self.missing, str) else self.missing


@dataclass(frozen=True, slots=True)
class LabelledRows:
    """Labelled rows.

    Attributes:
        rows: Positions in a table or list of files.
        labels: The labels of the rows.
        official: The official split of each row (values of ``Part``), or None.
        notes: Notes about guesses and excluded rows.
        slices: The columns by which test results are reported separately.
    """

    rows: np.ndarray
    labels: Labels
    official: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    slices: tuple[SliceColumn, ...] = ()

    def usable(self, positions: np.ndarray, why: str) -> LabelledRows:
        """Return a subset of the rows, with a note about classes that lost all examples, and why."""
        kept = self.take(positions)
        lost = sorted({*self.labels.classes} - {*kept.labels.classes})
        if not lost:
            return kept
        verb = "is" if len(lost) == 1 else "are"
        note = f"{in_words(lost, 'class', 'classes')} {verb} left out: {why}."
        return replace(kept, notes=(*kept.notes, note))

    def take(self, positions: np.ndarray) -> LabelledRows:
        """Return a subset of the rows, and drop classes without examples."""
        return replace(
            self,
            rows=self.rows[positions],
            labels=_present_classes(self.labels.of(positions)),
            official=None if self.official is None else self.official[positions],
            slices=tuple(slicing.of(positions) for slicing in self.slices),
        )


def labelled_rows(
    table: TextTable, named: NamedColumns, form: LabelForm, official: np.ndarray | None = None
) -> tuple[TableColumns, LabelledRows]:
    """Choose the columns of a table and read its labels and splits.

    Args:
        table: The table.
        named: The columns named by the user.
        form: The user's settings of the label format.
        official: The split of each row by file, or None to use the split column, if there is one.
    """
    refuse_unlabelled(table.cells.column_names, table.lacking, named)
    try:
        columns = choose_columns(table.title, table.head(), named, form.kind)
    except UsageError as error:
        unread = [note for note in table.notes if " are left out: " in note and note.startswith("Columns ")]
        if not unread:
            raise
        raise UnreadableTask(" ".join([str(error), *unread])) from error
    if official is None and columns.split is not None:
        official = _split_column(table, columns.split)
    labels, kept, notes = _labelled(table, columns, form)
    slices, slice_notes = _sliced(table, named.sliced, kept)
    parts = None if official is None else official[kept]
    labels, merged = _spelled_alike(labels, parts)
    return columns, LabelledRows(
        kept, labels, parts, (*table.notes, *columns.notes, *notes, *merged, *slice_notes), slices
    )


def _spelled_alike(labels: Labels, parts: np.ndarray | None) -> tuple[Labels, tuple[str, ...]]:
    """Return labels with one class where official splits spell one differently, and a note."""
    if parts is None or labels.kind is not LabelKind.CLASSIFICATION or labels.lengths is not None:
        return labels, ()
    names = np.array(labels.classes, dtype=object)
    found = spelled_by_splits([set(names[labels.values[parts == part]]) for part in np.unique(parts)])
    if not found.one:
        return labels, ()
    return class_labels([found.one.get(name, name) for name in names]).of(labels.values), found.notes


def _labelled(table: TextTable, columns: TableColumns, form: LabelForm) -> Labelled:
    """Create labels from the label columns, by their number and contents."""
    if columns.words is not None:
        return _label_words(table, columns.words, columns.labels[0])
    cells = [Cells(name, *table.coded(name), table.row_name) for name in columns.labels]
    if len(cells) > 1:
        if form.separator is not None:
            raise UsageError(
                "label_separator parts the classes of one column. Leave it out, or name one label."
            )
        return label_columns(cells, form.kind, form.marks)
    if form.separator is not None or form.kind is TaskKind.MULTILABEL:
        return label_sets(cells[0], form.separator, form.marks)
    if form.kind is None and are_lists(cells[0].names):
        return label_sets(cells[0], None, form.marks, is_guessed=True)
    return label_rows(cells[0], form.kind, form.marks)


def _label_words(table: TextTable, words: str, tags: str) -> Labelled:
    """Create labels from the tags of words, skipping rows without words."""
    head = table.head()
    split_words, split_tags = splitter(head[words]), splitter(head[tags])
    is_empty = np.zeros(len(table), dtype=bool)

    def tags_of_texts() -> Iterator[tuple[str, ...]]:
        for row, (text, cell) in enumerate(zip(table.column(words), table.column(tags), strict=True)):
            count, row_tags = len(split_words(text)), split_tags(cell)
            if count != len(row_tags):
                raise UnreadableTask(
                    f"{table.title}, {table.row_name(row)}: {count} words in '{words}' and {len(row_tags)} "
                    f"tags in '{tags}'. Give each word a tag, in a list or with spaces between them."
                )
            is_empty[row] = not count
            if count:
                yield row_tags

    labels = tag_labels(tags_of_texts())
    notes = missing_note(f"'{words}'", is_empty, table.row_name)
    return Labelled(labels, np.flatnonzero(~is_empty), notes)


def _sliced(
    table: TextTable, columns: Sequence[str], rows: np.ndarray
) -> tuple[tuple[SliceColumn, ...], tuple[str, ...]]:
    """Return the slices by each column for the given rows, and notes about empty cells."""
    slices, notes = [], []
    for column in columns:
        cells, codes = table.coded(column)
        has_value = np.array([bool(cell) for cell in [*cells, ""]])[
            codes[rows]
        ]  # code -1 selects the empty cell
        values, positions = np.unique([cells[code] for code in codes[rows][has_value]], return_inverse=True)
        if not 0 < len(values) <= MOST_SLICES:
            raise UnreadableTask(
                f"'{column}' holds {len(values):,} different values; a column of slices holds 1 to "
                f"{MOST_SLICES}. Name another, or write ranges into it, as in 'short' and 'long'."
            )
        of_row = np.full(len(rows), -1)
        of_row[has_value] = positions
        slices.append(SliceColumn(column, tuple(str(value) for value in values), of_row))
        if not has_value.all():
            first = table.row_name(int(rows[~has_value][0]))
            notes.append(
                f"{(~has_value).sum()} of {len(rows)} rows have an empty cell in '{column}' "
                f"(first: {first}): they are in none of its slices."
            )
    return tuple(slices), tuple(notes)


def _split_column(table: TextTable, column: str) -> np.ndarray:
    names, codes = table.coded(column)
    found = split_values(column, (*names, ""))
    of_name = [found[name] for name in (*names, "")]  # an empty cell is the last
    parts = np.array([-1 if part is None else part for part in of_name])[codes]
    wrong = np.flatnonzero(parts < 0)
    if len(wrong):
        row = int(wrong[0])
        cell = names[codes[row]] if codes[row] >= 0 else ""
        raise UnreadableTask(
            f"{table.title}, {table.row_name(row)}: '{cell}' in '{column}' is not a split. "
            f"Write one of {', '.join(PART_NAMES)}."
        )
    return np.asarray(parts)


def _present_classes(labels: Labels) -> Labels:
    """Return the labels without classes that have no examples."""
    if labels.kind is LabelKind.REGRESSION:
        return labels
    used = np.flatnonzero(class_counts(labels))
    is_multilabel = labels.kind is LabelKind.MULTILABEL
    values = labels.values[:, used] if is_multilabel else np.searchsorted(used, labels.values)
    return Labels(labels.kind, values, tuple(labels.classes[position] for position in used), labels.lengths)
