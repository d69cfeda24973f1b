"""What the charts of a page show: rows of findings, and how each kind of chart draws them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from assay.analysis.wording import decimals, shown, shown_interval
from assay.core.across import Across
from assay.core.comparison import ModelRow, TaskFindings
from assay.core.estimate import Interval
from assay.page.drawings import dots, heat, scatter
from assay.page.heat import HeatMap
from assay.page.names import Names

MOST_BARS = 60  # models of one chart; the table beside it has them all
_MOST_TEXTS = 800  # cells of a heat map that carry their number
_ROW = 21  # pixels
_COSTS = {"latency, ms": 1e3, "parameters, M": 1e-6, "MACs, G": 1e-9, "weights, MB": 1e-6}

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
    return _dots_chart(anchor, told, rows, dots("index", "index", 3))


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
    return _dots_chart(anchor, told, rows, dots("place", "place, 1 is best", 0))


def cost_chart(
    findings: TaskFindings, models: Mapping[str, ModelRow], names: Names, anchor: str
) -> Chart | None:
    """Return value against each cost that is known; None where fewer than two models have both."""
    latency = next(iter(_COSTS))
    rows: list[Row] = []
    for one in findings.standings:
        reach = one.interval and shown_interval(one.interval, negated=findings.shown_negated)
        rows.append(
            {
                "model": names.label(one.model),
                "value": shown(one.value, negated=findings.shown_negated),
                **_reach(reach),
                "fronts": latency if one.model in findings.pareto else "",
                "take": one.model == findings.recommended,
                **_costs(models.get(one.model)),
            }
        )
    known = tuple(name for name in _COSTS if sum(row[name] is not None for row in rows) > 1)
    if not known:
        return None
    better = "down" if findings.shown_negated else "up"
    told = f"{findings.measure} against cost: {better} is better, left is cheaper."
    if latency in known:
        told += " Filled and joined: no other model is both better and faster."
    places = decimals(one.value for one in findings.standings)
    return Chart(anchor, told, scatter(known, findings.measure, places), rows, height=320)


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
    spec = heat(height, has_texts=len(rows) <= _MOST_TEXTS)
    return Chart(anchor, "The index as a chart that can be saved.", spec, rows, height)


def _dots_chart(anchor: str, told: str, rows: Sequence[Row], spec: Mapping[str, Any]) -> Chart:
    more = f" The first {MOST_BARS} of {len(rows)} models." if len(rows) > MOST_BARS else ""
    shown_rows = rows[:MOST_BARS]
    height = _ROW * len(shown_rows)
    whole = {**spec, "height": height}
    return Chart(anchor, f"{told} Filled: not told from the first.{more}", whole, shown_rows, height)


def _reach(interval: Interval | None) -> dict[str, float | None]:
    return {"low": interval.low if interval else None, "high": interval.high if interval else None}


def _costs(row: ModelRow | None) -> dict[str, float | None]:
    if row is None:
        return dict.fromkeys(_COSTS)
    known = (row.latency_seconds, row.facts.parameters, row.facts.macs, row.facts.bytes)
    return {
        name: cost * unit if cost else None for (name, unit), cost in zip(_COSTS.items(), known, strict=True)
    }
