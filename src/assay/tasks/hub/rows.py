"""Rows of a data set of the hub: what can be written as text as a table, images as they are stored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from assay.core.errors import UnreadableTask
from assay.core.task import Modality
from assay.readers.files import Files
from assay.readers.hub import arrow_batches
from assay.readers.rows import is_readable, text_column
from assay.readers.tables import TextTable, read_streams

if TYPE_CHECKING:
    from datasets import Dataset

_HIDDEN = frozenset({"", "-1", "-1.0"})  # what is written for a label that is not public


@dataclass(frozen=True, slots=True)
class HubFiles(Files):
    """What a column of files holds, images or sounds, in the rows of one split after the other."""

    splits: tuple[Dataset, ...]
    table: TextTable  # of the same rows
    column: str

    def __len__(self) -> int:
        return len(self.table)

    def content(self, row: int) -> bytes:
        """Return one file as it is stored."""
        split, position = self.table.position(row)
        cell = self.splits[split][position][self.column]
        if cell is None:
            raise FileNotFoundError
        return cell["bytes"] if cell["bytes"] is not None else Path(cell["path"]).read_bytes()

    def name(self, row: int) -> str:
        """Return the number of the row."""
        return self.table.row_name(row)


def file_columns(split: Dataset) -> dict[str, Modality]:
    """Return the columns that hold files, with what these are."""
    import datasets

    kinds = {datasets.Image: Modality.IMAGE, datasets.Audio: Modality.AUDIO}
    features = split.features.items()
    return {name: kinds[type(feature)] for name, feature in features if type(feature) in kinds}


def table_of(splits: Mapping[str, Dataset]) -> TextTable:
    """Return a table of all columns that can be written as text; a column of files holds numbers of rows.

    Labels are named where the data set names them; one below 0 is none.
    """
    return read_streams({Path(name): partial(_text_batches, split) for name, split in splits.items()})


def with_labels(splits: Mapping[str, Dataset], table: TextTable, columns: Sequence[str]) -> list[str]:
    """Return the splits in which any row has a label; those of the others are hidden.

    Raises:
        UnreadableTask: None has.
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
    """Return what writes the cells of a column as texts: names of classes, lists as JSON, and all others."""
    import datasets

    if isinstance(feature, datasets.ClassLabel):
        return partial(_class_names, feature.names)
    items = getattr(feature, "feature", None)
    if isinstance(items, datasets.ClassLabel):
        return partial(_lists_of_class_names, items.names)
    return text_column


def _class_names(names: Sequence[str], column: pa.Array) -> pa.Array:
    return pa.array([_name(names, code) for code in column.to_pylist()], pa.string())


def _lists_of_class_names(names: Sequence[str], column: pa.Array) -> pa.Array:
    lists = [codes and [_name(names, code) for code in codes] for codes in column.to_pylist()]
    return text_column(pa.array(lists, pa.list_(pa.string())))


def _name(names: Sequence[str], code: int | None) -> str | None:
    return names[code] if code is not None and code >= 0 else None
