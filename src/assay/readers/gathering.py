"""Gathers the examples of a task with their labels and content hashes, before splitting."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from assay.core.errors import UnreadableTask, UsageError
from assay.core.task import Examples, InMemoryExamples, LabelKind, Labels, Modality, SelectedExamples, Words
from assay.readers.checking import check
from assay.readers.digests import digest_examples
from assay.readers.files import FileExamples, leave_out_unreadable
from assay.readers.image_ranges import settle
from assay.readers.images import StoredImages
from assay.readers.labelled_rows import LabelledRows
from assay.readers.lists import splitter
from assay.readers.sound_range import settle_sounds
from assay.readers.sounds import StoredSounds
from assay.readers.splits import Part, Shares, class_counts, divide, sample
from assay.readers.table_columns import TableColumns
from assay.readers.tables import TableTexts, TextTable, text_digests
from assay.readers.verified_files import VerifiedFiles


class ExampleLimits(NamedTuple):
    """The maximum numbers of examples; None for no limit."""

    every: int | None = None  # of all examples, stratified by class and official split
    train: int | None = None  # of train and val, stratified by class, if test is official


NO_LIMITS = ExampleLimits()
_NO_TEXT = ("nan", "NaN", "NAN", "null", "NULL", "None", "N/A", "n/a", "NA", "#N/A", "<NA>")


@dataclass(frozen=True, slots=True)
class Gathered:
    """The examples of a task before splitting.

    Attributes:
        source: The source of the examples.
        labelled: The selected examples of the source, with labels, official splits, slices and notes.
        digests: The content hash of each example (64 bits suffice to distinguish ten million examples).
        thumbnails: Thumbnails of images that were read, for near-duplicate detection.
        inputs: The columns of a table that hold an example; empty for other sources.
    """

    source: Examples
    labelled: LabelledRows
    digests: np.ndarray
    modality: Modality
    thumbnails: np.ndarray | None = None
    inputs: tuple[str, ...] = ()

    @property
    def examples(self) -> SelectedExamples:
        """The selected examples."""
        return SelectedExamples(self.source, self.labelled.rows)

    def take(self, positions: np.ndarray) -> Gathered:
        """Return a subset of the examples."""
        return replace(
            self,
            labelled=self.labelled.take(positions),
            digests=self.digests[positions],
            thumbnails=None if self.thumbnails is None else self.thumbnails[positions],
        )


def gather_in_memory(
    examples: Sequence[np.ndarray] | Sequence[str] | Sequence[Words],
    names: Sequence[str],
    labels: Labels,
    official: np.ndarray | None = None,
    notes: tuple[str, ...] = (),
) -> Gathered:
    """Hash examples in memory: images, texts, or texts split into words."""
    labelled = LabelledRows(np.arange(len(examples)), labels, official, notes)
    modality = Modality.IMAGE if isinstance(examples[0], np.ndarray) else Modality.TEXT
    return Gathered(InMemoryExamples(examples, names), labelled, digest_examples(examples), modality)


def gather_files(
    files: FileExamples,
    labelled: LabelledRows,
    unreadable: float,
    limits: ExampleLimits = NO_LIMITS,
    seed: int = 0,
) -> Gathered:
    """Check every file within the limits, and skip unreadable files up to a maximum fraction.

    Raises:
        UnreadableTask: More files are unreadable.
    """
    labelled = limit_files(files, labelled, limits, seed)
    checked = check(files, labelled.rows)
    lost = _lost_classes(labelled.labels, checked.unreadable)
    kept, notes = leave_out_unreadable(files, labelled.rows, checked.unreadable, unreadable, lost)
    if isinstance(files, (StoredImages, StoredSounds)):
        files = replace(files, files=VerifiedFiles.of(files.files, labelled.rows, checked.digests))
    if isinstance(files, StoredImages):
        settled = settle(files, labelled.rows, checked)
        files, checked = settled.images, checked._replace(digests=settled.digests)
        notes = (*notes, *settled.notes)
    elif isinstance(files, StoredSounds):
        scaled = settle_sounds(files, labelled.rows, checked)
        files, checked = scaled.sounds, checked._replace(digests=scaled.digests)
        notes = (*notes, *scaled.notes)
    labelled = replace(labelled, notes=(*labelled.notes, *notes))
    return Gathered(files, labelled, checked.digests, files.modality, checked.thumbnails).take(kept)


def _lost_classes(labels: Labels, unreadable: Mapping[int, str]) -> list[str]:
    """Return the classes without a readable file."""
    if labels.kind is LabelKind.REGRESSION or not unreadable:
        return []
    kept = np.setdiff1d(np.arange(labels.examples), list(unreadable))
    is_lost = (class_counts(labels) > 0) & (class_counts(labels.of(kept)) == 0)
    return [labels.classes[position] for position in np.flatnonzero(is_lost)]


def gather_texts(
    table: TextTable, columns: TableColumns, labelled: LabelledRows, missing: Sequence[str] = ()
) -> Gathered:
    """Hash every text, and skip rows with an empty text, or one that marks a missing text.

    Raises:
        UnreadableTask: More than half of the texts are empty.
    """
    if columns.words is not None:
        texts = TableTexts(table, (columns.words,), splitter(table.head()[columns.words]))
        digests = digest_examples(texts.read(int(row)) for row in labelled.rows)
        return Gathered(texts, labelled, digests, Modality.TEXT, inputs=columns.inputs)
    digests, empty = text_digests(table, columns.texts)
    labelled = replace(
        labelled, notes=(*labelled.notes, *_marked_note(table, columns.texts, labelled, missing))
    )
    for name in columns.texts if missing else ():
        empty |= table.holds(name, missing)
    is_empty = empty[labelled.rows]
    if is_empty.any():
        lacking = labelled.rows[is_empty]
        named = " or ".join(f"'{name}'" for name in columns.texts)
        what = "no text" if missing else "an empty cell"
        text = (
            f"{len(lacking)} of {len(labelled.rows)} rows have {what} in {named} "
            f"(first: {table.row_name(int(lacking[0]))})"
        )
        if len(lacking) > len(labelled.rows) / 2:
            raise UnreadableTask(f"{text}: more than half. Name another column, as in text='...'.")
        notes = (*labelled.notes, f"{text} and are left out.")
        labelled = replace(labelled, notes=notes).usable(
            np.flatnonzero(~is_empty), "all their texts are empty"
        )
    texts = TableTexts(table, columns.texts)
    return Gathered(texts, labelled, digests[labelled.rows], Modality.TEXT, inputs=columns.inputs)


def _marked_note(
    table: TextTable, columns: Sequence[str], labelled: LabelledRows, missing: Sequence[str]
) -> tuple[str, ...]:
    """Return a note about texts such as 'nan', which pandas writes where a text is missing."""
    marks = [mark for mark in _NO_TEXT if mark not in missing]
    for name in columns:
        marked = labelled.rows[table.holds(name, marks)[labelled.rows]]
        if len(marked) > 1:
            mark = table.cells[name][int(marked[0])].as_py().strip()
            return (
                f"{len(marked)} rows have a text such as '{mark}' in '{name}' (first: "
                f"{table.row_name(int(marked[0]))}): it counts as a text. Write missing='{mark}' if it marks "
                "a missing one.",
            )
    return ()


def limited(gathered: Gathered, limits: ExampleLimits, shares: Shares, seed: int) -> Gathered:
    """Apply the limits; if train is limited and no split is official, split first."""
    if limits == NO_LIMITS:
        return gathered
    labelled = gathered.labelled
    if limits.train is not None and labelled.official is None:
        parts, notes, _ = divide(gathered.digests, labelled.labels, None, shares, seed)
        labelled = replace(labelled, official=parts, notes=(*labelled.notes, *notes))
    rows = _rows_within(gathered.digests, labelled, limits, seed)
    return replace(gathered, labelled=labelled).take(rows)


def limit_files(
    files: FileExamples, labelled: LabelledRows, limits: ExampleLimits, seed: int
) -> LabelledRows:
    """Apply the limits to files, sampled by name so that the other files are not read."""
    if limits == NO_LIMITS:
        return labelled
    digests = digest_examples(files.name(int(row)) for row in labelled.rows)
    return labelled.take(_rows_within(digests, labelled, limits, seed))


def _rows_within(digests: np.ndarray, labelled: LabelledRows, limits: ExampleLimits, seed: int) -> np.ndarray:
    """Return the positions within the limits, ascending, sampled by ``sample``."""
    labels, official = labelled.labels, labelled.official
    rows = np.arange(len(digests))
    if limits.every is not None:
        rows = sample(digests, labels, official, limits.every, seed)
    if limits.train is not None:
        if official is None:
            raise UsageError(
                f"train_limit={limits.train} needs an official train split. Write limit instead."
            )
        judged = Part.TEST if (official == Part.TEST).any() else Part.VAL
        train = rows[official[rows] != judged]
        some = sample(digests[train], labels.of(train), official[train], limits.train, seed)
        rows = np.sort(np.concatenate([train[some], rows[official[rows] == judged]]))
    return rows
