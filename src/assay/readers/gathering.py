"""Gathers labelled images and labelled rows, for the sources that read files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from assay.core.errors import UnreadableTask, UsageError
from assay.core.slicing import Slicing
from assay.core.task import Examples, LabelKind, Labels, Modality, SelectedExamples, TaskKind
from assay.readers.checking import Checkable, check, leave_out_unreadable
from assay.readers.gathered import Gathered
from assay.readers.guess import NamedColumns, TableColumns, choose_columns
from assay.readers.images import DecodedImages, ImageFiles, StoredImages
from assay.readers.labelling import Cells, Labelled, label_rows
from assay.readers.lists import are_lists
from assay.readers.several import label_columns, label_sets
from assay.readers.slicing import slice_rows
from assay.readers.splits import PART_NAMES, Part, Shares, divide, part_of, sample
from assay.readers.strata import class_counts
from assay.readers.tables import TableTexts, TextTable, text_digests
from assay.readers.words import digest_words, label_words, words_of


class LabelForm(NamedTuple):
    """What a user said of the labels; None where that is left to us."""

    kind: TaskKind | None = None
    separator: str | None = None  # of the classes in one cell


class ExampleLimits(NamedTuple):
    """How many examples are wanted at most; None for all."""

    every: int | None = None  # the same share of each class and official split
    train: int | None = None  # of train and val, the same share of each class, where test is official


class LabelledRows(NamedTuple):
    """Rows of a table that have a label, and the columns that hold what."""

    columns: TableColumns
    rows: np.ndarray  # rows of the table
    labels: Labels
    given: np.ndarray | None
    notes: tuple[str, ...]
    slices: tuple[Slicing, ...] = ()


def gather_images(
    files: StoredImages | DecodedImages,
    labels: Labels,
    given: np.ndarray | None,
    unreadable: float,
    slices: tuple[Slicing, ...] = (),
) -> Gathered:
    """Check every image once; the unreadable ones are left out, up to a share.

    Raises:
        UnreadableTask: More than the share are unreadable.
    """
    return gather_files(files, labels, given, unreadable, Modality.IMAGE, slices)


def gather_files(
    files: Checkable,
    labels: Labels,
    given: np.ndarray | None,
    unreadable: float,
    modality: Modality,
    slices: tuple[Slicing, ...] = (),
) -> Gathered:
    """Check every file once, as ``gather_images`` does."""
    checked = check(files)
    rows, notes = leave_out_unreadable(files, checked, unreadable)
    return Gathered(
        SelectedExamples(files, rows),
        checked.digests[rows],
        _fewer(labels, rows),
        modality,
        given=None if given is None else given[rows],
        notes=notes,
        sketches=None if checked.sketches is None else checked.sketches[rows],
        slices=_some_slices(slices, rows),
    )


def gather_texts(table: TextTable, found: LabelledRows) -> Gathered:
    """Hash every text; rows with an empty one are left out.

    Raises:
        UnreadableTask: More than half of the texts are empty.
    """
    if found.columns.words is not None:
        words = words_of(table, found.columns.words, found.rows)
        hashes = np.array([digest_words(words.read(row).words) for row in range(len(words))], dtype=np.uint64)
        gathered = Gathered(words, hashes, found.labels, Modality.TEXT, found.given, found.notes)
        return replace(gathered, slices=found.slices)
    digests, empty = text_digests(table, found.columns.texts)
    kept = np.flatnonzero(~empty[found.rows])
    notes = found.notes
    if len(kept) < len(found.rows):
        lacking = found.rows[empty[found.rows]]
        named = " or ".join(f"'{name}'" for name in found.columns.texts)
        text = (
            f"{len(lacking)} of {len(found.rows)} rows have an empty cell in {named} "
            f"(first: {table.row_name(int(lacking[0]))})"
        )
        if len(lacking) > len(found.rows) / 2:
            raise UnreadableTask(f"{text}: more than half. Name another column, as in text='...'.")
        notes += (f"{text} and are left out.",)
    rows = found.rows[kept]
    examples: Examples = TableTexts(table, found.columns.texts, rows)
    parts = None if found.given is None else found.given[kept]
    gathered = Gathered(examples, digests[rows], _fewer(found.labels, kept), Modality.TEXT, parts, notes)
    return replace(gathered, slices=_some_slices(found.slices, kept))


def gather_listed_images(
    table: TextTable,
    found: LabelledRows,
    folder: Path,
    *,
    unreadable: float,
    limit: int | None = None,
    seed: int = 0,
) -> Gathered:
    """Check the images that a column of a table names, relative to a folder."""
    every = list(table.column(found.columns.image or ""))
    names = tuple(every[row] for row in found.rows)
    if not all(names):
        row = table.row_name(int(found.rows[names.index("")]))
        raise UnreadableTask(
            f"{table.title}, {row}: '{found.columns.image}' is empty. Write the path of an image."
        )
    files, labels, given, slices = ImageFiles(folder, names), found.labels, found.given, found.slices
    if limit is not None:
        digests, _ = text_digests(table, (found.columns.image or "",))
        rows = sample(digests[found.rows], labels, given, limit, seed)
        files = ImageFiles(files.folder, tuple(names[row] for row in rows))
        labels, given = _fewer(labels, rows), None if given is None else given[rows]
        slices = _some_slices(slices, rows)
    gathered = gather_images(files, labels, given, unreadable, slices)
    return replace(gathered, notes=(*found.notes, *gathered.notes))


def labelled_rows(
    table: TextTable, wanted: NamedColumns, form: LabelForm, given: np.ndarray | None = None
) -> LabelledRows:
    """Choose the columns of a table and read its labels and splits.

    Args:
        table: The table.
        wanted: The columns that the user named.
        form: What the user said of the labels.
        given: The split of each row by its file, or None: the split column says it, if there is one.
    """
    columns = choose_columns(table.title, table.head(), wanted, form.kind)
    if given is None and columns.split is not None:
        given = _split_column(table, columns.split)
    labelled = _labelled(table, columns, form)
    parts = None if given is None else given[labelled.kept]
    slices, doubts = slice_rows(table, wanted.sliced, labelled.kept)
    notes = (*columns.notes, *labelled.notes, *doubts)
    return LabelledRows(columns, labelled.kept, labelled.labels, parts, notes, slices)


def _labelled(table: TextTable, columns: TableColumns, form: LabelForm) -> Labelled:
    """Make labels of the label columns, by their number and by what stands in them."""
    if columns.words is not None:
        return label_words(table, columns.words, columns.labels[0])
    cells = [Cells(name, *table.coded(name), table.row_name) for name in columns.labels]
    if len(cells) > 1:
        if form.separator is not None:
            raise UsageError(
                "label_separator parts the classes of one column. Leave it out, or name one label."
            )
        return label_columns(cells, form.kind)
    if form.separator is not None or form.kind is TaskKind.MULTILABEL:
        return label_sets(cells[0], form.separator)
    if form.kind is None and are_lists(cells[0].names):
        return label_sets(cells[0], None, is_guessed=True)
    return label_rows(cells[0], form.kind)


def limited(gathered: Gathered, limit: int | None, seed: int) -> Gathered:
    """Return at most ``limit`` of the examples: the same share of each class and official split."""
    if limit is None:
        return gathered
    return _some(gathered, sample(gathered.digests, gathered.labels, gathered.given, limit, seed))


def limited_parts(gathered: Gathered, limits: ExampleLimits, shares: Shares, seed: int) -> Gathered:
    """Return what the limits leave; where train is limited and no split official, it is cut before."""
    if limits == ExampleLimits():
        return gathered
    if limits.train is not None and gathered.given is None:
        parts, notes = divide(gathered.digests, gathered.labels, None, shares, seed)
        gathered = replace(gathered, given=parts, notes=(*gathered.notes, *notes))
    rows = rows_within(gathered.digests, gathered.labels, gathered.given, limits, seed)
    return _some(gathered, rows)


def rows_within(
    digests: np.ndarray, labels: Labels, given: np.ndarray | None, limits: ExampleLimits, seed: int
) -> np.ndarray:
    """Return the rows that the limits leave, in ascending order, as ``sample`` draws them."""
    rows = np.arange(len(digests))
    if limits.every is not None:
        rows = sample(digests, labels, given, limits.every, seed)
    if limits.train is not None:
        if given is None:
            raise UsageError(
                f"train_limit={limits.train} needs an official train split. Write limit instead."
            )
        judged = Part.TEST if (given == Part.TEST).any() else Part.VAL
        train = rows[given[rows] != judged]
        some = sample(digests[train], labels.of(train), given[train], limits.train, seed)
        rows = np.sort(np.concatenate([train[some], rows[given[rows] == judged]]))
    return rows


def _some(gathered: Gathered, rows: np.ndarray) -> Gathered:
    return replace(
        gathered,
        examples=SelectedExamples(gathered.examples, rows),
        digests=gathered.digests[rows],
        labels=_fewer(gathered.labels, rows),
        given=None if gathered.given is None else gathered.given[rows],
        sketches=None if gathered.sketches is None else gathered.sketches[rows],
        slices=_some_slices(gathered.slices, rows),
    )


def _some_slices(slices: tuple[Slicing, ...], rows: np.ndarray) -> tuple[Slicing, ...]:
    return tuple(one.of(rows) for one in slices)


def _split_column(table: TextTable, column: str) -> np.ndarray:
    names, codes = table.coded(column)
    found = [part_of(name) for name in names]
    of_name = np.array([-1 if part is None else part for part in (*found, None)])  # an empty cell is the last
    parts: np.ndarray = of_name[codes]
    wrong = np.flatnonzero(parts < 0)
    if len(wrong):
        row = int(wrong[0])
        cell = names[codes[row]] if codes[row] >= 0 else ""
        raise UnreadableTask(
            f"{table.title}, {table.row_name(row)}: '{cell}' in '{column}' is not a split. "
            f"Write one of {', '.join(PART_NAMES)}."
        )
    return parts


def _fewer(labels: Labels, rows: np.ndarray) -> Labels:
    """Return the labels of some rows, without classes that are left with no example."""
    taken = labels.of(rows)
    if labels.kind is LabelKind.REGRESSION:
        return taken
    used = np.flatnonzero(class_counts(taken))
    values = (
        taken.values[:, used] if labels.kind is LabelKind.MULTILABEL else np.searchsorted(used, taken.values)
    )
    return Labels(labels.kind, values, tuple(labels.classes[place] for place in used), taken.lengths)
