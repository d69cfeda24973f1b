"""Spreadsheets of Excel and LibreOffice, by python-calamine."""

from __future__ import annotations

import datetime
import functools
import math
import re
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from assay.core.errors import MissingPackage, UnreadableTask, UsageError
from assay.core.size_limits import too_many_bytes
from assay.core.text import plural
from assay.readers.formats.header_rows import title_rows, without_sum
from assay.readers.formats.table_file import (
    Note,
    Row,
    TableFile,
    TableFormat,
    batches,
    different_names,
)

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

_UNSTORED = re.compile(  # a cell with a formula and no value, as libraries write it
    rb"<c\b[^>]*>\s*<f\b(?:[^>]*/>|[^>]*>[^<]*</f>)\s*(?:<v\s*/>|<v>\s*</v>)?\s*</c>"
)
_CELL = re.compile(rb'<c\b[^>]*?\br="([A-Z]{1,3})(\d{1,7})"')
_MARKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # of zip archives and of older files of Excel
_MARK = 4  # bytes
_CELL_BYTES = 32  # of calamine's array of all cells


def sheet_rows(file: TableFile, form: TableFormat, note: Note) -> Iterator[pa.RecordBatch]:
    """Yield the rows of the only visible sheet with cells, or of the user's, below the names of columns.

    Raises:
        MissingPackage: python-calamine is not installed.
        UnreadableTask: The file is broken, several sheets have cells, or the formulas of a column no values.
    """
    cells = _sheets_with_cells(file, form)
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
        rows_above = plural(above, "row")
        note(f"{file.name} begins with {rows_above} before the names of its columns: left out.")
    header, *rows = every[above:]
    names = [_text(cell) or f"column {position}" for position, cell in enumerate(header, 1)]
    names = different_names(names, file.name, note)
    filled_rows: list[Row] = [
        [_text(cell) for cell in row] for row in rows if form.keeps_rows or any(cell != "" for cell in row)
    ]
    if not filled_rows:
        raise UnreadableTask(f"{file.name} has a header and no rows.")
    _require_values(file, names, filled_rows, note)
    yield from batches(names, filled_rows if form.keeps_rows else without_sum(filled_rows, file.name, note))


def _sheets_with_cells(file: TableFile, form: TableFormat) -> dict[str, list[list[Any]]]:
    """Return the rows of each visible sheet, and of a hidden one that the user names."""
    try:
        import python_calamine
    except ImportError as error:
        raise MissingPackage("xlsx", "python-calamine") from error
    _require_bounded(file)
    try:
        with python_calamine.CalamineWorkbook.from_path(file.path) as book:
            visible = [
                sheet.name
                for sheet in book.sheets_metadata
                if sheet.visible is python_calamine.SheetVisibleEnum.Visible or sheet.name == form.sheet
            ]
            return {name: _filled(book.get_sheet_by_name(name)) for name in visible}
    except (python_calamine.CalamineError, OSError) as error:
        cure = "Save it as CSV."
        with file.path.open("rb") as opened:
            mark = opened.read(_MARK)
        if mark not in _MARKS:
            cure = "It seems to be a text file: give it the suffix of one, such as .csv."
        raise UnreadableTask(f"Cannot read {file.name} as a spreadsheet: {error}. {cure}") from error


def _filled(sheet: CalamineSheet) -> list[list[Any]]:
    """Return the cells of a sheet; each row of merged cells has their value, which the first row holds."""
    rows = sheet.to_python()
    top, left = sheet.start or (0, 0)
    for (first, column), (last, _) in sheet.merged_cell_ranges or ():
        for row in range(first - top + 1, min(last - top + 1, len(rows))):
            rows[row][column - left] = rows[first - top][column - left]
    return rows


def _require_values(file: TableFile, names: Sequence[str], rows: Sequence[Row], note: Note) -> None:
    """Raise if a column is empty because its formulas were never computed; note such cells elsewhere."""
    filled = {position for row in rows for position, cell in enumerate(row) if cell is not None}
    if all(None not in row for row in rows) or not (count := _unstored(file.path)):
        return
    empty = [name for position, name in enumerate(names) if position not in filled]
    cells = plural(count, "cell")
    found = f"{file.name} has formulas without a stored value in {cells}"
    cure = "Open it in Excel or LibreOffice and save it, or save it as CSV there."
    if empty:
        raise UnreadableTask(f"{found}, and nothing else in {_quoted(empty)}. {cure}")
    note(f"{found}: they are read as empty. {cure}")


def _require_bounded(file: TableFile) -> None:
    """Raise if a workbook unpacks to far more than its size, or its cells lie very far apart."""
    if not zipfile.is_zipfile(file.path):
        return
    packed = file.path.stat().st_size
    with zipfile.ZipFile(file.path) as book:
        reason = too_many_bytes(packed, sum(entry.file_size for entry in book.infolist()))
        if not reason:
            reason = too_many_bytes(packed, _CELL_BYTES * max(map(_area, _sheets(book)), default=0))
    if reason:
        raise UnreadableTask(f"{file.name} is not read: {reason}.")


def _sheets(book: zipfile.ZipFile) -> Iterator[bytes]:
    names = [name for name in book.namelist() if re.fullmatch(r"xl/worksheets/[^/]+\.xml", name)]
    return (book.read(name) for name in names)


def _area(sheet: bytes) -> int:
    """Return the number of cells between the outermost ones of a sheet."""
    places = [(int(cell[2]), _column(cell[1])) for cell in _CELL.finditer(sheet)]
    return math.prod(max(ends) - min(ends) + 1 for ends in zip(*places, strict=True)) if places else 0


def _column(letters: bytes) -> int:
    return functools.reduce(lambda number, letter: 26 * number + letter - 64, letters, 0)


def _unstored(path: Path) -> int:
    """Return the number of cells of a workbook of Excel whose formula has no stored value."""
    if not zipfile.is_zipfile(path):
        return 0
    with zipfile.ZipFile(path) as book:
        return sum(len(_UNSTORED.findall(sheet)) for sheet in _sheets(book))


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
