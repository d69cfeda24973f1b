"""Streams the rows of table files as string columns: CSV, JSON, Parquet, Arrow, sheets, compressed or not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from assay.core.errors import UnreadableTask
from assay.core.paths import beside
from assay.core.size_limits import too_many_bytes
from assay.readers.formats import suffixes
from assay.readers.formats.compressed import unpacked
from assay.readers.formats.delimited import delimited
from assay.readers.formats.fasttext import fasttext_rows, is_fasttext
from assay.readers.formats.json_rows import json_rows
from assay.readers.formats.parquet_rows import arrow_rows, parquet_rows
from assay.readers.formats.row_places import RowPlaces
from assay.readers.formats.sheets import sheet_rows
from assay.readers.formats.table_file import DETECTED, Note, TableFormat, ignored


def stream(
    path: Path, form: TableFormat = DETECTED, note: Note = ignored, places: RowPlaces | None = None
) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file in batches of string columns, with null or "" for empty cells.

    Args:
        path: A file whose suffix determines the format.
        form: The user's settings of the format.
        note: Takes sentences about how the file was read, the last of them at its end.
        places: Takes where the rows of a delimited file lie.

    Raises:
        UnreadableTask: The file is empty or broken; the message names the file and the row.
    """
    if not path.is_file():
        raise UnreadableTask(f"There is no file {path}. {beside(path) or 'Check the path.'}")
    if path.stat().st_size == 0:
        raise UnreadableTask(f"{path} is empty.")
    _require_content(path)
    if not path.name.lower().endswith((*suffixes.PLAIN, *suffixes.PACKED)):
        raise UnreadableTask(
            f"Cannot read {path}: its name must end in one of {', '.join(suffixes.PLAIN)}, or in one of "
            f"{', '.join(suffixes.PACKED)}."
        )
    read = 0
    try:
        for batch in _batches(path, form, note, places or RowPlaces()):
            read += batch.nbytes
            if reason := too_many_bytes(path.stat().st_size, read):
                raise UnreadableTask(f"{path} is not read on: {reason}.")
            yield batch
    except RecursionError as error:
        raise UnreadableTask(
            f"{path} is nested too deeply. Write one object a line, with cells in it."
        ) from error


def _batches(path: Path, form: TableFormat, note: Note, places: RowPlaces) -> Iterator[pa.RecordBatch]:
    with unpacked(path) as file:
        if file.suffix in suffixes.PARQUET:
            yield from parquet_rows(file, note)
        elif file.suffix in suffixes.ARROW:
            yield from arrow_rows(file, note)
        elif file.suffix in suffixes.JSON:
            yield from json_rows(file, form, note)
        elif file.suffix in suffixes.SHEETS:
            yield from sheet_rows(file, form, note)
        elif file.suffix == ".txt" and is_fasttext(file.path):
            yield from fasttext_rows(file, form, note)
        else:
            yield from delimited(file, form, note, places)


def _require_content(path: Path) -> None:
    """Raise if a file is what a failed download leaves under the name of another."""
    with path.open("rb") as file:
        head = file.read(64).lstrip(b"\xef\xbb\xbf \r\n\t").lower()
    if head.startswith(b"version https://git-lfs"):
        raise UnreadableTask(f"{path} is a pointer of Git LFS, not the file. Fetch it with: git lfs pull")
    if head.startswith((b"<!doctype html", b"<html")):
        raise UnreadableTask(
            f"{path} is a web page, such as a sign-in. Download the file itself, or save a "
            "table in it as CSV with a spreadsheet program."
        )
