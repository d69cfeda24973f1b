"""Spreadsheets of Excel and LibreOffice, by python-calamine."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator

import pyarrow as pa

from assay.core.errors import MissingPackage, UnreadableTask, UsageError
from assay.readers.formats.table_file import (
    Note,
    Row,
    TableFile,
    TableFormat,
    batches,
    different_names,
    title_rows,
)


def sheet_rows(file: TableFile, form: TableFormat, note: Note) -> Iterator[pa.RecordBatch]:
    """Yield the rows of the only sheet with cells, or of the one that the user names, below its header.

    Raises:
        MissingPackage: python-calamine is not installed.
        UnreadableTask: The file is broken, or several sheets have cells.
    """
    try:
        import python_calamine
    except ImportError as error:
        raise MissingPackage("xlsx", "python-calamine") from error
    try:
        with python_calamine.CalamineWorkbook.from_path(file.path) as book:
            cells = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    except (python_calamine.CalamineError, OSError) as error:
        raise UnreadableTask(f"Cannot read {file.name} as a spreadsheet: {error}. Save it as CSV.") from error
    if form.sheet is not None and form.sheet not in cells:
        raise UsageError(f"{file.name} has no sheet '{form.sheet}'. It has {_quoted(cells)}.")
    filled = [name for name, rows in cells.items() if rows]
    if not filled:
        raise UnreadableTask(f"{file.name} is empty.")
    if form.sheet is None and len(filled) > 1:
        raise UnreadableTask(
            f"{file.name} has {len(filled)} sheets: {_quoted(filled)}. Write for example sheet='{filled[0]}'."
        )
    every = cells[form.sheet or filled[0]]
    above = title_rows(every)
    if above:
        rows_above = "1 row" if above == 1 else f"{above} rows"
        note(f"{file.name} begins with {rows_above} before the names of its columns: left out.")
    header, *rows = every[above:]
    names = [_text(cell) or f"column {position}" for position, cell in enumerate(header, 1)]
    names = different_names(names, file.name, note)
    filled_rows: list[Row] = [
        [_text(cell) for cell in row] for row in rows if form.keeps_rows or any(cell != "" for cell in row)
    ]
    if not filled_rows:
        raise UnreadableTask(f"{file.name} has a header and no rows.")
    yield from batches(names, filled_rows)


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _text(cell: object) -> str | None:
    """Return a cell as its CSV would have it: whole numbers without .0."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return str(cell).lower()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, (datetime.datetime, datetime.date, datetime.time)):
        return cell.isoformat()
    return str(cell).strip()
