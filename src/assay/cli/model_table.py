"""Prints models of the catalogue as a table, or as tab-separated values into a pipe."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, fields

from rich.table import Table

from assay.core.catalogue import CatalogueEntry
from assay.reports.terminal.console import console as new_console
from assay.wording.numbers import count, disk_space, macs_text

_WIDE = 130  # columns of a terminal with room for all facts


def print_models(entries: Sequence[CatalogueEntry]) -> None:
    """Print a row for each model; a dash stands for what is not known."""
    if not _is_terminal():
        _print_values(entries)
        return
    console = new_console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("model", overflow="fold", ratio=1)
    wide = console.width >= _WIDE
    for heading in ("params", "source acc.", "download", *(("MACs", "input", "pulls") if wide else ())):
        table.add_column(heading, justify="right", no_wrap=True)
    for heading in ("licence", *(("released", "pretraining") if wide else ())):
        table.add_column(heading, overflow="ellipsis", no_wrap=True, max_width=30 if wide else 14)
    for entry in entries:
        table.add_row(*_cells(entry, wide=wide))
    console.print(table)


def _is_terminal() -> bool:
    return sys.stdout.isatty()


def _cells(entry: CatalogueEntry, *, wide: bool) -> Iterable[str]:
    def known(text: str) -> str:
        return text or "—"

    accuracy = "" if entry.source_accuracy is None else f"{entry.source_accuracy:.3f}"
    size = "" if entry.download_bytes is None else disk_space(entry.download_bytes)
    more = (macs_text(entry.macs), str(entry.input_size or ""), count(entry.downloads)) if wide else ()
    words = (entry.licence, *((entry.released, entry.pretraining) if wide else ()))
    download = "local" if entry.is_local else known(size)
    return (
        entry.address,
        known(count(entry.parameters)),
        known(accuracy),
        download,
        *map(known, more),
        *map(known, words),
    )


def _print_values(entries: Iterable[CatalogueEntry]) -> None:
    writer = csv.writer(sys.stdout, delimiter="\t", lineterminator="\n")
    writer.writerow([field.name for field in fields(CatalogueEntry)])
    for entry in entries:
        writer.writerow([_written(value) for value in asdict(entry).values()])


def _written(value: object) -> object:
    """Return a value of a cell; accuracies are rounded as terminals show them."""
    return "" if value is None else round(value, 3) if isinstance(value, float) else value
