"""Builds the charts of a page: for each anchor the rows of data and the Vega-Lite spec.

This module needs the packages of the extra ``html``; import it only if they are installed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from assay.core.estimate import Interval
from assay.core.text import listing
from assay.findings.across import Across
from assay.findings.agreement import Agreements
from assay.findings.comparison import Comparison
from assay.findings.per_task import TaskFindings
from assay.findings.similarity import Similarity
from assay.reports.html.chart import Chart, Row
from assay.reports.html.curves import curve_charts
from assay.reports.html.heat_map import HeatMap
from assay.reports.html.leaderboard import MOST_ROWS, rows_of_each, shown_standings
from assay.reports.html.names import Names
from assay.reports.html.search import search_charts
from assay.reports.html.vega import dots, heat, profiles, scatter
from assay.wording.numbers import as_shown, decimals, shown_interval

MOST_BARS = 60  # models in one chart; the table next to it has all
_MOST_TEXTS = 800  # largest heat map with numbers in its cells
_ROW = 21  # pixels
_FILLED = " Filled: may be the best, no model is significantly better."
_FIRST = " Filled: the first; differences were not tested."
_MOST_ACROSS = 16  # largest similarity matrix with numbers in its cells
_FEW = "Blank: too few models in common."
_NO_ERRORS = "Blank: not defined, a model without errors or without correct examples."
_CONSTANT = "Blank: not defined, no task in common or constant features."
_MOST_LINES = 20  # models in a chart of profiles
_MOST_NAMED = 12  # models in a chart of costs where every point has a name, if there is room
_OPTIMAL = "Filled and joined: Pareto-optimal, among pretrained models"
_FEWEST_STEPS = 5  # smallest number of tasks for a profile; the table suffices for fewer
_COSTS = {
    "latency": ("latency, ms", 1e3),
    "parameters": ("parameters, M", 1e-6),
    "macs": ("MACs, G", 1e-9),
    "bytes": ("weights, MB", 1e-6),
    "memory": ("peak memory, MB", 1e-6),
    "seconds": ("time in the study, s", 1.0),
}  # title, and factor of its unit

_Axis = tuple[str, str, int]  # column, title, decimals


def charts_of(comparison: Comparison, names: Names, maps: Sequence[HeatMap]) -> dict[str, Chart]:
    """Return all charts of a page that have a mark, by their anchors, in the order of the page."""
    return {chart.anchor: chart for chart in _charts(comparison, names, maps) if chart and chart.rows}


def _charts(comparison: Comparison, names: Names, maps: Sequence[HeatMap]) -> Iterator[Chart | None]:
    yield from search_charts(comparison, names)
    across_by_modality = {across.modality: across for across in comparison.across}
    for heat_map in maps:
        kind, across = heat_map.modality, across_by_modality.get(heat_map.modality)
        if heat_map.has_index and len(heat_map.tasks) > 1:
            yield heat_chart(heat_map, names, f"heat-{kind}")
        if across is not None:
            yield index_chart(across, names, f"index-{kind}")
            yield rank_chart(across, names, f"places-{kind}")
            yield profile_chart(across, names, f"profiles-{kind}")
    for number, findings in enumerate(comparison.tasks, start=1):
        yield cost_chart(findings, names, f"task-{number}-cost", rows_of_each(len(comparison.tasks)))
        yield from curve_charts(comparison, findings, names, f"task-{number}-curve")
    for number, agreements in enumerate(comparison.agreement, start=1):
        yield agreement_chart(agreements, f"agreement-{number}")
    for similarity in comparison.similarities:
        yield from _similarity_charts(similarity, names)


def index_chart(across: Across, names: Names, anchor: str) -> Chart | None:
    """Return a chart of the index of models across tasks with intervals; None with fewer than two."""
    values: dict[str, Row] = {
        standing.model: {"index": standing.index, **_ends(standing.interval or standing.interval_here)}
        for standing in across.models
        if standing.index is not None
    }
    caption = f"Index over {len(across.index_tasks)} tasks with 95 % CI; right is better."
    return _general_chart(across, names, anchor, caption, values, ("index", "index", 3))


def rank_chart(across: Across, names: Names, anchor: str) -> Chart | None:
    """Return a chart of the rank intervals of models across tasks; None without draws of tasks."""
    values: dict[str, Row] = {
        standing.model: {"rank": rank, "low": standing.ranks[0], "high": standing.ranks[1]}
        for rank, standing in enumerate(across.models, start=1)
        if standing.ranks is not None
    }
    caption = "The best and the worst rank that each model may have, by the tests; left is better."
    return _general_chart(across, names, anchor, caption, values, ("rank", "rank, 1 is best", 0))


def _general_chart(
    across: Across, names: Names, anchor: str, caption: str, values: Mapping[str, Row], axis: _Axis
) -> Chart | None:
    """Return a chart with a line for each model; the first one and those that may be the best are filled."""
    rows: list[Row] = [
        {
            "model": names.label(standing.model),
            **values[standing.model],
            "filled": standing.may_be_best is True or rank == 0,
        }
        for rank, standing in enumerate(across.models)
        if standing.model in values
    ]
    is_tested = any(standing.may_be_best is not None for standing in across.models)
    return _dots_chart(anchor, caption + (_FILLED if is_tested else _FIRST), rows, axis)


def profile_chart(across: Across, names: Names, anchor: str) -> Chart | None:
    """Return the performance profiles; None with fewer than five tasks or two models."""
    shown_models = [standing for standing in across.models if standing.profile][:_MOST_LINES]
    if len(shown_models) < 2 or len(across.index_tasks) < _FEWEST_STEPS:
        return None
    rows: list[Row] = [
        {"model": names.label(standing.model), "index": threshold, "share": share, "highlighted": rank == 0}
        for rank, standing in enumerate(shown_models)
        for threshold, share in zip(across.thresholds, standing.profile, strict=True)
    ]
    caption = (
        "Performance profiles: the share of tasks on which the index is at least the value below; higher "
    )
    caption += "is better. Thick: the first model of the table; point at a line for its name."
    return Chart(anchor, caption, profiles(height=240), rows, height=240)


def cost_chart(findings: TaskFindings, names: Names, anchor: str, most: int = MOST_ROWS) -> Chart | None:
    """Return a chart of value against each known cost; None if fewer than two models have both.

    Of very many models it has the best, and all that are Pareto-optimal.
    """
    known = [cost for cost in _COSTS if len(findings.costs.get(cost, {})) > 1]
    known.sort(key=lambda cost: not findings.fronts.get(cost))  # an unreliable latency is not shown first
    titles = {cost: _COSTS[cost][0] for cost in known}  # in the order of the menu
    if not titles:
        return None
    negated = findings.shown_negated
    fronts = {cost: findings.fronts.get(cost, ()) for cost in titles}
    cheaper = findings.decision.cheaper if findings.decision else None
    priorities = {cheaper: 1, findings.recommended: 2}
    is_small = len(findings.standings) <= _MOST_NAMED
    drawn = {standing.model for standing in shown_standings(findings, most)}.union(*fronts.values())
    rows: list[Row] = []
    for standing in findings.standings:
        model = standing.model
        if model not in drawn:
            continue
        on_front = [titles[cost] for cost, front in fronts.items() if model in front]
        priority = priorities.get(model, 0 if on_front else -1)
        is_named = [
            titles[cost] for cost, front in fronts.items() if is_small or priority > 0 or model in front
        ]
        rows.append(
            {
                "model": names.label(model),
                "value": as_shown(standing.value, negated=negated),
                **_ends(standing.interval and shown_interval(standing.interval, negated=negated)),
                "fronts": "; ".join(on_front),
                "named": "; ".join(is_named),
                "priority": priority,
                **{
                    title: (findings.costs[cost].get(model) or 0.0) * _COSTS[cost][1] or None
                    for cost, title in titles.items()
                },
            }
        )
    caption = (
        f"{findings.measure} against cost: {'down' if negated else 'up'} is better, left is cheaper. "
        f"{_pareto(titles, fronts)} Bold: recommended. Point at a model for its name and interval."
    )
    places = decimals(standing.value for standing in findings.standings)
    spec = scatter(
        tuple(titles.values()), findings.measure, places, height=320, has_fronts=all(fronts.values())
    )
    return Chart(anchor, caption, spec, rows, height=320)


def _pareto(titles: Mapping[str, str], fronts: Mapping[str, Sequence[str]]) -> str:
    """Return what filled points mean, and against which costs there are none."""
    without = [title.partition(",")[0] for cost, title in titles.items() if not fronts[cost]]
    if not without:
        return f"{_OPTIMAL}."
    none = f"No point is filled against {listing(without)}: unreliable or unknown for pretrained models."
    return none if len(without) == len(titles) else f"{_OPTIMAL}. {none}"


def agreement_chart(agreements: Agreements, anchor: str) -> Chart | None:
    """Return a chart of the agreement of each score over all tasks; None with fewer than two scores."""
    rows: list[Row] = [
        {
            "model": score.score,
            "tau": score.weighted_tau,
            **_ends(score.models.get("weighted_tau")),
            "filled": not score.is_baseline,
        }
        for score in agreements.overall
    ]
    caption = "Mean weighted τ over tasks, 1 is the same order; bars: 95 % CI for other models."
    caption += " Hollow: baseline, which ignores your data."
    return _dots_chart(anchor, caption, rows, ("tau", "weighted τ", 2))


def _similarity_charts(similarity: Similarity, names: Names) -> Iterator[Chart]:
    """Yield the similarity matrices of tasks and models, in the order of their clustering."""
    for matrix, label, caption, unknown, what in (
        (similarity.tasks, names.task, "Tasks: 1 if they order models the same (Spearman).", _FEW, "tasks"),
        (
            similarity.errors,
            names.label,
            "Models: 1 if their residuals are proportional (correlation)."
            if similarity.is_of_residuals
            else "Models: 1 if they err on the same examples (kappa).",
            _NO_ERRORS,
            "errors",
        ),
        (
            similarity.features,
            names.label,
            "Models: 1 if their features are the same (linear CKA).",
            _CONSTANT,
            "features",
        ),
    ):
        if matrix is None or not 2 < len(matrix.names) <= MOST_BARS:
            continue
        known = [value is not None for values in matrix.values for value in values]
        if any(known):
            labels = [label(name) for name in matrix.names]
            rows: list[Row] = [
                {
                    "model": labels[row],
                    "task": labels[column],
                    "text": "–" if value is None else f"{value:.2f}",
                    "level": None if value is None else max(0.0, value),
                }
                for row, values in enumerate(matrix.values)
                for column, value in enumerate(values)
            ]
            height, has_texts = _ROW * len(labels), len(labels) <= _MOST_ACROSS
            spec = heat("similarity", len(labels), height, has_texts=has_texts)
            told = caption if all(known) else f"{caption} {unknown}"
            yield Chart(f"alike-{what}-{similarity.modality or 'all'}", told, spec, rows, height)


def heat_chart(heat_map: HeatMap, names: Names, anchor: str) -> Chart:
    """Return a heat map as a chart that can be saved; a cell without an index is blank."""
    rows: list[Row] = [
        {
            "model": names.label(model),
            "task": names.task(task),
            "text": "–" if cell.share is None else cell.text,
            "level": cell.share,
        }
        for model, cells in heat_map.rows
        for task, cell in zip(heat_map.tasks, cells, strict=True)
    ]
    height = _ROW * len(heat_map.rows)
    has_texts = len(rows) <= _MOST_TEXTS
    spec = heat("index", len(heat_map.tasks), height, has_texts=has_texts)
    return Chart(anchor, "The index as a chart that can be saved.", spec, rows, height)


def _dots_chart(anchor: str, caption: str, rows: Sequence[Row], axis: _Axis) -> Chart | None:
    """Return a chart with one dot for each row; None with fewer than two rows."""
    if len(rows) < 2:
        return None
    more = f" The first {MOST_BARS} of {len(rows)}." if len(rows) > MOST_BARS else ""
    height = _ROW * min(len(rows), MOST_BARS)
    return Chart(anchor, f"{caption}{more}", dots(*axis, height), rows[:MOST_BARS], height)


def _ends(interval: Interval | None) -> dict[str, float | None]:
    return {"low": interval.low if interval else None, "high": interval.high if interval else None}
