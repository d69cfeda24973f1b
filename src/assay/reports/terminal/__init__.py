"""Shows a comparison in a terminal, or as plain text, at any width."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from assay.findings.comparison import Comparison
from assay.findings.facts import ModelRow
from assay.findings.per_task import Standing, TaskFindings
from assay.plugins.report import Report
from assay.reports.terminal.across import show_across, show_average
from assay.reports.terminal.agreement import show_agreements
from assay.reports.terminal.by_protocol import show_by_protocol
from assay.reports.terminal.costs import show_costs
from assay.reports.terminal.error_analysis import show_lesson, show_likeness
from assay.reports.terminal.slices import show_slices
from assay.reports.terminal.tables import GAP, NARROWEST_NAME, SHOWN_MODELS, plain_table
from assay.wording.names import model_labels, shorten, width_of
from assay.wording.numbers import count, decimals, duration, interval_text, plural, value_text

_BAR = 8  # columns
_COMFORTABLE_NAME = 42
_NEEDED_COLUMNS = 3  # these come before the comfort of names
_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True)
class Terminal(Report):
    """Plain text: the answer, then each task as a table.

    Attributes:
        width: Columns of the text.
        show_all: Show every model, not only the best twenty of each task.
    """

    width: int = 110
    show_all: bool = False

    suffix: ClassVar[str] = ".txt"
    summary: ClassVar[str] = "plain text, as the terminal shows it"

    def render(self, comparison: Comparison, path: Path) -> None:
        """Write the whole comparison to ``path``, replacing what was there."""
        with path.open("w", encoding="utf-8") as file:
            console = Console(file=file, width=self.width, color_system=None, force_terminal=False)
            show(comparison, console, show_all=self.show_all)


def show(comparison: Comparison, console: Console, *, show_all: bool = False) -> None:
    """Print a comparison.

    Args:
        comparison: What was found.
        console: Where to print; its width decides which columns there is room for.
        show_all: Show every model, not only the best twenty of each task.
    """
    for sentence in comparison.headline:
        console.print(Text(sentence, style="bold"))
    for findings in comparison.tasks:
        _show_task(comparison, findings, console, show_all=show_all)
    for across in comparison.across:
        console.print()
        show_across(across, console, show_all=show_all)
    for average in comparison.averages:
        show_average(average, console, show_all=show_all)
    for likeness in comparison.likeness:
        show_likeness(likeness, console)
    for agreements in comparison.agreement:
        console.print()
        show_agreements(agreements, console, by_task=show_all, show_all=show_all)
    if comparison.settings:
        console.print()
        told = "; ".join(f"{name} {value}" for name, value in comparison.settings.items())
        console.print(Text(told, style="dim"))


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of a table of models; the first that do not fit are left out."""

    title: str
    text: Callable[[Standing], str]

    def width(self, standings: Iterable[Standing]) -> int:
        return max([width_of(self.title), *(width_of(self.text(one)) for one in standings)])


def _show_task(comparison: Comparison, findings: TaskFindings, console: Console, *, show_all: bool) -> None:
    task = findings.task
    console.print()
    console.print(Text(task.address, style="bold"))
    console.print(Text(_measured(comparison, findings), style="dim"))
    if len(comparison.tasks) > 1:  # of one task the first lines said it already
        if findings.recommended:
            console.print(Text.assemble("Take ", (findings.recommended, "bold")))
        console.print(Text(findings.because))
    shown = [
        one
        for place, one in enumerate(findings.standings)
        if show_all or place < SHOWN_MODELS or one.model == findings.recommended
    ]
    if shown:
        console.print()
        table = _leaderboard(comparison, findings, shown, console.width)
        console.print(table)
        has_index = any(column.header == "index" for column in table.columns)
        console.print(Text(_legend(shown, findings, has_index=has_index), style="dim"))
        show_costs(comparison, findings, console)
    if findings.lesson is not None and len(findings.lesson.models) > 1:
        show_lesson(comparison, findings.lesson, console, show_all=show_all)
    hidden = len(findings.standings) - len(shown)
    if hidden:
        console.print(Text(f"{plural(hidden, 'more model')}; show all with --all", style="dim"))
    show_slices(findings, console, show_all=show_all)
    show_by_protocol(comparison, findings, console)
    _show_missing(comparison, findings, console)
    for note in task.notes:
        console.print()
        console.print(Text(f"Note: {note}"))


def _measured(comparison: Comparison, findings: TaskFindings) -> str:
    task = findings.task
    direction = "lower is better" if findings.shown_negated else "higher is better"
    if comparison.is_estimate:
        return f"{findings.measure}, an estimate, {direction}; {plural(task.train_count, 'train example')}"
    floor = value_text(task.floor, negated=findings.shown_negated)
    return (
        f"{findings.measure} by {comparison.ranked_by}, {direction}; "
        f"{plural(task.test_count, 'test example')}; guessing gives {floor}"
    )


def _leaderboard(
    comparison: Comparison, findings: TaskFindings, standings: Sequence[Standing], width: int
) -> Table:
    """Return the table of models, with as many columns as there is room for."""
    ranks = {one.model: _rank(one, findings) for one in standings}
    room = width - NARROWEST_NAME - max(map(width_of, ranks.values())) - GAP
    called = model_labels(comparison)
    wanted = min(_COMFORTABLE_NAME, max(width_of(called[one.model]) for one in standings)) - NARROWEST_NAME
    kept: list[_Column] = []
    for column in _columns(comparison, findings, standings):
        spare = room - column.width(standings) - GAP
        if spare < (0 if len(kept) < _NEEDED_COLUMNS else wanted):
            break
        room -= column.width(standings) + GAP
        kept.append(column)
    names = shorten([called[one.model] for one in standings], NARROWEST_NAME + room)
    table = plain_table([""], ["model"], [column.title for column in kept])
    for one in standings:
        cells = [Text(column.text(one)) for column in kept]
        style = "bold" if one.model == findings.recommended else ""
        table.add_row(Text(ranks[one.model]), Text(names[called[one.model]]), *cells, style=style)
    return table


def _rank(standing: Standing, findings: TaskFindings) -> str:
    tie = "=" if standing.is_tied_best and _has_ties(findings.standings) else " "
    return f"{'→' if standing.model == findings.recommended else ''}{standing.rank}{tie}"


def _has_ties(standings: Sequence[Standing]) -> bool:
    return sum(one.is_tied_best for one in standings) > 1


def _columns(comparison: Comparison, findings: TaskFindings, standings: Sequence[Standing]) -> list[_Column]:
    """Return all columns, the most telling first."""
    negated = findings.shown_negated
    rows = {row.address: row for row in comparison.models}
    places = decimals(one.value for one in standings)
    columns = [_Column(findings.measure, lambda one: value_text(one.value, negated=negated, places=places))]
    if any(one.interval for one in standings):
        title = "95 % interval"
        columns.append(
            _Column(title, lambda one: interval_text(one.interval, negated=negated, places=places))
        )
    columns.append(_Column("latency", lambda one: duration(_latency(rows.get(one.model)))))
    if any(one.index is not None for one in standings):
        columns.append(_Column("index", lambda one: _bar(one.index)))
    columns.append(_Column("weights", lambda one: count(_parameters(rows.get(one.model)))))
    return columns + _score_columns(comparison, findings)


def _score_columns(comparison: Comparison, findings: TaskFindings) -> list[_Column]:
    values: dict[str, dict[str, float]] = {}
    for cell in comparison.cells:
        if cell.is_score and cell.task == findings.task.address and cell.value is not None:
            values.setdefault(cell.method, {})[cell.model] = cell.value
    values.pop(comparison.ranked_by, None)
    return [_Column(score, _reader(of_score)) for score, of_score in values.items()]


def _reader(values: Mapping[str, float]) -> Callable[[Standing], str]:
    places = decimals(values.values())
    return lambda one: value_text(values[one.model], places=places) if one.model in values else "–"


def _latency(row: ModelRow | None) -> float | None:
    return row.latency_seconds if row else None


def _parameters(row: ModelRow | None) -> int | None:
    return row.facts.parameters if row else None


def _bar(index: float | None) -> str:
    if index is None:
        return "–"
    eighths = round(min(1.0, max(0.0, index)) * _BAR * 8)
    full, rest = divmod(eighths, 8)
    bar = ("█" * full + _EIGHTHS[rest].strip()).ljust(_BAR)
    return f"{bar} {index:6.3f}".replace("-", "−")


def _legend(standings: Sequence[Standing], findings: TaskFindings, *, has_index: bool) -> str:
    parts = ["→ recommended"] if findings.recommended else []
    if _has_ties(standings):
        parts.append("= the test does not tell it from the best")
    if has_index:
        parts.append("index 0: guessing, 1: the best here")
    if any(one.seeds > 1 for one in standings):
        parts.append(f"mean of {max(one.seeds for one in standings)} seeds")
    return "; ".join(parts)


def _show_missing(comparison: Comparison, findings: TaskFindings, console: Console) -> None:
    called = model_labels(comparison)
    by_reason: dict[tuple[str, str], list[str]] = {}
    for cell in findings.missing:
        by_reason.setdefault((cell.status.value, cell.reason), []).append(cell.model)
    for (status, reason), models in by_reason.items():
        more = f" and {plural(len(models) - 3, 'more model')}" if len(models) > 3 else ""
        short = shorten([called[model] for model in models[:3]], max(NARROWEST_NAME, console.width - 10))
        names = ", ".join(short.values())
        console.print()
        console.print(
            Text.assemble((status, "bold red" if status == "failed" else "bold"), f" {names}{more}")
        )
        console.print(Padding(Text(reason), (0, 0, 0, 2), expand=False))
