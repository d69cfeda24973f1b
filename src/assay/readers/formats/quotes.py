"""Splits lines into the cells of a CSV file; an unclosed quotation mark swallows no rows."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from typing import NamedTuple

_LINES = 5000  # of one cell; more are read as an open quotation mark
_CLASSES = 100  # a column with fewer distinct cells has classes


class RowCells(NamedTuple):
    """The cells of one row.

    Attributes:
        cells: As written, without the quotation marks that enclose them.
        first: Its first line in the file, from 1.
        last: Its last line.
        is_loose: Whether a quotation mark opened it that encloses nothing.
        is_doubtful: Whether it has several lines that might be rows.
    """

    cells: list[str]
    first: int
    last: int
    is_loose: bool = False
    is_doubtful: bool = False


class _Feed:
    """Lines that can be pushed back."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._returned: deque[str] = deque()
        self.taken: list[str] = []
        self.number = 0  # of the last line that was taken

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if len(self.taken) >= _LINES:
            raise StopIteration
        line = self._returned.popleft() if self._returned else next(self._lines)
        self.taken.append(line)
        self.number += 1
        return line

    def hand_back(self, lines: Sequence[str]) -> None:
        self._returned.extendleft(reversed(lines))
        self.number -= len(lines)


def quoted_rows(
    lines: Iterator[str], delimiter: str, width: int, *, trim: bool = False
) -> Iterator[RowCells]:
    """Yield the rows of lines, with or without quotation marks.

    A cell that spans lines is taken apart if its quotation mark is never closed properly and most of its
    lines are rows by themselves, or if all of them are, with cells in a column of classes seen before.

    Args:
        lines: Lines with their ends.
        delimiter: The cell delimiter.
        width: The number of cells of a row.
        trim: Whether spaces behind a delimiter are left out.
    """
    feed = _Feed(lines)
    reader = csv.reader(feed, delimiter=delimiter, strict=True, skipinitialspace=trim)
    seen = [set[str]() for _ in range(width)]
    while True:
        feed.taken = []
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            cells = None
        if cells is None or len(feed.taken) > 1:
            row = _resolved(feed, cells, delimiter, seen)
        else:
            row = RowCells(cells, feed.number, feed.number)
        if len(row.cells) == width:
            for column, cell in zip(seen, row.cells, strict=True):
                if len(column) < _CLASSES:
                    column.add(cell)
        yield row


def _resolved(feed: _Feed, cells: list[str] | None, delimiter: str, seen: Sequence[set[str]]) -> RowCells:
    """Return one row of several lines, or of a line with quotation marks out of place."""
    lines, width, first = feed.taken, len(seen), feed.number - len(feed.taken) + 1
    if len(lines) == 1:
        lenient = next(csv.reader(lines, delimiter=delimiter))
        raw = _raw(lines[0], delimiter)
        is_loose = len(lenient) != width and len(raw) == width
        return RowCells(raw if is_loose else lenient, first, first, is_loose)
    alone = [_alone(line, delimiter) for line in lines]
    fitting = sum(len(row) == width for row in alone)
    if cells is None:
        is_loose = len(alone[0]) == width and (fitting > len(lines) / 2 or not _is_closed(lines, delimiter))
        cells = next(csv.reader(lines, delimiter=delimiter))
    else:
        is_loose = fitting == len(lines) and (len(cells) != width or _repeat(alone, seen))
    if is_loose or (len(cells) != width and not _is_closed(lines, delimiter)):
        feed.hand_back(lines[1:])
        return RowCells(alone[0], first, first, is_loose=True)
    return RowCells(cells, first, feed.number, is_doubtful=len(lines) > 2 and fitting == len(lines))


def _alone(line: str, delimiter: str) -> list[str]:
    """Return the cells of a line by itself; its quotation marks are letters if they enclose nothing."""
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        return _raw(line, delimiter)


def _raw(line: str, delimiter: str) -> list[str]:
    return line.rstrip("\r\n").split(delimiter)


def _is_closed(lines: Sequence[str], delimiter: str) -> bool:
    """Return whether the quotation mark that opens a cell is closed, properly or not."""
    try:
        next(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error as error:
        return "unexpected end" not in str(error) and "larger than" not in str(error)
    return True


def _repeat(rows: Sequence[Sequence[str]], seen: Sequence[set[str]]) -> bool:
    """Return whether all rows have a cell of some column of classes that were seen before."""
    return any(
        len(classes) < _CLASSES and all(row[column] and row[column] in classes for row in rows)
        for column, classes in enumerate(seen)
    )
