"""Kinds of charts in Vega-Lite, written with Altair, without their rows and without the page's colours.

A colour is written ``@accent``: the page puts its own in its place when it draws, in light and dark. On a
narrow screen it sets ``narrow``, and in ``shorts`` a name for each model that there is room for.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import altair as alt

_PARAMS: Mapping[str, Any] = {"pinned": [], "narrow": False, "shorts": {}}
_PINNED = "indexof(pinned, datum.model) >= 0"
_FRONT = "indexof(datum.fronts, datum.cost) >= 0"  # fronts is a text

_MOST_NARROW = 5  # columns of a narrow heat map whose cells have room for their texts
_SHORT = "shorts[datum.{field}] || datum.{field}"
_IS_FAR = "log(datum.x / datum.least) > 0.6 * log(datum.most / datum.least)"


@cache
def dots(value: str, title: str, places: int) -> Mapping[str, Any]:
    """Return one line for each model: a dot at ``value``, and a bar from ``low`` to ``high``."""
    import altair as alt

    scale = alt.Scale(zero=False, nice=False, padding=12)
    axis = alt.Axis(tickCount=6, tickMinStep=10.0**-places)
    told = [_number(name, name, places) for name in (value, "low", "high")]
    base = _base().encode(y=_models_down(), tooltip=["model:N", *told])
    x = alt.X(f"{value}:Q", title=title, scale=scale, axis=axis)
    bars = base.mark_rule(strokeWidth=2).encode(
        x=alt.X("low:Q", title=title, scale=scale, axis=axis), x2="high:Q"
    )
    marks = base.mark_point(size=62).encode(x=x, fill=_either("datum.tied", "@accent", "@page"))
    return _spec(alt.layer(bars, marks, _rings(base).encode(x=x)), height=0)


@cache
def scatter(costs: tuple[str, ...], measure: str, places: int, *, is_falling: bool) -> Mapping[str, Any]:
    """Return ``value`` with its interval against one of several costs, which the reader chooses.

    Args:
        costs: The names of the columns.
        measure: What a value is.
        places: Decimals of a value.
        is_falling: Lower is better.
    """
    import altair as alt

    choice = alt.binding_select(options=list(costs), name="against ")
    base = _base().transform_fold(list(costs), as_=["cost", "x"])
    base = base.transform_filter("datum.cost == against && isValid(datum.x)")
    told = [_number("value", measure, places), *(_number(name, name, places) for name in ("low", "high"))]
    base = base.encode(tooltip=["model:N", *told, "cost:N", alt.Tooltip("x:Q", title=" ", format=",.3~r")])
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
    texts = [text.encode(x=x, y=y, text="short:N") for text in _named(base, is_falling=is_falling)]
    layers = (front, bars, marks, _rings(base).encode(x=x, y=y), *texts)
    whole = alt.layer(*layers).add_params(alt.param(name="against", value=costs[0], bind=choice))
    return _spec(whole, height=320)


@cache
def curves(measure: str, places: int) -> Mapping[str, Any]:
    """Return a line for each model, ``value`` over ``size``; the one to ``take`` has its name at the end."""
    import altair as alt

    sizes = alt.Scale(type="log", nice=False, padding=24)
    x = alt.X("size:Q", title=None, scale=sizes, axis=alt.Axis(tickCount=5, format=",d", grid=False))
    y = alt.Y("value:Q", title=measure, scale=alt.Scale(zero=False, padding=16), axis=alt.Axis(tickCount=6))
    told = ["size:Q", _number("value", measure, places), _number("spread", "deviation over draws", places)]
    base = _base().encode(x=x, y=y, detail="model:N", tooltip=["model:N", *told])
    lines = [
        base.transform_filter("!datum.take")
        .mark_line(strokeWidth=1, opacity=0.7)
        .encode(stroke=alt.value("@mark")),
        base.transform_filter("datum.take").mark_line(strokeWidth=2.5),
        base.transform_filter(_PINNED).mark_line(strokeWidth=2).encode(stroke=alt.value("@ink")),
    ]
    marks = base.mark_point(size=28).encode(fill=_either("datum.take", "@accent", "@page"))
    worth = _shortened(base).transform_filter(f"datum.last && (datum.take || {_PINNED})")
    texts = worth.mark_text(align="right", dx=-6, dy=-9, limit=280).encode(text="short:N")
    return _spec(alt.layer(*lines, marks, texts), height=300)


@cache
def profiles() -> Mapping[str, Any]:
    """Return a line for each model: the ``share`` of tasks on which its index is at least ``index``."""
    import altair as alt

    share = alt.Axis(format=".0%", tickCount=5)
    x = alt.X("index:Q", title="index", axis=alt.Axis(tickCount=6, grid=False))
    y = alt.Y("share:Q", title="share of tasks", scale=alt.Scale(domain=[0, 1]), axis=share)
    told = [
        "model:N",
        _number("index", "index at least", 2),
        alt.Tooltip("share:Q", title="on", format=".0%"),
    ]
    base = _base().encode(x=x, y=y, detail="model:N", tooltip=told)
    kinds = (("!datum.take", 1, "@mark"), ("datum.take", 2.5, "@accent"), (_PINNED, 2, "@ink"))
    lines = [
        base.transform_filter(test)
        .mark_line(interpolate="step-before", strokeWidth=width)
        .encode(stroke=alt.value(colour))
        for test, width, colour in kinds
    ]
    points = base.mark_point(size=60, opacity=0)  # what a pointer finds
    worth = _shortened(base).transform_filter(f"datum.index == 0 && (datum.take || {_PINNED})")
    texts = worth.mark_text(align="left", dx=4, dy=-9, limit=280).encode(text="short:N")
    return _spec(alt.layer(*lines, points, texts), height=240)


@cache
def heat(height: int, measure: str, columns: int, *, has_texts: bool, is_square: bool) -> Mapping[str, Any]:
    """Return models down, tasks across, ``level`` from 0 to 1 as shade, and ``text`` in each cell.

    Args:
        height: Pixels.
        measure: What a text is.
        columns: How many stand across.
        has_texts: There is room for them.
        is_square: Across stands the same as down, in the same order: its names would only take room.
    """
    import altair as alt

    across = alt.X(
        "task:N",
        sort=None,
        title=None,
        axis=alt.Axis(orient="top", labelAngle=-90, labelLimit=130, labels=not is_square, grid=False),
    )
    told = ["model:N", "task:N", alt.Tooltip("text:N", title=measure)]
    base = _base().encode(x=across, y=_models_down(), tooltip=told)
    shade = alt.Color("level:Q", scale=alt.Scale(domain=[0, 1]), legend=None)
    layers = [base.mark_rect().encode(color=shade)]
    if has_texts:
        on_shade = _either("datum.level > 0.62", "@page", "@ink")
        roomy = base if columns <= _MOST_NARROW else base.transform_filter("!narrow")
        layers.append(roomy.mark_text(fontSize=11).encode(text="text:N", color=on_shade))
    return _spec(alt.layer(*layers), height=height)


def _base() -> alt.Chart:
    import altair as alt

    return alt.Chart(alt.NamedData(name="rows"))


def _rings(base: alt.Chart) -> alt.Chart:
    """Return a ring around each model that the reader pinned."""
    import altair as alt

    pinned = base.transform_filter(_PINNED)
    return pinned.mark_point(size=260, strokeWidth=2).encode(stroke=alt.value("@ink"))


def _named(base: alt.Chart, *, is_falling: bool) -> list[alt.Chart]:
    """Return the names of the models worth one: right of their marks, and left where the axis ends.

    They stand on the free side of the front, which rises to the right where higher is better. On a narrow
    screen only the recommended model has its name: others would cover it.
    """
    ends = _shortened(base).transform_joinaggregate(least="min(x)", most="max(x)")
    is_named = "(narrow ? datum.take : indexof(datum.named, datum.cost) >= 0)"
    worth = ends.transform_filter(f"{is_named} || {_PINNED}")
    right_of, left_of = (-9, 11) if is_falling else (11, -9)  # pixels down
    return [
        worth.transform_filter(f"{sign}({_IS_FAR})").mark_text(align=align, dx=dx, dy=dy, limit=280)
        for sign, align, dx, dy in (("!", "left", 9, right_of), ("", "right", -9, left_of))
    ]


def _shortened(base: alt.Chart) -> alt.Chart:
    return base.transform_calculate(short=_SHORT.format(field="model"))


def _models_down() -> alt.Y:
    import altair as alt

    axis = alt.Axis(labelExpr=_SHORT.format(field="label"))
    return alt.Y("model:N", sort=None, title=None, axis=axis)


def _either(test: str, yes: str, no: str) -> Any:
    import altair as alt

    return alt.condition(test, alt.value(yes), alt.value(no))


def _number(name: str, title: str, places: int) -> alt.Tooltip:
    import altair as alt

    return alt.Tooltip(f"{name}:Q", title=title, format=f".{places}f")


def _spec(chart: alt.LayerChart, height: int) -> dict[str, Any]:
    import altair as alt

    params = [alt.param(name=name, value=value) for name, value in _PARAMS.items()]
    whole = chart.add_params(*params).properties(width="container", height=height)
    spec: dict[str, Any] = whole.to_dict()
    del spec["$schema"]  # an address, in a page that has none
    return spec
