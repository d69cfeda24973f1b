"""What the charts of a page show: rows of findings, and how each kind of chart draws them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assay.core.estimate import Interval
from assay.findings.across import Across
from assay.findings.agreement import Agreements
from assay.findings.per_task import TaskFindings
from assay.findings.similarity import Alike
from assay.reports.html.drawings import dots, heat, profiles, scatter
from assay.reports.html.heat import HeatMap
from assay.reports.html.names import Names
from assay.wording.numbers import decimals, shown, shown_interval

MOST_BARS = 60  # models of one chart; the table beside it has them all
_MOST_TEXTS = 800  # cells of a heat map that carry their number
_ROW = 21  # pixels
_FILLED = " Filled: not told from the first."
_MOST_ACROSS = 16  # names of a matrix of likeness that carries its numbers
_MOST_LINES = 20  # models of a chart of profiles
_FEWEST_STEPS = 5  # tasks of a profile: fewer are in the table at a glance
_MOST_NAMED = 4  # models of a front: the names of more would cover each other
_COSTS = {
    "latency": ("latency, ms", 1e3),
    "parameters": ("parameters, M", 1e-6),
    "macs": ("MACs, G", 1e-9),
    "bytes": ("weights, MB", 1e-6),
    "memory": ("peak memory, MB", 1e-6),
    "seconds": ("time in the study, s", 1.0),
}

Row = Mapping[str, float | str | bool | None]


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart and what a reader should know of it.

    Attributes:
        anchor: Of its place in the page; the name of the file it is saved in.
        told: What it shows, in a sentence or two.
        spec: In Vega-Lite, its rows left out: charts of one kind share it.
        rows: One for each mark, all with the same names.
        height: Pixels.
    """

    anchor: str
    told: str
    spec: Mapping[str, Any]  # the format of Vega-Lite, whose schema Altair holds
    rows: Sequence[Row]
    height: int


def index_chart(across: Across, names: Names, anchor: str) -> Chart | None:
    """Return the index of models across tasks with its interval; None where fewer than two have one."""
    rows: list[Row] = [
        {
            "model": names.label(one.model),
            "index": one.index,
            **_reach(one.interval or one.interval_here),
            "tied": one.is_tied_best is True or place == 0,
        }
        for place, one in enumerate(across.models)
        if one.index is not None
    ]
    if len(rows) < 2:
        return None
    told = f"Compatibility index over {len(across.index_tasks)} tasks with 95 % intervals; right is better."
    return _dots_chart(anchor, told + _FILLED, rows, dots("index", "index", 3))


def place_chart(across: Across, names: Names, anchor: str) -> Chart | None:
    """Return the places that models may take across tasks; None where no draw of tasks can tell."""
    rows: list[Row] = [
        {
            "model": names.label(one.model),
            "place": place,
            "low": one.ranks[0],
            "high": one.ranks[1],
            "tied": one.is_tied_best is True or place == 1,
        }
        for place, one in enumerate(across.models, start=1)
        if one.ranks is not None
    ]
    if len(rows) < 2:
        return None
    told = "The places that a model takes in 95 % of the draws of tasks; left is better."
    return _dots_chart(anchor, told + _FILLED, rows, dots("place", "place, 1 is best", 0))


def profile_chart(across: Across, names: Names, anchor: str) -> Chart | None:
    """Return on which share of tasks models reach how much; None with fewer than five tasks or two models."""
    shown_models = [one for one in across.models if one.profile][:_MOST_LINES]
    if len(shown_models) < 2 or len(across.index_tasks) < _FEWEST_STEPS:
        return None
    rows: list[Row] = [
        {"model": names.label(one.model), "index": threshold, "share": share, "take": place == 0}
        for place, one in enumerate(shown_models)
        for threshold, share in zip(across.thresholds, one.profile, strict=True)
    ]
    told = "Performance profiles: on which share of tasks the index is at least so much; up is better."
    told += " Thick: the first. Others tell their name when you point at them."
    return Chart(anchor, told, profiles(), rows, height=240)


def cost_chart(findings: TaskFindings, names: Names, anchor: str) -> Chart | None:
    """Return value against each cost that is known; None where fewer than two models have both."""
    known = {
        cost: title for cost, (title, _) in _COSTS.items() if len(findings.costs.get(cost, {})) > 1
    }  # in the order of the reader's choice
    if not known:
        return None
    rows: list[Row] = []
    for one in findings.standings:
        reach = one.interval and shown_interval(one.interval, negated=findings.shown_negated)
        is_taken = one.model == findings.recommended
        fronts = {cost: findings.fronts.get(cost, ()) for cost in known}
        on = [known[cost] for cost, front in fronts.items() if one.model in front]
        named = [
            known[cost]
            for cost, front in fronts.items()
            if is_taken or (one.model in front and len(front) <= _MOST_NAMED)
        ]
        rows.append(
            {
                "model": names.label(one.model),
                "value": shown(one.value, negated=findings.shown_negated),
                **_reach(reach),
                "fronts": "; ".join(on),
                "named": "; ".join(named),
                "take": is_taken,
                **{title: _cost(findings, cost, one.model) for cost, title in known.items()},
            }
        )
    better = "down" if findings.shown_negated else "up"
    told = (
        f"{findings.measure} against cost: {better} is better, left is cheaper. "
        "Filled and joined: no other model is both better and cheaper."
    )
    places = decimals(one.value for one in findings.standings)
    spec = scatter(tuple(known.values()), findings.measure, places, is_falling=findings.shown_negated)
    return Chart(anchor, told, spec, rows, height=320)


def agreement_chart(agreements: Agreements, anchor: str) -> Chart | None:
    """Return how well each score foretold the truth over all tasks; None with fewer than two scores."""
    rows: list[Row] = [
        {
            "model": one.score,
            "tau": one.weighted_tau,
            **_reach(one.models.get("weighted_tau")),
            "tied": not one.is_baseline,
        }
        for one in agreements.overall
    ]
    if len(rows) < 2:
        return None
    told = "Mean weighted τ over tasks, 1 is the same order; bars: 95 % for other models."
    told += " Hollow: looks at no example of the target."
    return _dots_chart(anchor, told, rows, dots("tau", "weighted τ", 2))


def alike_chart(alike: Alike, calls: Callable[[str], str], told: str, anchor: str) -> Chart | None:
    """Return how alike things are, each with each, in the order of their tree; None where they are too many.

    Args:
        alike: What was found.
        calls: Returns the short name of each.
        told: What 1 is.
        anchor: Of its place in the page.
    """
    if not 2 < len(alike.names) <= MOST_BARS:
        return None
    called = [calls(name) for name in alike.names]
    rows: list[Row] = [
        {"model": called[row], "task": called[column], "text": f"{value:.2f}", "level": max(0.0, value)}
        for row, values in enumerate(alike.values)
        for column, value in enumerate(values)
        if value is not None
    ]
    height = _ROW * len(called)
    spec = heat(height, "likeness", len(called), has_texts=len(called) <= _MOST_ACROSS, is_square=True)
    return Chart(anchor, told, spec, rows, height)


def heat_chart(map_: HeatMap, names: Names, anchor: str) -> Chart:
    """Return the cells of a heat map that have a number, as a chart that can be saved."""
    rows: list[Row] = [
        {
            "model": names.label(row.model),
            "task": names.task(map_.tasks[place]),
            "text": cell.text,
            "level": cell.share,
        }
        for row in map_.rows
        for place, cell in enumerate(row.cells)
        if cell.share is not None
    ]
    height = _ROW * len(map_.rows)
    spec = heat(height, "index", len(map_.tasks), has_texts=len(rows) <= _MOST_TEXTS, is_square=False)
    return Chart(anchor, "The index as a chart that can be saved.", spec, rows, height)


def _dots_chart(anchor: str, told: str, rows: Sequence[Row], spec: Mapping[str, Any]) -> Chart:
    more = f" The first {MOST_BARS} of {len(rows)}." if len(rows) > MOST_BARS else ""
    shown_rows = rows[:MOST_BARS]
    height = _ROW * len(shown_rows)
    whole = {**spec, "height": height}
    return Chart(anchor, f"{told}{more}", whole, shown_rows, height)


def _reach(interval: Interval | None) -> dict[str, float | None]:
    return {"low": interval.low if interval else None, "high": interval.high if interval else None}


def _cost(findings: TaskFindings, cost: str, model: str) -> float | None:
    value = findings.costs[cost].get(model)
    return value * _COSTS[cost][1] if value else None
