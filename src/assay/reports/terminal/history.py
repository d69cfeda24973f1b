"""Shows the tables of past results that a search learns from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from assay.reports.terminal.tables import GAP, plain_table
from assay.search.past import PastTable
from assay.wording.names import width_of

_TITLES = ("table", "tasks", "models", "reads", "licence", "source")


def show_history(
    own: Sequence[PastTable], shipped: Sequence[PastTable], folder: Path, console: Console
) -> None:
    """Print each table with its size, its licence and its source; the user's come first."""
    table = plain_table((), ("table",), _TITLES[1:3])
    for title in _TITLES[3:]:
        table.add_column(title, no_wrap=title != "source", overflow="fold")
    rows = [_cells(each) for each in (*own, *shipped)]
    others = list(zip(_TITLES, *rows, strict=True))[:-1]
    room = console.width - sum(max(map(width_of, column)) + GAP for column in others)
    for *cells, source in rows:
        table.add_row(*cells, _broken(source, room))
    console.print(table)
    of_them = f"{len(own)} of them yours" if own else "none of them yours"
    console.print(f"\n{len(own) + len(shipped)} tables, {of_them} ({folder}). Nothing leaves this machine.")


def _cells(table: PastTable) -> tuple[str, ...]:
    source = table.source.removeprefix("https://github.com/").partition("/tree/")[0]
    counts = str(len(table.values)), str(len(table.models))
    return table.name, *counts, table.modality.value, table.licence, source


def _broken(source: str, width: int) -> str:
    """Return a path on as few lines as fit, broken after slashes, so that no name in it is cut.

    >>> _broken("huggingface/pytorch-image-models", 22).split()
    ['huggingface/', 'pytorch-image-models']
    """
    lines = [""]
    for part in re.findall(r"[^/]*/?", source):
        if lines[-1] and width_of(lines[-1] + part) > width:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)
