"""Prints the leaderboard of one task: as many columns as fit, and a legend."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from assay.findings.comparison import Comparison
from assay.findings.per_task import Standing, TaskFindings
from assay.reports.terminal.tables import GAP, NARROWEST_NAME, plain_table, print_note
from assay.wording.names import shorten, width_of
from assay.wording.numbers import count, decimals, duration, interval_text, value_text
from assay.wording.short_names import report_names

_BAR = 8  # columns
_COMFORTABLE_NAME = 42
_NEEDED_COLUMNS = 3  # these columns have priority over long names
_UNRELIABLE = "*"
_EIGHTHS = " ▏▎▍▌▋▊▉█"


@dataclass(frozen=True, slots=True)
class _Column:
    """A column of a table of models; columns that do not fit are left out."""

    title: str
    text: Callable[[Standing], str]

    def width(self, standings: Iterable[Standing]) -> int:
        return max([width_of(self.title), *(width_of(self.text(standing)) for standing in standings)])


def show_leaderboard(
    comparison: Comparison, findings: TaskFindings, standings: Sequence[Standing], console: Console
) -> None:
    """Print models of a task, best first, and a legend of the symbols."""
    has_rivals = sum(standing.may_be_best for standing in findings.standings) > 1
    ranks = {
        standing.model: f"{'→' if standing.model == findings.recommended else ''}{standing.rank}"
        f"{'=' if has_rivals and standing.may_be_best else ' '}"
        for standing in standings
    }
    table = _table(comparison, findings, standings, ranks, console.width)
    console.print(table)
    parts = ["→ recommended"] if findings.recommended else []
    if has_rivals:
        parts.append("= may be the best: no model is significantly better")
    if any(column.header == "index" for column in table.columns):
        parts.append("index 0: chance level, 1: the best here")
    doubts = ""
    is_unreliable = any(_UNRELIABLE in text for text in _latencies(comparison, standings).values())
    if is_unreliable and any(column.header == "latency" for column in table.columns):
        doubts = f"{_UNRELIABLE} unreliable: 'assay measure' measures again"
    if any(standing.seeds > 1 for standing in standings):
        parts.append(f"mean of {max(standing.seeds for standing in standings)} seeds")
    for note in filter(None, ["; ".join(parts), doubts]):
        print_note(console, note)


def _table(
    comparison: Comparison,
    findings: TaskFindings,
    standings: Sequence[Standing],
    ranks: Mapping[str, str],
    width: int,
) -> Table:
    room = width - NARROWEST_NAME - max(map(width_of, ranks.values())) - GAP
    all_labels = report_names(comparison)
    labels = [all_labels[standing.model] for standing in standings]
    wanted = min(_COMFORTABLE_NAME, max(map(width_of, labels))) - NARROWEST_NAME
    kept: list[_Column] = []
    for column in _columns(comparison, findings, standings):
        spare = room - column.width(standings) - GAP
        if spare < (0 if len(kept) < _NEEDED_COLUMNS else wanted):
            break
        room = spare
        kept.append(column)
    names = shorten(labels, NARROWEST_NAME + room)
    table = plain_table([""], ["model"], [column.title for column in kept])
    for standing, label in zip(standings, labels, strict=True):
        cells = [ranks[standing.model], names[label], *(column.text(standing) for column in kept)]
        style = "bold" if standing.model == findings.recommended else ""
        table.add_row(*map(Text, cells), style=style)
    return table


def _columns(comparison: Comparison, findings: TaskFindings, standings: Sequence[Standing]) -> list[_Column]:
    """Return all columns, the most important first."""
    negated = findings.shown_negated
    latency = _latencies(comparison, standings)
    parameters = {row.address: row.facts.parameters for row in comparison.models}
    places = decimals(standing.value for standing in standings)

    def value(standing: Standing) -> str:
        return value_text(standing.value, negated=negated, places=places)

    def interval(standing: Standing) -> str:
        return interval_text(standing.interval, negated=negated, places=places)

    columns = [_Column(findings.measure, value)]
    if any(standing.interval for standing in standings):
        columns.append(_Column("95 % CI", interval))
    columns.append(_Column("latency", lambda standing: latency.get(standing.model, "")))
    if any(standing.index is not None for standing in standings):
        columns.append(_Column("index", lambda standing: _bar(standing.index)))
    columns.append(_Column("params", lambda standing: count(parameters.get(standing.model))))
    return columns + _score_columns(comparison, findings)


def _latencies(comparison: Comparison, standings: Sequence[Standing]) -> dict[str, str]:
    """Return the latency of each model as text; if some are marked, the others end in a space."""
    models = {standing.model for standing in standings}
    rows = [row for row in comparison.models if row.address in models and row.latency_seconds is not None]
    ends = ("", _UNRELIABLE)
    if any(row.latency_warning for row in rows):
        ends = (" ", _UNRELIABLE)
    return {row.address: duration(row.latency_seconds) + ends[bool(row.latency_warning)] for row in rows}


def _score_columns(comparison: Comparison, findings: TaskFindings) -> list[_Column]:
    values: dict[str, dict[str, float]] = {}
    for cell in comparison.cells:
        if cell.is_score and cell.task == findings.task.address and cell.value is not None:
            values.setdefault(cell.method, {})[cell.model] = cell.value
    values.pop(comparison.ranked_by, None)
    return [_Column(score, _text_of(of_score)) for score, of_score in values.items()]


def _text_of(values: Mapping[str, float]) -> Callable[[Standing], str]:
    places = decimals(values.values())
    texts = {model: value_text(value, places=places) for model, value in values.items()}
    return lambda standing: texts.get(standing.model, "–")


def _bar(index: float | None) -> str:
    if index is None:
        return "–"
    eighths = round(min(1.0, max(0.0, index)) * _BAR * 8)
    full, rest = divmod(eighths, 8)
    bar = ("█" * full + _EIGHTHS[rest].strip()).ljust(_BAR)
    return f"{bar} {index:6.3f}".replace("-", "−")
