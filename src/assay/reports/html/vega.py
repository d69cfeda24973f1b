"""Vega-Lite specs of charts, written with Altair, without rows and colours.

A colour is written ``@accent``; the page replaces it when it draws, in light and dark mode. The page sets
``shorts`` and ``tops`` to shorter names of rows and columns where they need more room than there is. The
names of a layer called ``names`` belong to the points of the layer ``dots``: in descending order of
``priority`` the page puts each where it overlaps neither a point nor another name, or leaves it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import altair as alt

from assay.reports.html.chart import Spec

_PARAMS: Mapping[str, Any] = {"pinned": [], "shorts": {}, "tops": {}}
_PINNED = "indexof(pinned, datum.model) >= 0"
_FRONT = "indexof(datum.fronts, datum.cost) >= 0"  # fronts is a string

_CELL = 34  # smallest width of a cell with text, in pixels
_SHORT = "shorts[datum.{field}] || datum.{field}"


@cache
def dots(value: str, title: str, places: int, height: int) -> Spec:
    """Return a dot chart: for each model a dot at ``value``, and a bar from ``low`` to ``high``."""
    scale = alt.Scale(zero=False, nice=False, padding=12)
    axis = alt.Axis(tickCount=6, tickMinStep=10.0**-places)
    numbers = [_number(name, name, places) for name in (value, "low", "high")]
    base = _base().encode(y=_models_down(), tooltip=["model:N", *numbers])
    x = alt.X(f"{value}:Q", title=title, scale=scale, axis=axis)
    bars = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=title, scale=scale, axis=axis), x2="high:Q"
    )
    marks = base.mark_point(size=62).encode(x=x, fill=_either("datum.filled", "@accent", "@page"))
    return _spec(alt.layer(bars, marks, _rings(base).encode(x=x)), height)


@cache
def scatter(costs: tuple[str, ...], measure: str, places: int, height: int, *, has_fronts: bool) -> Spec:
    """Return a scatter plot of ``value`` with its interval against a cost that the reader chooses.

    Models have names where ``named`` has the cost; those of higher ``priority`` are placed first.

    Args:
        costs: The names of the cost columns.
        measure: Title of the values.
        places: Decimals of a value.
        height: Height in pixels.
        has_fronts: Each cost has a front, which names then avoid; an empty one breaks their layout.
    """
    choice = alt.binding_select(options=list(costs), name="against ")
    base = _base().transform_fold(list(costs), as_=["cost", "x"])
    base = base.transform_filter("datum.cost == against && isValid(datum.x)")
    numbers = [_number("value", measure, places), *(_number(name, name, places) for name in ("low", "high"))]
    base = base.encode(tooltip=["model:N", *numbers, "cost:N", alt.Tooltip("x:Q", title=" ", format=",.3~r")])
    scale = alt.Scale(zero=False, padding=16)
    x = alt.X(
        "x:Q",
        title=None,
        scale=alt.Scale(type="log", nice=False, padding=24),
        axis=alt.Axis(tickCount=5, format=",.3~r", labelOverlap=True, labelFlush=True, grid=False),
    )
    y = alt.Y("value:Q", title=measure, scale=scale, axis=alt.Axis(tickCount=6))
    low = alt.Y("low:Q", title=measure, scale=scale)
    bars = base.mark_rule(opacity=0.4).encode(x=x, y=low, y2="high:Q")
    front = base.transform_filter(_FRONT).mark_line(strokeWidth=1.5).encode(x=x, y=y)
    front = front.properties(name="front" if has_fronts else "fronts")
    marks, names = _named(base, where=f"indexof(datum.named, datum.cost) >= 0 || {_PINNED}")
    marks = marks.mark_point(size=70).encode(x=x, y=y, fill=_either(_FRONT, "@accent", "@page"))
    layers = (front, bars, marks, _rings(base).encode(x=x, y=y), names.encode(x=x, y=y))
    return _spec(
        alt.layer(*layers).add_params(alt.param(name="against", value=costs[0], bind=choice)), height
    )


@cache
def learning_curves(measure: str, places: int, height: int) -> Spec:
    """Return learning curves, ``value`` over ``size``; a highlighted line has its name at the end."""
    sizes = alt.Scale(type="log", nice=False, padding=24)
    x = alt.X("size:Q", title=None, scale=sizes, axis=alt.Axis(tickCount=5, format=",d", grid=False))
    y = alt.Y("value:Q", title=measure, scale=alt.Scale(zero=False, padding=16), axis=alt.Axis(tickCount=6))
    numbers = ["size:Q", _number("value", measure, places), _number("spread", "deviation over draws", places)]
    base = _base().encode(x=x, y=y, detail="model:N", tooltip=["model:N", *numbers])
    marks, names = _named(base, where=f"datum.last && (datum.highlighted || {_PINNED})")
    marks = marks.mark_point(size=28).encode(fill=_either("datum.highlighted", "@accent", "@page"))
    return _spec(alt.layer(*_lines(base, opacity=0.7), marks, names), height)


@cache
def progress(measure: str, places: int, height: int) -> Spec:
    """Return the best ``value`` so far over ``seconds`` as steps; models that were ``better`` have a name."""
    x = alt.X("seconds:Q", title="seconds", axis=alt.Axis(tickCount=5, grid=False))
    y = alt.Y("value:Q", title=measure, scale=alt.Scale(zero=False, padding=16), axis=alt.Axis(tickCount=6))
    numbers = [_number("value", measure, places), alt.Tooltip("seconds:Q", format=",.3~r")]
    base = _base().encode(x=x, y=y, tooltip=["model:N", *numbers])
    line = base.mark_line(interpolate="step-after", strokeWidth=2).properties(name="front")
    marks, names = _named(base.transform_filter("datum.model"), where="datum.better")
    marks = marks.mark_point(size=62).encode(fill=_either("datum.better", "@accent", "@page"))
    return _spec(alt.layer(line, marks, names), height)


@cache
def profiles(height: int) -> Spec:
    """Return performance profiles: the ``share`` of tasks on which the index is at least ``index``."""
    share = alt.Axis(format=".0%", tickCount=5)
    x = alt.X("index:Q", title="index", axis=alt.Axis(tickCount=6, grid=False))
    y = alt.Y("share:Q", title="share of tasks", scale=alt.Scale(domain=[0, 1]), axis=share)
    on = alt.Tooltip("share:Q", title="on", format=".0%")
    tooltip = ["model:N", _number("index", "index at least", 2), on]
    base = _base().encode(x=x, y=y, detail="model:N", tooltip=tooltip)
    points, names = _named(base, where=f"datum.index == 0 && (datum.highlighted || {_PINNED})")
    points = points.mark_point(size=60, opacity=0)  # targets for the pointer
    return _spec(alt.layer(*_lines(base, interpolate="step-before"), points, names), height)


@cache
def heat(measure: str, columns: int, height: int, *, has_texts: bool) -> Spec:
    """Return a heat map, models x tasks, with ``level`` from 0 to 1 as shade, and ``text`` in each cell.

    There is a row of data for each cell, so that the first ones hold all columns in order; without a level
    it is blank. Texts are left out where the drawn cells are too narrow for them.

    Args:
        measure: Title of the texts.
        columns: Number of columns.
        height: Height in pixels.
        has_texts: Whether texts fit into the cells of a wide chart.
    """
    axis = alt.Axis(
        orient="top", labelAngle=-90, labelOverlap=True, grid=False,
        labelExpr="tops[datum.label] || datum.label",
    )  # fmt: skip
    across = alt.X("task:N", sort=None, title=None, axis=axis)
    tooltip = ["model:N", "task:N", alt.Tooltip("text:N", title=measure)]
    base = _base().encode(x=across, y=_models_down(), tooltip=tooltip)
    shade = alt.Color("level:Q", scale=alt.Scale(domain=[0, 1]), legend=None)
    layers = [base.mark_rect(opacity=0), base.mark_rect().encode(color=shade)]
    if has_texts:
        on_shade = _either("datum.level > 0.62", "@page", "@ink")
        roomy = base.transform_filter(f"width >= {_CELL * columns}")
        layers.append(roomy.mark_text(fontSize=11).encode(text="text:N", color=on_shade))
    return _spec(alt.layer(*layers), height)


def _base() -> alt.Chart:
    return alt.Chart(alt.NamedData(name="rows"))


def _lines(base: alt.Chart, *, opacity: float = 1.0, **mark: str) -> list[alt.Chart]:
    """Return thin lines for all models, and thick lines for highlighted and for pinned ones."""
    kinds = (
        ("!datum.highlighted", "@mark", {"strokeWidth": 1, "opacity": opacity}),
        ("datum.highlighted", "@accent", {"strokeWidth": 2.5}),
        (_PINNED, "@ink", {"strokeWidth": 2}),
    )
    return [
        base.transform_filter(test).mark_line(**mark, **style).encode(stroke=alt.value(colour))
        for test, colour, style in kinds
    ]


def _named(base: alt.Chart, *, where: str) -> tuple[alt.Chart, alt.Chart]:
    """Return the layer of points without its mark, and their names where a test holds."""
    short = _SHORT.format(field="model")
    named = base.transform_calculate(short=f"({where}) ? ({short}) : ''")
    return named.properties(name="dots"), named.mark_text().encode(text="short:N").properties(name="names")


def _rings(base: alt.Chart) -> alt.Chart:
    """Return a ring around each model that the reader pinned."""
    pinned = base.transform_filter(_PINNED)
    return pinned.mark_point(size=260, strokeWidth=2).encode(stroke=alt.value("@ink"))


def _models_down() -> alt.Y:
    axis = alt.Axis(labelExpr=_SHORT.format(field="label"))
    return alt.Y("model:N", sort=None, title=None, axis=axis)


def _either(test: str, yes: str, no: str) -> Any:
    return alt.condition(test, alt.value(yes), alt.value(no))


def _number(name: str, title: str, places: int) -> alt.Tooltip:
    return alt.Tooltip(f"{name}:Q", title=title, format=f".{places}f")


def _spec(chart: alt.LayerChart, height: int) -> Spec:
    params = [alt.param(name=name, value=value) for name, value in _PARAMS.items()]
    whole = chart.add_params(*params).properties(width="container", height=height)
    spec: dict[str, Any] = whole.to_dict()
    del spec["$schema"]  # a URL; the page must have none
    return spec
