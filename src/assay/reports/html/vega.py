"""Vega-Lite specs of charts, written with Altair, without rows and colours.

A colour is written ``@accent``; the page replaces it when it draws, in light and dark mode. On a narrow
screen the page sets ``narrow``, and ``shorts`` with a short name for each model.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

import altair as alt

Spec = Mapping[str, Any]  # the format of Vega-Lite, whose schema Altair holds

_PARAMS: Mapping[str, Any] = {"pinned": [], "narrow": False, "shorts": {}}
_PINNED = "indexof(pinned, datum.model) >= 0"
_FRONT = "indexof(datum.fronts, datum.cost) >= 0"  # fronts is a string

_MOST_NARROW = 5  # columns of a narrow heat map with text in its cells
_SHORT = "shorts[datum.{field}] || datum.{field}"
_IS_FAR = "log(datum.x / datum.least) > 0.6 * log(datum.most / datum.least)"


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
def scatter(costs: tuple[str, ...], measure: str, places: int, height: int, *, lower_is_better: bool) -> Spec:
    """Return a scatter plot of ``value`` with its interval against a cost that the reader chooses.

    Args:
        costs: The names of the cost columns.
        measure: Title of the values.
        places: Decimals of a value.
        height: Height in pixels.
        lower_is_better: Whether lower values are better.
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
        axis=alt.Axis(tickCount=5, format=",.3~r", labelOverlap=True, grid=False),
    )
    y = alt.Y("value:Q", title=measure, scale=scale, axis=alt.Axis(tickCount=6))
    low = alt.Y("low:Q", title=measure, scale=scale)
    bars = base.mark_rule(opacity=0.4).encode(x=x, y=low, y2="high:Q")
    front = base.transform_filter(_FRONT).mark_line(strokeWidth=1.5).encode(x=x, y=y)
    marks = base.mark_point(size=70).encode(x=x, y=y, fill=_either(_FRONT, "@accent", "@page"))
    texts = [text.encode(x=x, y=y, text="short:N") for text in _named(base, lower_is_better=lower_is_better)]
    layers = (front, bars, marks, _rings(base).encode(x=x, y=y), *texts)
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
    marks = base.mark_point(size=28).encode(fill=_either("datum.highlighted", "@accent", "@page"))
    texts = _line_names(base, where="datum.last", align="right", dx=-6)
    return _spec(alt.layer(*_lines(base, opacity=0.7), marks, texts), height)


@cache
def profiles(height: int) -> Spec:
    """Return performance profiles: the ``share`` of tasks on which the index is at least ``index``."""
    share = alt.Axis(format=".0%", tickCount=5)
    x = alt.X("index:Q", title="index", axis=alt.Axis(tickCount=6, grid=False))
    y = alt.Y("share:Q", title="share of tasks", scale=alt.Scale(domain=[0, 1]), axis=share)
    on = alt.Tooltip("share:Q", title="on", format=".0%")
    tooltip = ["model:N", _number("index", "index at least", 2), on]
    base = _base().encode(x=x, y=y, detail="model:N", tooltip=tooltip)
    points = base.mark_point(size=60, opacity=0)  # targets for the pointer
    texts = _line_names(base, where="datum.index == 0", align="left", dx=4)
    return _spec(alt.layer(*_lines(base, interpolate="step-before"), points, texts), height)


@cache
def heat(measure: str, columns: int, height: int, *, has_texts: bool, is_square: bool) -> Spec:
    """Return a heat map, models x tasks, with ``level`` from 0 to 1 as shade, and ``text`` in each cell.

    Args:
        measure: Title of the texts.
        columns: Number of columns.
        height: Height in pixels.
        has_texts: Whether texts fit into the cells.
        is_square: Columns are the same as rows, so that their names are left out.
    """
    axis = alt.Axis(orient="top", labelAngle=-90, labelLimit=130, labels=not is_square, grid=False)
    across = alt.X("task:N", sort=None, title=None, axis=axis)
    tooltip = ["model:N", "task:N", alt.Tooltip("text:N", title=measure)]
    base = _base().encode(x=across, y=_models_down(), tooltip=tooltip)
    shade = alt.Color("level:Q", scale=alt.Scale(domain=[0, 1]), legend=None)
    layers = [base.mark_rect().encode(color=shade)]
    if has_texts:
        on_shade = _either("datum.level > 0.62", "@page", "@ink")
        roomy = base if columns <= _MOST_NARROW else base.transform_filter("!narrow")
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


def _line_names(base: alt.Chart, *, where: str, align: str, dx: int) -> alt.Chart:
    """Return the names of highlighted and pinned models at one point of their lines."""
    named = _shortened(base).transform_filter(f"{where} && (datum.highlighted || {_PINNED})")
    return named.mark_text(align=align, dx=dx, dy=-9, limit=280).encode(text="short:N")


def _rings(base: alt.Chart) -> alt.Chart:
    """Return a ring around each model that the reader pinned."""
    pinned = base.transform_filter(_PINNED)
    return pinned.mark_point(size=260, strokeWidth=2).encode(stroke=alt.value("@ink"))


def _named(base: alt.Chart, *, lower_is_better: bool) -> list[alt.Chart]:
    """Return labels of selected models: right of their marks, or left near the end of the axis.

    Labels are on the free side of the front, which rises to the right if higher is better. On a narrow screen
    only the recommended model has a label, as others would overlap.
    """
    ends = _shortened(base).transform_joinaggregate(least="min(x)", most="max(x)")
    is_named = "(narrow ? datum.highlighted : indexof(datum.named, datum.cost) >= 0)"
    named = ends.transform_filter(f"{is_named} || {_PINNED}")
    right_of, left_of = (-9, 11) if lower_is_better else (11, -9)  # pixels down
    return [
        named.transform_filter(f"{sign}({_IS_FAR})").mark_text(align=align, dx=dx, dy=dy, limit=280)
        for sign, align, dx, dy in (("!", "left", 9, right_of), ("", "right", -9, left_of))
    ]


def _shortened(base: alt.Chart) -> alt.Chart:
    return base.transform_calculate(short=_SHORT.format(field="model"))


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
