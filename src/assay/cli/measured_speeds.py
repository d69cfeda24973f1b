"""Shows the progress of measuring models in rounds, and the table of their speeds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from assay.actions.measure import MeasuredModel, Watch
from assay.actions.stored_models import stored_controls
from assay.findings.facts import ModelRow
from assay.reports.terminal.tables import fitted_table, print_note
from assay.wording.numbers import duration
from assay.wording.short_names import short_names

_TITLES = ("", "model", "", "latency", "spread", "examples/s", "load")


@contextmanager
def watching(console: Console, models: Sequence[ModelRow], rounds: int) -> Iterator[Watch]:
    """Show a bar, or without a terminal a line for each measurement."""
    total, begun, names = len(models) * rounds, 0, _names(models)

    def line(model: str, number: int) -> None:
        nonlocal begun
        begun += 1
        text = f"[{begun} of {total}] {names[model]}, round {number} of {rounds}"
        console.print(text, highlight=False, markup=False, soft_wrap=True)

    if not console.is_terminal:
        yield line
        return
    columns = (BarColumn(bar_width=20), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, TextColumn("{task.description}", markup=False), console=console) as progress:
        bar = progress.add_task("", total=total)

        def advance(model: str, number: int) -> None:
            nonlocal begun
            progress.update(bar, completed=begun, description=f"round {number} of {rounds}: {names[model]}")
            begun += 1

        yield advance
        progress.update(bar, completed=total, description="done")


def show(measured: Sequence[MeasuredModel], machine: str, console: Console) -> None:
    """Print a table of the speeds, and why a latency is not reliable or a model could not be measured."""
    names = _names([one.model for one in measured])
    rows = [_row(one, names[one.model.address]) for one in measured]
    console.print(fitted_table(_TITLES, rows, console.width))
    for one in measured:
        for verdict, reason in (("failed", one.failure), ("unreliable", one.model.latency_warning)):
            if reason:
                console.print(Text(f"{names[one.model.address]}: {verdict}: {reason}"), soft_wrap=True)
    if any(one.model.latency_warning for one in measured):
        console.print("Measure again while nothing else runs, or with more --rounds.", highlight=False)
    print_note(
        console,
        f"on {machine}; latency: the least of all measurements there; spread: how far the slowest round is "
        "above the fastest; load: the highest in these rounds",
    )


def _names(models: Sequence[ModelRow]) -> dict[str, str]:
    return short_names(row.address for row in models) | stored_controls(models)


def _row(one: MeasuredModel, name: str) -> tuple[str, ...]:
    model = one.model
    verdict = "unreliable" if model.latency_warning else "reliable" if model.latency_seconds else ""
    loads = [speed.load for speed in one.rounds if speed.load is not None]
    return (
        "",
        name,
        "failed" if one.failure else verdict,
        duration(model.latency_seconds) or "–",
        "–" if one.spread is None else f"{100 * one.spread:.0f} %",
        "–" if model.throughput is None else f"{model.throughput:,.1f}",
        f"{max(loads):.1f}" if loads else "–",
    )
