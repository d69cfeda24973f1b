"""Builds tables that fit a terminal: names are shortened first, then the last columns are left out."""

from __future__ import annotations

from collections.abc import Sequence

from rich import box
from rich.console import Console, JustifyMethod
from rich.table import Table
from rich.text import Text

from assay.core.escaping import one_line
from assay.wording.names import fitted_labels, width_of

NARROWEST_NAME = 24
GAP = 2  # columns between columns
SHOWN_MODELS = 20  # rows of a table unless all are requested


def print_note(console: Console, text: str) -> None:
    """Print a line that explains the table above or below it, less visibly."""
    console.print(Text(one_line(text), style="dim"))


def plain_table(marks: Sequence[str], words: Sequence[str], numbers: Sequence[str]) -> Table:
    """Return an empty table: marks and numbers are right-aligned, words left-aligned."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), show_edge=False)
    table.header_style = "dim"
    columns: tuple[tuple[Sequence[str], JustifyMethod], ...]
    columns = ((marks, "right"), (words, "left"), (numbers, "right"))
    for titles, justify in columns:
        for title in titles:
            table.add_column(title, justify=justify, no_wrap=True)
    return table


def fitted_table(titles: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Table:
    """Return a table of a mark, a name, a word and numbers; columns that do not fit are left out.

    A mark or word column that is empty in all rows takes no space.

    Args:
        titles: Titles of the mark, the name, the word and each number.
        rows: Rows with as many cells.
        width: Available width in characters.
    """
    widths = [max(map(width_of, column)) for column in zip(titles, *rows, strict=True)]
    fixed = [0, 2] if widths[0] else [2]
    keep = len(titles)
    while keep > 4 and _width_beside_name(widths, fixed, keep) + NARROWEST_NAME > width:
        keep -= 1
    room = max(NARROWEST_NAME, width - _width_beside_name(widths, fixed, keep) + GAP)
    names = fitted_labels(list(dict.fromkeys(row[1] for row in rows)), room)
    marks, words = [0] if widths[0] else [], [2] if widths[2] else []
    table = plain_table(
        [titles[column] for column in marks],
        [titles[1], *(titles[column] for column in words)],
        titles[3:keep],
    )
    for row in rows:
        cells = [*(row[column] for column in marks), names[row[1]], *(row[column] for column in words)]
        table.add_row(*(Text(one_line(cell)) for cell in (*cells, *row[3:keep])))
    return table


def _width_beside_name(widths: Sequence[int], fixed: Sequence[int], keep: int) -> int:
    """Return the width of all columns except the name, with their gaps."""
    beside = [widths[column] for column in fixed if widths[column]] + list(widths[3:keep])
    return sum(beside) + GAP * (len(beside) + 1)
