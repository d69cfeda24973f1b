"""Rows of tab-separated files as GLUE distributes them: nothing is quoted, and some rows are cut off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import pyarrow as pa

from assay.core.errors import UnreadableTask

_ROWS = 8192  # turned to Arrow at a time


def stream_tsv(path: Path, columns: Sequence[str | int]) -> Iterator[pa.RecordBatch]:
    """Yield some columns of a file, by the numbers ("0", "1", ...) of the columns that were asked for.

    A row that is too short to have them all is a row of nulls: it has a number, and no label.

    Args:
        path: A file whose cells are parted by tabs, whatever stands in them.
        columns: Names in the first line; or positions from 0, if there is no such line.

    Raises:
        UnreadableTask: The first line lacks a column, or the file is not UTF-8.
    """
    with path.open(encoding="utf-8-sig", newline="\n") as file:
        try:
            places = [column if isinstance(column, int) else -1 for column in columns]
            if -1 in places:
                places = _places(path, file.readline(), columns)
            while lines := list(islice(file, _ROWS)):
                rows = [_chosen(line, places) for line in lines]
                cells = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
                yield pa.record_batch(cells, names=[str(number) for number in range(len(columns))])
        except UnicodeDecodeError as error:
            raise UnreadableTask(f"{path} is not UTF-8. Unpack it again.") from error


def _places(path: Path, line: str, columns: Sequence[str | int]) -> list[int]:
    if not line.strip():
        raise UnreadableTask(f"{path} has no row, not even one of names. Unpack it again.")
    header = line.rstrip("\r\n").split("\t")
    missing = [str(column) for column in columns if column not in header]
    if missing:
        raise UnreadableTask(
            f"{path} has no column '{missing[0]}' in its first line, which names {', '.join(header)[:200]}. "
            "Unpack the file as it is distributed."
        )
    return [header.index(str(column)) for column in columns]


def _chosen(line: str, places: Sequence[int]) -> list[str | None]:
    cells = line.rstrip("\r\n").split("\t")
    if len(cells) <= max(places):
        return [None] * len(places)
    return [cells[place] for place in places]
