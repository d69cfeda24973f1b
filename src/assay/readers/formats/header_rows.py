"""Detects title rows above the header of a table, and total rows at its end."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence

from assay.readers.formats.table_file import Note, Row

COMMENT = re.compile(r"\s*(#|//|%|--)")
_SUMS = frozenset(
    {
        "total", "totals", "grand total", "subtotal", "sum", "average", "mean", "avg", "count", "summe",
        "gesamt", "totaal", "totale", "somme", "suma",
    }
)  # fmt: skip
_TITLE_LINES = 10  # above which no header is looked for
_TRIED = 50  # rows
_NUMBER = re.compile(r"[-+(]?[$€£¥]?\d[\d.,' ]*%?\)?")


def lines_before_header(lines: Sequence[str], delimiter: str) -> int:
    """Return how many blank lines and comments begin a file; a header may begin with a #, too."""
    count = next((number for number, line in enumerate(lines) if line.strip()), 0)
    ends = next((n for n, line in enumerate(lines) if line.strip() and not COMMENT.match(line)), count)
    if ends == count:
        return count + _titles(lines[count:], delimiter)
    wide = len(next(csv.reader(lines[ends:], delimiter=delimiter)))
    last = len(next(csv.reader(lines[ends - 1 : ends], delimiter=delimiter), []))
    return ends - 1 if last == wide and wide > 1 else ends


def _titles(lines: Sequence[str], delimiter: str) -> int:
    """Return how many lines above the header are a title in the first cell, and blank ones."""
    rows = list(csv.reader(lines[:_TITLE_LINES], delimiter=delimiter))
    return title_rows(rows) if len(rows) == len(lines[:_TITLE_LINES]) else 0


def title_rows(rows: Sequence[Sequence[object]]) -> int:
    """Return how many rows above the names of the columns hold a title or the names of groups of columns.

    A title is in the first column alone. Groups are
    recognised by a cell that is empty or comes twice above names that are all different.

    >>> title_rows([["Survey 2024", ""], ["text", "label"], ["fine", "a"], ["poor", "a"]])
    1
    >>> title_rows([["Data", "Data"], ["text", "label"], ["fine", "a"], ["poor", "a"]])
    1
    >>> title_rows([["text", ""], ["fine", "a"], ["poor", "a"]])
    0
    """
    filled = [[str(cell).strip() for cell in row] for row in rows]
    count = next((number for number, row in enumerate(filled) if any(row[1:])), 0)
    if not count:
        return 1 if _are_groups(filled) else 0
    if not filled[0][0] or len(filled) < count + 2:
        return 0
    names = [(position, name) for position, name in enumerate(filled[count]) if name]
    return 0 if len(names) < 2 or not _are_names(names, filled[count + 1 :]) else count


def _are_groups(rows: Sequence[Sequence[str]]) -> bool:
    """Return whether the first row groups the columns that the second names, as merged cells do."""
    if len(rows) < 4:
        return False
    groups, names, *below = rows
    is_grouped = 1 < len(names) <= len(groups) and ("" in groups or len(set(groups)) < len(groups))
    known = {"id", "text", "label", "score", "image", "file", "path", "class", "target", "split"}
    return (
        is_grouped
        and all(names)
        and len(set(names)) == len(names)
        and not known.isdisjoint(name.lower() for name in names)
        and _are_names(list(enumerate(names)), below)
    )


def _are_names(names: Sequence[tuple[int, str]], below: Iterable[Sequence[str]]) -> bool:
    """Return whether no name begins with a digit or comes again in its column."""
    return not any(name[0].isdigit() for _, name in names) and not any(
        position < len(row) and row[position] == name for position, name in names for row in below
    )


def numbers_rows(lines: Sequence[str], delimiter: str) -> bool:
    """Return whether all rows begin with their number, for which the header has no name, as R writes them.

    >>> numbers_rows(["text,label", "1,fine,a", "2,poor,a", "3,odd,b"], ",")
    True
    """
    header, *rows = [row for row in csv.reader(lines, delimiter=delimiter) if row] or [[]]
    numbers = [row[0] for row in rows[:_TRIED]]
    if len(numbers) < 2 or numbers[0] not in {"0", "1"}:
        return False
    counted = [str(number) for number in range(int(numbers[0]), int(numbers[0]) + len(numbers))]
    return numbers == counted and all(len(row) == len(header) + 1 for row in rows[:_TRIED])


def without_sum(rows: Iterable[Row], file: str, note: Note) -> Iterator[Row]:
    """Yield rows without the last one if that is a sum, such as "Total" and a number; a note says so."""
    held: Row | None = None
    count = 0
    for row in rows:
        if held is not None:
            yield held
        held = row
        count += 1
    if held is None:
        return
    cells = [(cell or "").strip() for cell in held]
    first, *others = [cell for cell in cells if cell] or [""]
    is_sum = first.rstrip(":").lower() in _SUMS and all(map(_NUMBER.fullmatch, others))
    if count < 3 or len(cells) < 2 or not is_sum:
        yield held
    else:
        note(f"The last row of {file} ('{first}') is a sum of others: left out.")
