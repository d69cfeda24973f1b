"""Writes the verdict of the gate as Markdown, for build summaries and pull request comments."""

from __future__ import annotations

from functools import partial

from assay.core.escaping import in_markdown
from assay.core.estimate import Interval
from assay.findings.change import Gate, TaskChange, TaskVerdict, Verdict
from assay.findings.short import with_short_names
from assay.wording.change import allowed_text

_HEADS = ("task", "verdict", "before", "after", "difference", "95 % CI", "newly wrong", "newly right")
_SIGNS = {Verdict.PASS: "✅", Verdict.FAIL: "❌", Verdict.UNDECIDED: "❔"}


def as_markdown(gate: Gate) -> str:
    """Return the verdict, a table with a row for each task, and the reason of each verdict."""
    called = partial(with_short_names, names=gate.change.names)
    before, after = (in_markdown(called(row.address)) for row in (gate.change.before, gate.change.after))
    changes = {change.task.address: change for change in gate.change.tasks}
    lines = [
        f"### {_SIGNS[gate.verdict]} assay gate: {gate.verdict}",
        "",
        f"{after} in place of {before}, measured by {in_markdown(gate.change.method)}; a loss of up to "
        f"{allowed_text(gate)} is allowed.",
        "",
        f"| {' | '.join(_HEADS)} |",
        f"| --- | --- |{' ---: |' * (len(_HEADS) - 2)}",
    ]
    for verdict in gate.tasks:
        cells = _cells(verdict, changes[verdict.task])
        lines.append(f"| {in_markdown(called(verdict.task))} | {' | '.join(cells)} |")
    reasons = [f"{verdict.task}: {verdict.reason}" for verdict in gate.tasks]
    reasons += [gate.change.refusal] if gate.change.refusal else []
    lines += ["", *(f"- {in_markdown(called(reason))}" for reason in (*reasons, *gate.change.missing))]
    return "\n".join(lines) + "\n"


def _cells(verdict: TaskVerdict, change: TaskChange) -> tuple[str, ...]:
    sign = -1 if change.shown_negated else 1
    flips = change.flips
    return (
        f"{_SIGNS[verdict.verdict]} {verdict.verdict}",
        f"{sign * change.before:.4g}",
        f"{sign * change.after:.4g}",
        f"{sign * change.difference:+.3g}",
        _ends(change.interval, sign),
        "–" if flips is None else f"{flips.negative} of {flips.examples}",
        "–" if flips is None else f"{flips.positive} of {flips.examples}",
    )


def _ends(interval: Interval | None, sign: int) -> str:
    if interval is None:
        return "–"
    low, high = sorted((sign * interval.low, sign * interval.high))
    return f"{low:+.3g} to {high:+.3g}"
