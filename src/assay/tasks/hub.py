"""Tasks from data sets of the Hugging Face hub, or from local folders in its formats."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pyarrow as pa

from assay.core.errors import UnknownName, UnreadableTask, UsageError
from assay.core.paths import regular_bytes
from assay.core.task import Modality, Task
from assay.core.task_source import TaskSource
from assay.readers.assembly import assemble
from assay.readers.embedded_files import stored
from assay.readers.files import FileExamples, Files, FileState
from assay.readers.formats.embedded import with_names
from assay.readers.formats.parquet_rows import is_readable, text_column
from assay.readers.gathering import ExampleLimits, gather_files, gather_texts
from assay.readers.guess import choose_columns
from assay.readers.hub_datasets import DatasetRequest, arrow_batches, open_hub
from assay.readers.labelled_rows import LabelForm, labelled_rows
from assay.readers.labelling import parse_kind
from assay.readers.named_columns import NamedColumns
from assay.readers.positive_class import with_positive
from assay.readers.splits import Shares, part_of
from assay.readers.table_columns import TableColumns
from assay.readers.tables import TextTable, read_streams

if TYPE_CHECKING:
    from datasets import Dataset

_HIDDEN = frozenset({"", "-1", "-1.0"})  # placeholders for labels that are not public


@dataclass(frozen=True, slots=True)
class Hub(TaskSource):
    """A data set of the hub or a folder, opened by the package ``datasets``.

    It contains images, audio, texts, pairs of texts or labelled words. Unnamed columns are guessed, with a
    note. The splits train, validation (or val, dev) and test are the official splits; splits without labels
    are excluded.

    Attributes:
        name: ``user/name`` on the hub, or a folder written by ``save_to_disk`` or with data files.
        config: The configuration, often a language.
        revision: A commit, tag or branch.
        split: The only split to use, which is then split at random.
        text: The column of texts.
        text2: The second column of pairs of texts.
        image: The column of images.
        audio: The column of audio.
        words: The column of texts split into words.
        label: One or more label columns.
        label_separator: The separator of several classes in a cell; not needed for lists.
        slices: One or more columns by which test results are reported separately, such as language.
        kind: ``classification``, ``multilabel``, ``regression`` or ``tokens``; guessed from the labels.
        missing: What marks a missing label or text besides empty cells (and "NA" among numbers), as in
            ("?", "none").
        val: The fraction of val if there is no official split.
        test: The fraction of test if there is no official split.
        metric: The main metric; by default accuracy, macro F1 or Spearman correlation, by the kind.
        positive: The class of two whose F1 is judged; the second by name by default.
        limit: The maximum number of examples, stratified by class and official split.
        train_limit: The maximum number of examples of train and val.
        streaming: Stream only ``limit`` rows of each split, shuffled with a buffer of 10,000.
        unreadable: The maximum fraction of unreadable files; one is always allowed, unless it is 0.

    >>> from tempfile import TemporaryDirectory
    >>> from datasets import Dataset
    >>> texts, labels = [f"review {row}" for row in range(20)], ["good", "bad"] * 10
    >>> with TemporaryDirectory() as folder:
    ...     Dataset.from_dict({"text": texts, "label": labels}).save_to_disk(folder)
    ...     task = Hub(folder).load("hub:reviews", seed=0)
    >>> len(task.train), len(task.val), len(task.test), task.classes
    (12, 4, 4, ('bad', 'good'))
    """

    config: str | None = None
    revision: str | None = None
    split: str | None = None
    text: str | None = None
    text2: str | None = None
    image: str | None = None
    words: str | None = None
    label: str | tuple[str, ...] | None = None
    label_separator: str | None = None
    kind: str | None = None
    val: float = 0.2
    test: float = 0.2
    metric: str | None = None
    limit: int | None = None
    train_limit: int | None = None
    streaming: bool = False
    unreadable: float = 0.01
    slices: str | tuple[str, ...] | None = None
    audio: str | None = None
    missing: str | tuple[str, ...] = ()
    positive: str | int = ""

    summary: ClassVar[str] = "a data set of the Hugging Face hub, or a local folder in its formats"
    packages: ClassVar[tuple[str, ...]] = ("datasets",)

    def load(self, address: str, seed: int) -> Task:
        """Download the data set unless it is cached or local, and read it once."""
        shares = Shares(self.val, self.test)
        form = LabelForm(parse_kind(self.kind), self.label_separator or None, self.missing)
        splits, notes = self._splits(address, seed)
        table = table_of(splits)
        named = self._named(next(iter(splits.values())))
        labels = choose_columns(self.name, table.head(), named, form.kind).labels
        kept = with_labels(splits, table, labels)
        if len(kept) < len(splits):
            hidden = [name for name in splits if name not in kept]
            notes += (f"'{hidden[0]}' has no labels and is left out.",)
            splits = {name: splits[name] for name in kept}
            table = table_of(splits)
        columns, labelled = labelled_rows(table, named, form, _given(splits, table))
        if named._replace(slices=None) == NamedColumns(image=named.image):
            notes = (_guessed_note(columns), *notes)
        labelled = replace(labelled, notes=(*notes, *labelled.notes))
        limits = ExampleLimits(self.limit, self.train_limit)
        if columns.image is not None:
            files = self._files(splits, HubFiles(tuple(splits.values()), table, columns.image))
            gathered = gather_files(files, labelled, self.unreadable, limits, seed)
            gathered = replace(gathered, inputs=columns.inputs)
        else:
            gathered = gather_texts(table, columns, labelled, form.marks)
        gathered = with_positive(gathered, self.positive, self.metric)
        return assemble(gathered, address, shares=shares, metric=self.metric, seed=seed, limits=limits)

    def _splits(self, address: str, seed: int) -> tuple[Mapping[str, Dataset], tuple[str, ...]]:
        """Return the splits to use, in order, and notes about them."""
        if self.streaming and self.limit is None:
            raise UsageError("streaming=True needs a limit of rows. Write for example limit=5000.")
        stream = self.limit if self.streaming else None
        request = DatasetRequest(self.name, self.config, self.revision, stream, seed, address)
        opened, notes = open_hub(request)
        if stream:
            notes += ("It is streamed: of each split the first rows count, shuffled within 10,000.",)
        if self.split is not None:
            if self.split not in opened:
                raise UnknownName(f"split of '{self.name}'", self.split, opened)
            return {self.split: opened[self.split]}, notes
        named = {name: split for name, split in opened.items() if part_of(name) is not None}
        if not named and len(opened) > 1:
            raise UnreadableTask(
                f"'{self.name}' has the splits {', '.join(opened)}: none is called train. Name one, as in "
                f"split='{next(iter(opened))}': it is then cut."
            )
        others = [name for name in opened if name not in named] if named else []
        if others:
            notes += (f"The split '{others[0]}' is ignored: name it, as in split='{others[0]}', to use it.",)
        return named or opened, notes

    def _named(self, split: Dataset) -> NamedColumns:
        files = self.image or self.audio
        if not (files or self.text or self.words):
            files = next(iter(file_columns(split)), None)
        return NamedColumns(self.text, self.text2, files, self.label, words=self.words, slices=self.slices)

    def _files(self, splits: Mapping[str, Dataset], files: HubFiles) -> FileExamples:
        modality = file_columns(next(iter(splits.values()))).get(files.column)
        if modality is None:
            raise UnreadableTask(
                f"'{files.column}' of '{self.name}' holds no files. Write text='{files.column}'."
            )
        return stored(files, modality)


def _given(splits: Mapping[str, Dataset], table: TextTable) -> np.ndarray | None:
    """Return the official split of each row; None for a single split, which is split at random."""
    parts = [part_of(name) for name in splits]
    if len(parts) == 1:
        return None
    return table.of_files([int(part) for part in parts if part is not None])


def _guessed_note(columns: TableColumns) -> str:
    """Return notes about the chosen columns."""
    read = columns.texts or ((columns.image,) if columns.image else (columns.words,))
    named = " and ".join(f"'{name}'" for name in read)
    labels = " and ".join(f"'{name}'" for name in columns.labels)
    return f"The examples are in {named}, the labels in {labels}."


@dataclass(frozen=True, slots=True)
class HubFiles(Files):
    """The images or audio files in a column, concatenated over splits."""

    splits: tuple[Dataset, ...]
    table: TextTable  # with the same rows
    column: str

    def __len__(self) -> int:
        return len(self.table)

    def content(self, row: int) -> bytes:
        """Return the bytes of one file."""
        split, position = self.table.position(row)
        cell = self.splits[split][position][self.column]
        if cell is None or (cell["bytes"] is None and not cell["path"]):
            raise FileNotFoundError
        return cell["bytes"] if cell["bytes"] is not None else regular_bytes(cell["path"])

    def name(self, row: int) -> str:
        """Return the number of the row."""
        return self.table.row_name(row)

    def state(self, row: int) -> FileState | None:
        """Return None: rows lie in files of the package datasets."""
        return None


def file_columns(split: Dataset) -> dict[str, Modality]:
    """Return the columns of files with their modality."""
    import datasets

    kinds = {datasets.Image: Modality.IMAGE, datasets.Audio: Modality.AUDIO}
    features = split.features.items()
    return {name: kinds[type(feature)] for name, feature in features if type(feature) in kinds}


def table_of(splits: Mapping[str, Dataset]) -> TextTable:
    """Return a table of all columns that can be converted to strings; file columns become row numbers.

    Labels are class names if the data set has them; negative labels are missing.
    """
    return read_streams({Path(name): partial(_text_batches, split) for name, split in splits.items()})


def with_labels(splits: Mapping[str, Dataset], table: TextTable, columns: Sequence[str]) -> list[str]:
    """Return the splits with any labels; the other splits have hidden labels.

    Raises:
        UnreadableTask: No split has labels.
    """
    has_label = np.zeros(len(table), dtype=bool)
    for column in columns:
        names, codes = table.coded(column)
        has_label |= np.array([name not in _HIDDEN for name in [*names, ""]])[codes]
    parts = np.split(has_label, table.starts[1:])
    kept = [name for name, part in zip(splits, parts, strict=True) if part.any()]
    if not kept:
        raise UnreadableTask(f"No row has a label in '{columns[0]}'. Name another column, as in label='...'.")
    return kept


def _text_batches(split: Dataset) -> Iterator[pa.RecordBatch]:
    files = file_columns(split)
    readable = [field.name for field in split.features.arrow_schema if is_readable(field.type)]
    writers = {name: _writer(split.features[name]) for name in readable}
    row = 0
    rows = split.select_columns(readable) if readable else split
    for batch in arrow_batches(rows):
        cells = {name: write(batch[name]) for name, write in writers.items()}
        numbers = pa.array([str(number) for number in range(row, row + len(batch))], pa.string())
        cells |= dict.fromkeys(files, numbers)
        row += len(batch)
        yield pa.record_batch(list(cells.values()), names=list(cells))


def _writer(feature: Any) -> Callable[[pa.Array], pa.Array]:
    """Return a converter of a column's cells to strings: class names, JSON lists, or plain values."""
    import datasets

    items = feature if isinstance(feature, datasets.ClassLabel) else getattr(feature, "feature", None)
    if isinstance(items, datasets.ClassLabel):
        names = items.names
        return lambda column: text_column(with_names(column, names))
    return text_column
