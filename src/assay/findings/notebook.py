"""A comparison as a notebook shows it: the answer, and the best models of each task."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from assay.findings.comparison import Comparison, Standing, TaskFindings

SHOWN = 10  # models of a task


def as_html(comparison: Comparison) -> str:
    """Return HTML without script or style of its own; every name is text."""
    answer = "".join(f"<p><b>{escape(sentence)}</b></p>" for sentence in comparison.headline)
    return answer + "".join(map(_task, comparison.tasks))


def _task(found: TaskFindings) -> str:
    direction = "lower is better" if found.shown_negated else "higher is better"
    rows = "".join(_row(one, found) for one in found.standings[:SHOWN])
    hidden = len(found.standings) - SHOWN
    more = f"<p>{hidden} more</p>" if hidden > 0 else ""
    return (
        f"<table><caption>{escape(found.task.address)}: {escape(found.measure)}, {direction}; "
        f"{found.task.test_count:,} test examples</caption>"
        "<thead><tr><th></th><th>model</th><th>value</th><th>95 % interval</th><th>index</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>{more}"
    )


def _row(one: Standing, found: TaskFindings) -> str:
    sign = -1 if found.shown_negated else 1
    within = sorted((sign * one.interval.low, sign * one.interval.high)) if one.interval else ()
    name = escape(one.model)
    cells = [
        f"{one.rank}{'=' if one.is_tied_best else ''}",
        f"<b>{name}</b>" if one.model == found.recommended else name,
        f"{sign * one.value:.4g}",
        " to ".join(f"{end:.4g}" for end in within),
        "" if one.index is None else f"{one.index:.3f}",
    ]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
