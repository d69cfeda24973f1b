"""Renders findings for a notebook: the answer, and the best models of each task."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from assay.findings.per_task import Standing, TaskFindings

SHOWN = 10  # models of a task


def notebook_html(headline: Iterable[str], tasks: Iterable[TaskFindings]) -> str:
    """Return HTML without scripts or styles; every name is escaped."""
    answer = "".join(f"<p><b>{escape(sentence)}</b></p>" for sentence in headline)
    return answer + "".join(map(_task, tasks))


def _task(findings: TaskFindings) -> str:
    direction = "lower is better" if findings.shown_negated else "higher is better"
    rows = "".join(_row(standing, findings) for standing in findings.standings[:SHOWN])
    hidden = len(findings.standings) - SHOWN
    more = f"<p>{hidden} more</p>" if hidden > 0 else ""
    return (
        f"<table><caption>{escape(findings.task.address)}: {escape(findings.measure)}, {direction}; "
        f"{findings.task.test_count:,} test examples</caption>"
        "<thead><tr><th></th><th>model</th><th>value</th><th>95 % interval</th><th>index</th></tr></thead>"
        f"<tbody>{rows}</tbody></table>{more}"
    )


def _row(standing: Standing, findings: TaskFindings) -> str:
    sign = -1 if findings.shown_negated else 1
    interval = standing.interval
    ends = sorted((sign * interval.low, sign * interval.high)) if interval else ()
    name = escape(standing.model)
    cells = [
        f"{standing.rank}{'=' if standing.may_be_best else ''}",
        f"<b>{name}</b>" if standing.model == findings.recommended else name,
        f"{sign * standing.value:.4g}",
        " to ".join(f"{end:.4g}" for end in ends),
        "" if standing.index is None else f"{standing.index:.3f}",
    ]
    return f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"
