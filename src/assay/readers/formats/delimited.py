"""CSV and TSV files: detects delimiter and quotation marks, and counts malformed rows."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from assay.core.errors import UnreadableTask, UsageError
from assay.core.text import plural
from assay.readers.bounded import lines_of
from assay.readers.formats.encodings import decoded_lines, find_encoding
from assay.readers.formats.header_rows import COMMENT, lines_before_header, numbers_rows, without_sum
from assay.readers.formats.quotes import RowCells, quoted_rows
from assay.readers.formats.row_places import RowPlaces
from assay.readers.formats.table_file import (
    DETECTED,
    Note,
    Row,
    TableFile,
    TableFormat,
    batches,
    different_names,
    ignored,
)

_CELL_CHARACTERS = 1 << 26  # the csv module refuses cells above 128 KiB; whole documents are larger
_SNIFFED_LINES = 2000
_SNIFFED_CHARACTERS = 1 << 16
_SNIFFED_ROWS = 50
_DELIMITERS = (",", "\t", ";", "|")
_SHOWN = 5  # rows in a message
_SEPARATOR = re.compile(r'"?sep=(.)"?\r?\n?', re.IGNORECASE)  # the first line of a file that Excel wrote
_RULE = re.compile(r"\s*(:?-{2,}:?|={2,})?\s*")  # a cell of a line between header and rows, as in Markdown
_ESCAPED = re.compile(r'(?<!\\)((?:\\\\)*)\\"')  # a quotation mark behind a backslash


class Dialect(NamedTuple):
    """The format of a delimited file."""

    encoding: str
    delimiter: str
    quoted: bool  # False if quotation marks are ordinary characters
    escaped: bool = False  # True if \" is a quotation mark inside a cell
    trimmed: bool = False  # True if spaces behind a delimiter are left out
    skipped: int = 0  # lines before the header
    numbered: bool = False  # True if rows begin with their number, and the header has no name for it


def sniff(path: Path, form: TableFormat = DETECTED, note: Note = ignored) -> Dialect:
    """Detect the encoding, the delimiter, whether cells are quoted and how, and the line of the header.

    ``csv.Sniffer`` is misled by texts: ``test_quotes_and_lists_in_texts_do_not_hide_the_delimiter`` in
    ``tests/readers/test_rows.py`` has files that it misreads.
    """
    delimiter = form.delimiter
    if delimiter is not None and len(delimiter) != 1:
        raise UsageError(
            f"The delimiter '{delimiter}' is not one character. Write for example delimiter=';'."
        )
    encoding = find_encoding(path, path.name, form.encoding)
    if encoding.note:
        note(encoding.note)
    lines = _head(path, encoding.name)
    skipped = 0
    if lines and (named := _SEPARATOR.fullmatch(lines[0])):
        delimiter, skipped = delimiter or named[1], 1
    if delimiter is None:
        tabs = path.suffix.lower() in {".tsv", ".tab"}
        rows = [line for line in lines if not COMMENT.match(line)] or lines
        delimiter = "\t" if tabs else max(_DELIMITERS, key=lambda delimiter: _agreement(rows, delimiter))
    skipped += lines_before_header(lines[skipped:], delimiter)
    lines = lines[skipped:]
    styles = [(escaped, trimmed) for trimmed in (False, True) for escaped in (False, True)]
    escaped, trimmed = max(styles, key=lambda style: _fitting(lines, delimiter, *style))
    raw = delimiter == "\t" and not encoding.name.startswith("utf-16") and _has_loose_quotes(path)
    numbered = numbers_rows(lines, delimiter)
    return Dialect(encoding.name, delimiter, not raw, escaped, trimmed, skipped, numbered)


def delimited(file: TableFile, form: TableFormat, note: Note, places: RowPlaces) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a CSV or TSV file; rows with a wrong number of cells are left out and counted.

    Args:
        file: The file.
        form: The user's settings of its format.
        note: Takes sentences about how it was read.
        places: Takes where its rows lie.

    Raises:
        UnreadableTask: The file has no rows, or more odd rows than the format allows.
    """
    dialect = sniff(file.path, form, note)
    csv.field_size_limit(_CELL_CHARACTERS)
    lines = decoded_lines(file.path, dialect.encoding, file.name, note)
    comments = [line for line in islice(lines, dialect.skipped) if line.strip()]
    if comments and not _SEPARATOR.fullmatch(comments[0]):
        lines_above = plural(len(comments), "line")
        note(f"{file.name} begins with {lines_above} before the names of its columns: left out.")
    if dialect.escaped:
        lines = (_ESCAPED.sub(r'\1""', line) for line in lines)
    header, after, height = _header(lines, dialect)
    if dialect.numbered:
        header = ["", *header]
        note(f"The rows of {file.name} begin with their number, for which its header has no name.")
    if not any(header):
        raise UnreadableTask(f"{file.name} has no names of columns. Write them in its first line.")
    names = [cell.strip() or f"column {position}" for position, cell in enumerate(header, 1)]
    names = different_names(names, file.name, note)
    rows = _Rows(file, names, dialect, form, header, places)
    before = dialect.skipped + height
    count = 0
    cells: Iterator[Row] = rows.read(after, header, before)
    for batch in batches(names, cells if form.keeps_rows else without_sum(cells, file.name, note)):
        count += batch.num_rows
        yield batch
    if not count and not rows.odd:
        raise UnreadableTask(f"{file.name} has a header and no rows.")
    rows.report(note)


def _header(lines: Iterator[str], dialect: Dialect) -> tuple[list[str], Iterator[str], int]:
    """Return the cells of the first row, the lines behind it, and its own number of lines."""
    taken: list[str] = []

    def recorded() -> Iterator[str]:
        for line in lines:
            taken.append(line)
            yield line

    if not dialect.quoted:
        return next(lines, "").rstrip("\r\n").split(dialect.delimiter), lines, 1
    reader = csv.reader(recorded(), delimiter=dialect.delimiter, skipinitialspace=dialect.trimmed)
    header = next(reader, [])
    alone = next(csv.reader(taken[:1], delimiter=dialect.delimiter), [])
    if len(taken) > 1 and len(header) != len(alone) > 1:  # a quotation mark that swallows rows
        return alone, chain(taken[1:], lines), 1
    return header, lines, len(taken)


class _Rows:
    """Reads the rows of a file below its header, and keeps which of them are odd."""

    def __init__(
        self,
        file: TableFile,
        names: Sequence[str],
        dialect: Dialect,
        form: TableFormat,
        header: Sequence[str],
        places: RowPlaces,
    ) -> None:
        self.file, self.names, self.dialect, self.form, self.places = file, names, dialect, form, places
        self.header = list(header) if len(names) > 1 and not form.keeps_rows else []
        self.headers: list[int] = []
        self.odd: list[str] = []
        self.loose: list[int] = []
        self.doubtful: list[str] = []
        self.count = 0

    def read(self, lines: Iterator[str], header: Sequence[str], before: int) -> Iterator[Row]:
        """Yield the rows with a cell for each name; an empty one where a column without a name ends early."""
        width = len(self.names)
        required = max((position for position, name in enumerate(header, 1) if name.strip()), default=0)
        for row in self._split(lines):
            cells, first, last = row.cells, row.first + before, row.last + before
            if self._is_no_row(cells, first):
                continue
            self.count += 1
            if not any(cells[width:]):
                cells = cells[:width]  # delimiters at the end of the line
            if required <= len(cells):
                cells = [*cells, *[""] * (width - len(cells))]
            if len(cells) != width:
                self._add_odd(cells, first, last)
                if self.form.keeps_rows:
                    self.places.add(self.count, first)
                    yield [None] * width
                continue
            self._keep_marks(row, before)
            self.places.add(self.count, first)
            yield cells

    def _is_no_row(self, cells: Sequence[str], line: int) -> bool:
        """Return whether a line is blank or repeats the header, as in joined files, and keep the line."""
        if not cells or (cells == [""] and len(self.names) > 1):  # of one column, it is an empty cell
            return True
        if self.header and not self.count and any(cells) and all(_RULE.fullmatch(cell) for cell in cells):
            return True
        if cells != self.header:
            return False
        self.headers.append(line)
        return True

    def _split(self, lines: Iterator[str]) -> Iterator[RowCells]:
        delimiter = self.dialect.delimiter
        if self.dialect.quoted:
            return quoted_rows(lines, delimiter, len(self.names), trim=self.dialect.trimmed)
        texts = (line.rstrip("\r\n") for line in lines)
        rows = (text.split(delimiter) if text else [] for text in texts)
        return (RowCells(cells, number, number) for number, cells in enumerate(rows, 1))

    def report(self, note: Note) -> None:
        """Note what is odd; raise if too many rows have a wrong number of cells."""
        name = self.file.name
        if self.headers:
            rows = "1 row is" if len(self.headers) == 1 else f"{len(self.headers)} rows are"
            note(f"{rows} the header of {name} again (first: line {self.headers[0]}): left out.")
        if self.loose:
            shown = ", ".join(map(str, self.loose[:_SHOWN])) + (", ..." if len(self.loose) > _SHOWN else "")
            lines = f"line {shown}" if len(self.loose) == 1 else f"lines {shown}"
            note(f"A quotation mark in {lines} of {name} encloses no cell: it is read as a letter.")
        if self.doubtful:
            note(
                f"{name}, {self.doubtful[0]} are read as one quoted cell. If each line is a row, "
                "delete the opening quotation mark."
            )
        if not self.odd:
            return
        allowed = max(1, int(self.form.ragged * self.count)) if self.form.ragged and self.count > 1 else 0
        such = f" ({len(self.odd)} such rows)" if len(self.odd) > 1 else ""
        if len(self.odd) > allowed:
            delimiter = {"\t": "\\t"}.get(self.dialect.delimiter, self.dialect.delimiter)
            raise UnreadableTask(
                f"{name}, {self.odd[0]}; the header has {len(self.names)}{such}. Put "
                f"quotation marks around cells that hold '{delimiter}', or write another delimiter='...'."
            )
        count = f"{len(self.odd)} of {self.count} rows"
        note(
            f"{count} of {name} have a wrong number of cells and are left out: {self.odd[0]}; "
            f"the header has {len(self.names)}."
        )

    def _keep_marks(self, row: RowCells, before: int) -> None:
        if row.is_loose:
            self.loose.append(row.first + before)
        if row.is_doubtful:
            self.doubtful.append(f"lines {row.first + before} to {row.last + before}")

    def _add_odd(self, cells: Sequence[str], first: int, last: int) -> None:
        lines = f"line {first}" if first == last else f"lines {first} to {last}"
        count = plural(len(cells), "cell")
        self.odd.append(f"row {self.count} ({lines}) has {count}")


def _head(path: Path, encoding: str) -> list[str]:
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        return file.read(_SNIFFED_CHARACTERS).splitlines(keepends=True)[:_SNIFFED_LINES]


def _agreement(lines: Sequence[str], delimiter: str) -> int:
    """Return the width of the header if most rows match it; a larger width is the better guess."""
    rows = [row for row in islice(csv.reader(lines, delimiter=delimiter), _SNIFFED_ROWS) if row]
    width = len(rows[0]) if rows else 0
    consistent = sum(len(row) == width for row in rows)
    return width if width > 1 and consistent >= 0.8 * len(rows) else 0


def _fitting(lines: Sequence[str], delimiter: str, escaped: bool, trimmed: bool) -> int:
    """Return how many rows are as wide as the header if read in a style."""
    if escaped:
        lines = [_ESCAPED.sub(r'\1""', line) for line in lines]
    rows = list(islice(csv.reader(lines, delimiter=delimiter, skipinitialspace=trimmed), _SNIFFED_ROWS * 4))
    return sum(len(row) == len(rows[0]) for row in rows)


def _has_loose_quotes(path: Path) -> bool:
    """Return whether quotation marks in a tab-separated file open cells without closing any."""
    loose = False
    with path.open("rb") as file:
        lines = lines_of(file, path.name)
        tabs = next(lines, b"").count(b"\t")
        for line in lines:
            if line.count(b"\t") != tabs and line.strip():
                return False  # a cell that spans lines needs quotes
            if not loose and b'"' in line:
                cells = line.rstrip(b"\r\n").split(b"\t")
                loose = any(cell.startswith(b'"') and not _is_closed(cell) for cell in cells)
    return loose


def _is_closed(cell: bytes) -> bool:
    return len(cell) > 1 and cell.endswith(b'"') and b'"' not in cell[1:-1].replace(b'""', b"")
