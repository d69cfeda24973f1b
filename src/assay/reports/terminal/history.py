"""Shows the tables of past results that a search learns from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from assay.reports.terminal.tables import plain_table
from assay.search.past import PastTable


def show_history(
    own: Sequence[PastTable], shipped: Sequence[PastTable], folder: Path, console: Console
) -> None:
    """Print each table with its size, its licence and its source; the user's come first."""
    table = plain_table((), ("table",), ("tasks", "models"))
    for title in ("reads", "licence", "source"):
        table.add_column(title, no_wrap=title != "source", overflow="fold")
    for each in (*own, *shipped):
        counts = str(len(each.values)), str(len(each.models))
        source = each.source.removeprefix("https://github.com/").partition("/tree/")[0]
        table.add_row(each.name, *counts, each.modality.value, each.licence, source)
    console.print(table)
    of_them = f"{len(own)} of them yours" if own else "none of them yours"
    console.print(f"\n{len(own) + len(shipped)} tables, {of_them} ({folder}). Nothing leaves this machine.")
