"""Writes a comparison as one HTML file that opens from disk: no network, nothing beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import jinja2

from assay.analysis.axes import Axis, axis_around
from assay.analysis.latency_plot import LatencyPlot, better_part, latency_plot
from assay.analysis.wording import count, decimals, duration, interval_text, plural, value_text
from assay.core.comparison import Cell, Comparison, ModelRow, Standing, TaskFindings
from assay.core.report import Report
from assay.core.task import Modality

_BAR_PIXELS = 150
_BAR_ENDS = 6.0  # pixels free at both ends
_LEVELS = 10  # shades of the heat map


class Html(Report):
    """One page: the answer, each task, the models across tasks, the scores, and what did not work."""

    suffix: ClassVar[str] = ".html"
    summary: ClassVar[str] = "one page that opens without a network"

    def render(self, comparison: Comparison, path: Path) -> None:
        """Write the whole comparison to ``path``, replacing what was there."""
        loader = jinja2.PackageLoader("assay", "reports/templates")
        templates = jinja2.Environment(
            loader=loader,
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            undefined=jinja2.StrictUndefined,
        )
        words = {"value": value_text, "interval": interval_text, "duration": duration, "count": count}
        templates.filters |= {**words, "plural": plural}
        text = templates.get_template("report.html").render(
            comparison=comparison,
            tasks=[
                _task_view(comparison, one, number) for number, one in enumerate(comparison.tasks, start=1)
            ],
            heat_maps=_heat_maps(comparison),
            missing=[cell for one in comparison.tasks for cell in one.missing],
            other_holes=_other_holes(comparison),
        )
        path.write_text(text, encoding="utf-8")


@dataclass(frozen=True, slots=True)
class _Bar:
    """Where a value and its interval stand on the common axis of a task; further right is better."""

    value: float
    low: float
    high: float
    is_off: bool  # further left than the axis goes


@dataclass(frozen=True, slots=True)
class _Row:
    """One line of a leaderboard."""

    standing: Standing
    model: ModelRow | None
    bar: _Bar
    scores: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class _TaskView:
    """One task with the geometry of its pictures."""

    anchor: str
    findings: TaskFindings
    places: int
    rows: tuple[_Row, ...]
    scores: tuple[str, ...]
    floor: float | None
    plot: LatencyPlot | None
    ties: int
    seeds: int
    has_off: bool
    bar_width: int = _BAR_PIXELS


@dataclass(frozen=True, slots=True)
class _Hole:
    """One cell of the heat map."""

    text: str
    level: int | None
    told: str


@dataclass(frozen=True, slots=True)
class _HeatMap:
    """Models by tasks of one modality, best model first."""

    modality: Modality
    tasks: tuple[str, ...]
    rows: tuple[tuple[str, tuple[_Hole, ...]], ...]


def _task_view(comparison: Comparison, findings: TaskFindings, number: int) -> _TaskView:
    standings = findings.standings
    models = {row.address: row for row in comparison.models}
    estimates = _scores(comparison, findings)
    axis = _value_axis(standings) if standings else None
    rows = [
        _Row(
            one,
            models.get(one.model),
            _bar(one, axis),
            tuple(of_score.get(one.model) for of_score in estimates.values()),
        )
        for one in standings
        if axis is not None
    ]
    floor = findings.task.floor
    is_inside = axis is not None and findings.beats_floor is not None and axis.low <= floor <= axis.high
    return _TaskView(
        anchor=f"task-{number}",
        findings=findings,
        places=decimals(one.value for one in standings),
        rows=tuple(rows),
        scores=tuple(estimates),
        floor=axis.place(floor) if axis is not None and is_inside else None,
        plot=latency_plot(findings, models),
        ties=sum(one.is_tied_best for one in standings),
        seeds=max((one.seeds for one in standings), default=0),
        has_off=any(row.bar.is_off for row in rows),
    )


def _value_axis(standings: Sequence[Standing]) -> Axis:
    kept = better_part(standings)
    ends = [one.value for one in kept]
    for one in kept:
        ends += [one.interval.low, one.interval.high] if one.interval else []
    return axis_around(ends, _BAR_ENDS, _BAR_PIXELS - _BAR_ENDS)


def _bar(standing: Standing, axis: Axis) -> _Bar:
    within = standing.interval
    low, high = (within.low, within.high) if within else (standing.value, standing.value)
    return _Bar(
        axis.place(standing.value), axis.place(low), axis.place(high), is_off=standing.value < axis.low
    )


def _scores(comparison: Comparison, findings: TaskFindings) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for cell in comparison.cells:
        if cell.is_score and cell.task == findings.task.address and cell.value is not None:
            found.setdefault(cell.method, {})[cell.model] = cell.value
    found.pop(comparison.ranked_by, None)
    return found


def _heat_maps(comparison: Comparison) -> list[_HeatMap]:
    """Return the index of every model on every task, with the reason of each hole."""
    maps = []
    for modality in Modality:
        tasks = [one for one in comparison.tasks if one.task.modality == modality]
        values = {(one.task.address, standing.model): standing for one in tasks for standing in one.standings}
        reasons = {(cell.task, cell.model): cell for one in tasks for cell in one.missing}
        models = {model for _, model in [*values, *reasons]}
        ranks = {model: _mean_rank(model, tasks, values) for model in models}
        rows = [
            (model, tuple(_hole(one, values.get(key), reasons.get(key)) for one, key in _keys(tasks, model)))
            for model in sorted(models, key=lambda model: (ranks[model], model))
        ]
        if rows:
            maps.append(_HeatMap(modality, tuple(one.task.address for one in tasks), tuple(rows)))
    return maps


def _keys(tasks: Sequence[TaskFindings], model: str) -> list[tuple[TaskFindings, tuple[str, str]]]:
    return [(one, (one.task.address, model)) for one in tasks]


def _mean_rank(
    model: str, tasks: Sequence[TaskFindings], values: Mapping[tuple[str, str], Standing]
) -> float:
    """Return the mean rank over tasks, a hole counting as the last: it only orders the rows."""
    last = {one.task.address: len(one.standings) + 1 for one in tasks}
    ranks = [values[key].rank if key in values else last[key[0]] for _, key in _keys(tasks, model)]
    return sum(ranks) / len(ranks)


def _hole(findings: TaskFindings, standing: Standing | None, missing: Cell | None) -> _Hole:
    if standing is None:
        told = f"{missing.status}: {missing.reason}" if missing else "no result"
        return _Hole(missing.status.value if missing else "–", None, told)
    value = value_text(standing.value, negated=findings.shown_negated)
    within = interval_text(standing.interval, negated=findings.shown_negated)
    told = f"{value} {findings.measure}" + (f", {within}" if within else "") + f"; rank {standing.rank}"
    if standing.index is None:
        return _Hole(value, None, told)
    level = round(min(1.0, max(0.0, standing.index)) * (_LEVELS - 1))
    return _Hole(value_text(standing.index, places=2), level, told)


def _other_holes(comparison: Comparison) -> list[Cell]:
    """Return the cells of other methods without a value, where the ranking method has one."""
    told = {(cell.task, cell.model) for one in comparison.tasks for cell in one.missing}
    valued = {(one.task.address, row.model) for one in comparison.tasks for row in one.standings}
    return [
        cell
        for cell in comparison.cells
        if cell.value is None and cell.method != comparison.ranked_by
        if (cell.task, cell.model) in valued | told
    ]
