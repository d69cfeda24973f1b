"""Tasks from a table of texts, pairs, labelled words, images or sounds: CSV, TSV, JSON, Parquet or Excel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from assay.core.errors import UnreadableTask
from assay.core.paths import path_of
from assay.core.task import Modality, Task
from assay.core.task_source import TaskSource
from assay.readers.assembly import assemble
from assay.readers.embedded_files import EmbeddedFiles, embedded_columns, stored
from assay.readers.formats.table_file import TableFormat
from assay.readers.gathering import ExampleLimits, gather_files, gather_texts
from assay.readers.images import is_image
from assay.readers.labelled_rows import LabelForm, labelled_rows
from assay.readers.labelling import parse_kind
from assay.readers.listed_files import column_of_files, listed_files, with_file
from assay.readers.named_columns import NamedColumns
from assay.readers.positive_class import with_positive
from assay.readers.sounds import is_sound
from assay.readers.split_tables import split_tables
from assay.readers.splits import Shares
from assay.readers.tables import TextTable, read_table


@dataclass(frozen=True, slots=True)
class Table(TaskSource):
    r"""Texts, pairs of texts, labelled words or image paths in a table.

    Unnamed columns are guessed from their names and contents; the task's notes report ambiguous guesses.
    Large files are streamed to a memory-mapped copy instead of being loaded into memory.

    Attributes:
        name: A CSV, TSV, JSON, Parquet, Feather or Excel file, which may be compressed (.csv.gz, .zip), or a
            folder of such files named after splits: train.csv, reviews_test.csv,
            data/train-00000-of-00002.parquet.
        text: The column of texts.
        text2: The second column of pairs of texts.
        image: The column of paths of images or sounds, relative to the table's folder; or, of Parquet, of
            images or sounds themselves.
        words: The column of texts split into words (lists, or words separated by spaces); the label
            column then holds a tag for each word.
        label: The label column; or several, as in ('red', 'round'), of 0 and 1 per class, or of numbers.
        label_separator: The separator of several classes in a cell, such as "|"; not needed for lists.
        split: The column of official splits: train, val (valid, validation, dev), test.
        slices: One or more columns by which test results are reported separately, such as language.
        kind: ``classification``, ``multilabel``, ``regression`` or ``tokens``; guessed from the labels.
        missing: What marks a missing label or text besides empty cells (and "NA" among numbers), as in
            ("?", "none").
        val: The fraction of val if there is no official split.
        test: The fraction of test if there is no official split.
        metric: The main metric; by default accuracy, macro F1 for multilabel, or Spearman correlation for
            regression.
        positive: The class of two whose F1 is judged; the second by name by default.
        limit: The maximum number of examples, stratified by class and official split.
        delimiter: The cell delimiter of a CSV file; detected by default.
        unreadable: The maximum fraction of unreadable images, and of rows with a wrong number of cells; one
            is always allowed, unless this is 0.
        encoding: The encoding of a text file, such as "cp1252"; detected by default.
        sheet: The sheet of a spreadsheet; needed if several have cells.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "reviews.csv")
    ...     rows = [f"review number {row},{'good' if row % 2 else 'bad'}" for row in range(20)]
    ...     _ = path.write_text("\n".join(["text,label", *rows]))
    ...     task = Table(str(path)).load("table:reviews.csv", seed=0)
    >>> len(task.train), len(task.val), len(task.test), task.classes
    (12, 4, 4, ('bad', 'good'))
    """

    text: str | None = None
    text2: str | None = None
    image: str | None = None
    words: str | None = None
    label: str | tuple[str, ...] | None = None
    label_separator: str | None = None
    split: str | None = None
    kind: str | None = None
    val: float = 0.2
    test: float = 0.2
    metric: str | None = None
    limit: int | None = None
    delimiter: str | None = None
    unreadable: float = 0.01
    slices: str | tuple[str, ...] | None = None
    missing: str | tuple[str, ...] = ()
    encoding: str | None = None
    sheet: str | None = None
    positive: str | int = ""

    summary: ClassVar[str] = "texts, text pairs or image paths in a CSV, TSV, JSON, Parquet or Excel file"

    def load(self, address: str, seed: int) -> Task:
        """Read the table once; a small file stays in memory."""
        shares = Shares(self.val, self.test)
        form = LabelForm(parse_kind(self.kind), self.label_separator or None, self.missing)
        table, official = self._read(path_of(self.name))
        embedded = embedded_columns(table.paths)
        image = self.image if self.text or self.words else self.image or next(iter(embedded), None)
        named = NamedColumns(self.text, self.text2, image, self.label, self.split, self.words, self.slices)
        beside = table.paths[0].absolute().parent
        try:
            columns, labelled = labelled_rows(table, named, form, official)
        except UnreadableTask:
            found = (
                None if image or self.text or self.words else column_of_files(table, beside, beside.parent)
            )
            if found is None:
                raise
            columns, labelled = labelled_rows(table, named._replace(image=found), form, official)
        limits = ExampleLimits(self.limit)
        if columns.image is not None:
            if columns.image in embedded:
                labelled = with_file(table, columns.image, labelled)
                files = stored(EmbeddedFiles.of(table, columns.image), embedded[columns.image])
            else:
                listed, labelled = listed_files(table, columns.image, labelled, beside, beside.parent)
                are_sounds = any(map(is_sound, listed.names)) and not any(map(is_image, listed.names))
                files = stored(listed, Modality.AUDIO if are_sounds else Modality.IMAGE)
            gathered = gather_files(files, labelled, self.unreadable, limits, seed)
            gathered = replace(gathered, inputs=columns.inputs)
        else:
            gathered = gather_texts(table, columns, labelled, form.marks)
        gathered = with_positive(gathered, self.positive, self.metric)
        task = assemble(gathered, address, shares=shares, metric=self.metric, seed=seed, limits=limits)
        sliced = (self.slices,) if isinstance(self.slices, str) else self.slices or ()
        others = [name for name in table.head() if name not in sliced]
        return replace(task, columns=columns.described(others, str(task.modality)))

    def _read(self, path: Path) -> tuple[TextTable, np.ndarray | None]:
        form = TableFormat(self.delimiter, self.encoding, self.sheet, self.unreadable)
        if not path.is_dir():
            return read_table([path], form), None
        found = split_tables(path)
        table = read_table(found.paths, form)
        return replace(table, notes=(*found.notes, *table.notes)), table.of_files(found.parts)
