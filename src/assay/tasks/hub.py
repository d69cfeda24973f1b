"""Data sets of the Hugging Face hub, and local folders in its formats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from assay.core.errors import UnknownName, UnreadableTask, UsageError
from assay.core.task import Task, TaskSource
from assay.encoders.hub import settle_hub
from assay.readers.assembly import assemble
from assay.readers.gathered import Gathered
from assay.readers.gathering import (
    LabelForm,
    LabelledRows,
    Limits,
    gather_images,
    gather_texts,
    labelled_rows,
    limited_parts,
    rows_within,
)
from assay.readers.guess import Columns, Wanted, choose_columns
from assay.readers.hub import Wish, open_hub
from assay.readers.hub_rows import file_columns, files_of, table_of, with_labels
from assay.readers.labelling import parse_kind
from assay.readers.splits import Shares, part_of
from assay.readers.tables import Table
from assay.readers.texts import digest_texts

if TYPE_CHECKING:
    from datasets import Dataset


@dataclass(frozen=True, slots=True)
class Hub(TaskSource):
    """A data set that the package ``datasets`` opens: of the hub, or a folder.

    It has images, texts, pairs of texts or labelled words. Columns are guessed where they are not named, and
    said. The splits train, validation (or val, dev) and test are the official ones; one without labels is
    left out.

    Attributes:
        name: ``user/name`` on the hub, or a folder: what ``save_to_disk`` wrote, or files of a data set.
        config: One of its configurations, often a language.
        revision: A commit, tag or branch.
        split: Only this split, which is then cut.
        text: The column of texts.
        text2: The second column of pairs of texts.
        image: The column of images.
        words: The column of texts that are cut into words.
        label: The column of labels, or several.
        label_separator: What parts the classes of a cell that holds several; lists need none.
        slices: A column by which results on test are told apart, or several: language, source, camera, ...
        kind: ``classification``, ``multilabel``, ``regression`` or ``tokens``; guessed from the labels.
        val: The share of val where there is no official split.
        test: The share of test where there is no official split.
        metric: The main metric; accuracy, macro F1 or Spearman correlation by the kind.
        limit: At most so many examples, the same share of each class and official split.
        train_limit: At most so many examples of train and val.
        streaming: Load no more of each split than ``limit`` rows, shuffled among the first 10,000.
        unreadable: The share of images that may be broken; one may always be, unless this is 0.
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

    summary: ClassVar[str] = "a data set of the Hugging Face hub, or a local folder in its formats"
    packages: ClassVar[tuple[str, ...]] = ("datasets",)

    def load(self, address: str, seed: int) -> Task:
        """Download the data set, unless it is cached or local, and read it once."""
        shares = Shares(self.val, self.test)
        form = LabelForm(parse_kind(self.kind), self.label_separator or None)
        splits, notes = self._splits(address, seed)
        table = table_of(splits)
        wanted = self._wanted(next(iter(splits.values())))
        columns = choose_columns(self.name, table.head(), wanted, form.kind)
        kept = with_labels(splits, table, columns.labels)
        if len(kept) < len(splits):
            hidden = [name for name in splits if name not in kept]
            notes += (f"'{hidden[0]}' has no labels and is left out.",)
            splits = {name: splits[name] for name in kept}
            table = table_of(splits)
        found = labelled_rows(table, wanted, form, _given(splits, table))
        gathered = self._gather(splits, table, found, seed)
        is_guessed = wanted._replace(slices=None) == Wanted(image=wanted.image)
        told = _told(found.columns) if is_guessed else ()
        gathered = replace(gathered, notes=(*told, *notes, *gathered.notes))
        return assemble(gathered, address, shares=shares, metric=self.metric, seed=seed)

    def _splits(self, address: str, seed: int) -> tuple[Mapping[str, Dataset], tuple[str, ...]]:
        """Return the splits that count, in their order, and what is to be said of them."""
        if self.streaming and self.limit is None:
            raise UsageError("streaming=True needs a limit of rows. Write for example limit=5000.")
        if not Path(self.name).expanduser().is_dir():
            settle_hub()
        stream = self.limit if self.streaming else None
        opened = open_hub(Wish(self.name, self.config, self.revision, stream, seed, address))
        notes: tuple[str, ...] = (
            ("It is streamed: of each split the first rows count, shuffled within 10,000.",) if stream else ()
        )
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

    def _wanted(self, split: Dataset) -> Wanted:
        images = [name for name, kind in file_columns(split).items() if kind == "image"]
        given = self.image or self.text or self.words
        image = images[0] if images and not given else self.image
        return Wanted(self.text, self.text2, image, self.label, words=self.words, slices=self.slices)

    def _gather(
        self, splits: Mapping[str, Dataset], table: Table, found: LabelledRows, seed: int
    ) -> Gathered:
        limits, shares = Limits(self.limit, self.train_limit), Shares(self.val, self.test)
        if found.columns.image is None:
            return limited_parts(gather_texts(table, found), limits, shares, seed)
        names = digest_texts(table.row_name(int(row)) for row in found.rows)
        rows = rows_within(names, found.labels, found.given, limits, seed)
        files = files_of(splits, table, found.columns.image, found.rows[rows])
        given = None if found.given is None else found.given[rows]
        slices = tuple(one.of(rows) for one in found.slices)
        gathered = gather_images(files, found.labels.of(rows), given, self.unreadable, slices)
        return replace(gathered, notes=(*found.notes, *gathered.notes))


def _given(splits: Mapping[str, Dataset], table: Table) -> np.ndarray | None:
    """Return the official split of each row; None where there is one split only, which is cut."""
    parts = [part_of(name) for name in splits]
    if len(parts) == 1:
        return None
    sizes = np.diff([*table.starts, len(table)])
    return np.repeat([int(part) for part in parts if part is not None], sizes)


def _told(columns: Columns) -> tuple[str, ...]:
    """Say which columns were chosen."""
    read = columns.texts or ((columns.image,) if columns.image else (columns.words,))
    named = " and ".join(f"'{name}'" for name in read)
    labels = " and ".join(f"'{name}'" for name in columns.labels)
    return (f"The examples are in {named}, the labels in {labels}.",)
