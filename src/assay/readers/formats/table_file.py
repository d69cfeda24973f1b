"""A table file to read, the user's settings of its format, and batches of its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from assay.core.errors import UnreadableTask
from assay.core.size_limits import too_many_columns

_ROWS = 8192  # rows and characters turned to Arrow at a time: they bound the memory of a stream
_CHARACTERS = 1 << 21

Row = Sequence[str | None]
Note = Callable[[str], None]  # takes a sentence about how a file was read


class TableFormat(NamedTuple):
    """The user's settings of the format of a table.

    Attributes:
        delimiter: The cell delimiter of a CSV file; None to detect it.
        encoding: The encoding of a text file; None to detect it.
        sheet: The sheet of a spreadsheet; None for the only one.
        ragged: The maximum fraction of rows with a wrong number of cells; one is always allowed, unless 0.
        keeps_rows: Whether rows that a task leaves out stay, with empty cells, so that none shifts.
    """

    delimiter: str | None = None
    encoding: str | None = None
    sheet: str | None = None
    ragged: float = 0.01
    keeps_rows: bool = False


DETECTED = TableFormat()  # everything is found out


def ignored(_: str) -> None:
    """Drop a note."""


class TableFile(NamedTuple):
    """A file that holds a table.

    Attributes:
        path: Where its bytes are; a temporary file for one that was compressed.
        name: The name for messages.
        suffix: The suffix that names its format, in lower case.
    """

    path: Path
    name: str
    suffix: str


def batches(names: Sequence[str], rows: Iterable[Row]) -> Iterator[pa.RecordBatch]:
    """Yield rows as batches of string columns, of a bounded size."""
    for group in _groups(rows):
        columns = [pa.array(column, pa.string()) for column in zip(*group, strict=True)]
        yield pa.record_batch(columns, names=list(names))


def different_names(names: Sequence[str], file: str, note: Note) -> list[str]:
    """Return names of columns that differ; a name that comes again gets a number, and a note says so."""
    require_columns(len(names), file)
    different: dict[str, None] = {}
    given = frozenset(names)
    numbers: dict[str, int] = {}
    for name in names:
        number, candidate = numbers.get(name, 2), name
        while candidate in different or (candidate != name and candidate in given):
            number, candidate = number + 1, f"{name}.{number}"
        if candidate != name:
            note(f"{file} has several columns called '{name}': one of them is '{candidate}' here.")
        different[candidate] = None
        numbers[name] = number
    return list(different)


def require_columns(count: int, file: str) -> None:
    """Raise ``UnreadableTask`` if a table has too many columns."""
    if reason := too_many_columns(count):
        raise UnreadableTask(f"{file} is not read: {reason}.")


def _groups(rows: Iterable[Row]) -> Iterator[list[Row]]:
    """Group rows up to a maximum count or size."""
    group: list[Row] = []
    held = 0
    for row in rows:
        group.append(row)
        held += sum(len(cell) for cell in row if cell)
        if len(group) == _ROWS or held >= _CHARACTERS:
            yield group
            group, held = [], 0
    if group:
        yield group
