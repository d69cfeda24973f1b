"""Draws the regret of rules against the number of models and against cost, as one page or image."""

from __future__ import annotations

from importlib import import_module
from io import StringIO
from pathlib import Path

from assay.core.errors import MissingPackage, UsageError
from assay.environment.atomic_file import replacing
from assay.findings.simulation import Simulation

_SUFFIXES = (".html", ".svg")
_WIDTH, _HEIGHT = 380, 300  # pixels


def check_plot(path: Path) -> None:
    """Raise ``UsageError`` unless a plot can be written to a path: before work that takes minutes."""
    if path.suffix not in _SUFFIXES:
        raise UsageError(f"The plot is '{path}'. Write a file that ends in .html or .svg.")
    for package in ("altair", "vl_convert"):
        try:
            import_module(package)
        except ModuleNotFoundError as error:
            raise MissingPackage("html", package) from error


def write_plot(simulation: Simulation, path: Path) -> None:
    """Write two charts, side by side: mean normalised regret of each rule, which is best at 0.

    Args:
        simulation: What the rules reach.
        path: Ends in ``.html``, for a page that needs no network, or in ``.svg``.
    """
    import altair as alt

    rules = [line.policy for line in simulation.lines]
    by_models = [
        {"rule": line.policy, "x": number, "regret": regret}
        for line in simulation.lines
        for number, regret in enumerate(line.curve, start=1)
    ]
    start = _before_the_first_model(simulation)
    by_cost = [
        {"rule": line.policy, "x": share, "regret": line.cost_curve[place]}
        for line in simulation.lines
        for place, share in enumerate(simulation.shares_of_curve)
        if place >= start
    ]
    colour = alt.Color("rule:N", sort=rules, title=None, legend=alt.Legend(symbolStrokeWidth=3))
    tooltip = ["rule:N", "x:Q", alt.Tooltip("regret:Q", format=".3f")]
    number = alt.X("x:Q", title="models tried", axis=alt.Axis(tickMinStep=1, grid=False))
    share = alt.X(
        "x:Q",
        title="share of the cost of trying all",
        scale=alt.Scale(type="log"),
        axis=alt.Axis(format="~%", grid=False, tickCount=5),
    )
    top = max(1.0, *(line.curve[0] for line in simulation.lines if line.policy != "random"))
    y = alt.Y("regret:Q", title="regret, mean over data sets", scale=alt.Scale(domain=[0, top], clamp=True))
    thick = alt.condition("indexof(datum.rule, 'search') == 0", alt.value(3), alt.value(1.5))
    charts = [
        alt.Chart(alt.Data(values=rows))
        .mark_line(interpolate=shape)
        .encode(x=x, y=y, color=colour, strokeWidth=thick, tooltip=tooltip)
        .properties(width=_WIDTH, height=_HEIGHT)
        for rows, x, shape in ((by_models, number, "linear"), (by_cost, share, "step-after"))
    ]
    whole = alt.hconcat(*charts).configure_view(stroke=None).configure_axis(gridOpacity=0.4)
    text = StringIO()
    whole.save(text, format=path.suffix[1:], **({"inline": True} if path.suffix == ".html" else {}))
    with replacing(path) as file:
        file.write(text.getvalue().encode("utf-8"))


def _before_the_first_model(simulation: Simulation) -> int:
    """Return the last share of cost at which no rule has come to a model."""
    curves = [line.cost_curve for line in simulation.lines]
    done = [any(regret != 1 for regret in at_share) for at_share in zip(*curves, strict=True)]
    return max(0, done.index(True) - 1) if True in done else 0
