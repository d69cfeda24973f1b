"""Streams the rows of CSV, TSV, JSON-lines and Parquet files as string columns."""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from assay.core.errors import UnreadableTask, UsageError

SUFFIXES = (".csv", ".tsv", ".tab", ".txt", ".jsonl", ".ndjson", ".json", ".parquet", ".pq")

_ROWS = 8192  # rows and characters turned to Arrow at a time: they bound the memory of a stream
_CHARACTERS = 1 << 21
_HEAD = 1000  # the keys in this many JSON lines are the columns
_CELL_CHARACTERS = 1 << 26  # the csv module refuses cells above 128 KiB; whole documents are larger
_PARQUET_ROWS = 1024
_SNIFFED_BYTES = 1 << 16
_SNIFFED_ROWS = 50
_DELIMITERS = (",", "\t", ";", "|")


def stream(path: Path, delimiter: str | None = None) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a file in batches of string columns, with null for empty cells.

    Args:
        path: A file whose suffix determines the format.
        delimiter: The cell delimiter of a CSV file; None to detect it.

    Raises:
        UnreadableTask: The file is empty or broken; the message names the file and the row.
    """
    if not path.is_file():
        raise UnreadableTask(f"There is no file {path}. Check the path after 'table:'.")
    if path.stat().st_size == 0:
        raise UnreadableTask(f"{path} is empty.")
    suffix = path.suffix.lower()
    if suffix in {".parquet", ".pq"}:
        return _parquet(path)
    if suffix in {".jsonl", ".ndjson", ".json"}:
        return _json_lines(path)
    if suffix in SUFFIXES:
        return _delimited(path, delimiter)
    raise UnreadableTask(f"Cannot read {path}: its name must end in one of {', '.join(SUFFIXES)}.")


class Dialect(NamedTuple):
    """The format of a delimited file."""

    encoding: str
    delimiter: str
    quoted: bool  # False if quotation marks are ordinary characters


def sniff(path: Path, delimiter: str | None = None) -> Dialect:
    """Detect the delimiter, the encoding, and whether cells are quoted.

    ``csv.Sniffer`` is misled by texts: ``test_quotes_and_lists_in_texts_do_not_hide_the_delimiter`` in
    ``tests/readers/test_rows.py`` has files that it misreads.
    """
    if delimiter is not None and len(delimiter) != 1:
        raise UsageError(
            f"The delimiter '{delimiter}' is not one character. Write for example delimiter=';'."
        )
    with path.open("rb") as file:
        head = file.read(_SNIFFED_BYTES)
    wide = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = "utf-16" if wide else "utf-8-sig"
    lines = head.decode(encoding, errors="replace").splitlines(keepends=True)
    if delimiter is None:
        tabs = path.suffix.lower() in {".tsv", ".tab"}
        delimiter = "\t" if tabs else max(_DELIMITERS, key=lambda delimiter: _agreement(lines, delimiter))
    raw = delimiter == "\t" and not wide and _has_loose_quotes(path)
    return Dialect(encoding, delimiter, not raw)


def _agreement(lines: Sequence[str], delimiter: str) -> int:
    """Return the width of the header if most rows match it; a larger width is the better guess."""
    rows = [row for row in islice(csv.reader(lines, delimiter=delimiter), _SNIFFED_ROWS) if row]
    width = len(rows[0]) if rows else 0
    consistent = sum(len(row) == width for row in rows)
    return width if width > 1 and consistent >= 0.8 * len(rows) else 0


def _has_loose_quotes(path: Path) -> bool:
    """Return whether quotation marks in a tab-separated file open cells without closing any."""
    loose = False
    with path.open("rb") as file:
        tabs = file.readline().count(b"\t")
        for line in file:
            if line.count(b"\t") != tabs and line.strip():
                return False  # a cell that spans lines needs quotes
            if not loose and b'"' in line:
                cells = line.rstrip(b"\r\n").split(b"\t")
                loose = any(cell.startswith(b'"') and not _is_closed(cell) for cell in cells)
    return loose


def _is_closed(cell: bytes) -> bool:
    return len(cell) > 1 and cell.endswith(b'"') and b'"' not in cell[1:-1].replace(b'""', b"")


def _delimited(path: Path, delimiter: str | None) -> Iterator[pa.RecordBatch]:
    encoding, delimiter, quoted = sniff(path, delimiter)
    csv.field_size_limit(_CELL_CHARACTERS)
    with path.open(encoding=encoding, errors="surrogateescape", newline="") as file:
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quoted else csv.QUOTE_NONE
        reader = csv.reader(file, delimiter=delimiter, quoting=quoting)
        names = _column_names(path, next(reader, []))
        number, line = 0, reader.line_num

        def rows() -> Iterator[list[str]]:
            nonlocal number, line
            for cells in _cells(reader, path):
                if cells:
                    number += 1
                    if len(cells) != len(names):
                        raise _ragged(path, names, cells, (number, line + 1, reader.line_num), delimiter)
                    yield cells
                line = reader.line_num

        for group in _groups(rows()):
            yield _batch(path, names, group, number)
        if not number:
            raise UnreadableTask(f"{path} has a header and no rows.")


def _groups(rows: Iterable[Sequence[str | None]]) -> Iterator[list[Sequence[str | None]]]:
    """Group rows up to a maximum count or size."""
    group: list[Sequence[str | None]] = []
    held = 0
    for row in rows:
        group.append(row)
        held += sum(len(cell) for cell in row if cell)
        if len(group) == _ROWS or held >= _CHARACTERS:
            yield group
            group, held = [], 0
    if group:
        yield group


def _cells(reader: Iterator[list[str]], path: Path) -> Iterator[list[str]]:
    try:
        yield from reader
    except csv.Error as error:
        line = getattr(reader, "line_num", 0)
        raise UnreadableTask(
            f"{path.name}, line {line}: {error}. Perhaps a quotation mark before it is never closed."
        ) from error


def _column_names(path: Path, header: Sequence[str]) -> list[str]:
    names = [cell.strip() or f"column {position}" for position, cell in enumerate(header, 1)]
    if not header:
        raise UnreadableTask(f"{path} begins with an empty line; its first line must name the columns.")
    if len(set(names)) != len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UnreadableTask(f"{path.name} has two columns called '{twice}'. Rename one of them.")
    if any(not _is_text(name) for name in names):
        raise _encoding_error(path, "the header", next(name for name in names if not _is_text(name)))
    return names


def _ragged(
    path: Path, names: Sequence[str], cells: Sequence[str], where: tuple[int, int, int], delimiter: str
) -> UnreadableTask:
    number, first, last = where
    lines = f"line {first}" if first == last else f"lines {first} to {last}"
    count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
    shown = {"\t": "\\t"}.get(delimiter, delimiter)
    hint = (
        f"Perhaps a quotation mark in line {first} is never closed."
        if first != last
        else f"Put quotation marks around cells that hold '{shown}', or write another delimiter='...'."
    )
    return UnreadableTask(
        f"{path.name}, row {number} ({lines}) has {count}; the header has {len(names)}. {hint}"
    )


def _batch(
    path: Path, names: Sequence[str], rows: Sequence[Sequence[str | None]], last: int
) -> pa.RecordBatch:
    try:
        columns = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
    except UnicodeEncodeError as error:
        for number, cells in enumerate(rows, last - len(rows) + 1):
            for cell in cells:
                if cell is not None and not _is_text(cell):
                    raise _encoding_error(path, f"row {number}", cell) from error
        raise
    return pa.record_batch(columns, names=list(names))


def _is_text(cell: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in cell)


def _encoding_error(path: Path, where: str, cell: str) -> UnreadableTask:
    letter = next(letter for letter in cell if not _is_text(letter))
    return UnreadableTask(
        f"{path.name}, {where} is not UTF-8: byte 0x{ord(letter) & 0xFF:02X} in "
        f"'{cell[:40].encode('utf-8', 'replace').decode()}'. Save the file as UTF-8."
    )


def _json_lines(path: Path) -> Iterator[pa.RecordBatch]:
    with path.open("rb") as file:
        objects = _objects(file, path)
        head = list(islice(objects, _HEAD))
        names = list(dict.fromkeys(key for row in head for key in row))  # later keys are ignored
        if not names:
            raise UnreadableTask(f"{path} has no rows.")
        last = 0
        rows = ([_as_text(row.get(name)) for name in names] for row in chain(head, objects))
        for group in _groups(rows):
            last += len(group)
            yield _batch(path, names, group, last)


def _objects(file: BinaryIO, path: Path) -> Iterator[dict[str, object]]:
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode("utf-8-sig"))
        except UnicodeDecodeError as error:
            raise UnreadableTask(
                f"{path.name}, line {number} is not UTF-8. Save the file as UTF-8."
            ) from error
        except ValueError as error:
            raise UnreadableTask(
                f"{path.name}, line {number} is not JSON: {error}. Write one object a line."
            ) from error
        if not isinstance(row, dict):
            raise UnreadableTask(
                f"{path.name}, line {number} is not an object. "
                'Write one object a line, as in {"text": "...", "label": "..."}.'
            )
        yield row


def _as_text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)


def _parquet(path: Path) -> Iterator[pa.RecordBatch]:
    try:
        with pq.ParquetFile(path) as file:
            names = [field.name for field in file.schema_arrow if is_readable(field.type)]
            for batch in file.iter_batches(batch_size=_PARQUET_ROWS, columns=names):
                columns = [text_column(column) for column in batch.columns]
                yield pa.record_batch(columns, names=names)
    except pa.ArrowException as error:
        raise UnreadableTask(f"Cannot read {path} as Parquet: {error}") from error


def text_column(column: pa.Array) -> pa.Array:
    """Return the cells of a column as strings; lists become JSON."""
    if _is_list(column.type):
        return pa.array([_as_text(cell) for cell in column.to_pylist()], pa.string())
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    return column.cast(pa.string())


def is_readable(kind: pa.DataType) -> bool:
    """Return whether the cells of a column can be converted to strings."""
    return _is_plain(kind) or _is_list(kind)


def _is_list(kind: pa.DataType) -> bool:
    """Return whether the cells of a column are lists of strings or integers, which become JSON."""
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    items = (pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_dictionary)
    return any(is_one(kind) for is_one in lists) and any(is_one(kind.value_type) for is_one in items)


def _is_plain(kind: pa.DataType) -> bool:
    """Return whether the cells of a column are scalars that can be converted to strings."""
    if pa.types.is_dictionary(kind):
        return _is_plain(kind.value_type)
    return not (pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind))
