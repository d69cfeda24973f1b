"""Decides whether a model may replace another, or that there are not enough data to decide."""

from __future__ import annotations

import math
import re

from assay.core.errors import UsageError
from assay.core.task import TaskKind
from assay.findings.change import Change, Gate, TaskChange, TaskVerdict, Verdict
from assay.wording.change import verdict_reason
from assay.wording.numbers import two_digits

FEWEST = 30  # with fewer test examples a bootstrap is unreliable
_ORDER = (Verdict.FAIL, Verdict.UNDECIDED, Verdict.PASS)


def regression_from(text: str) -> tuple[float, bool]:
    """Parse the allowed regression; return it and whether it was written in points (hundredths).

    >>> regression_from("0.5pt"), regression_from("0.02")
    ((0.005, True), (0.02, False))
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(pt|pts)?\s*", text)
    if match is None:
        raise UsageError(
            f"Cannot read the regression '{text}'. Write points, as in 0.5pt, or a number, as in 0.02."
        )
    number, is_points = float(match[1]), match[2] is not None
    return (number / 100 if is_points else number), is_points


def gate(change: Change, allowed: str) -> Gate:
    """Decide on every task whether the regression is larger than allowed.

    A task passes if the whole 95 % interval of the difference lies above minus the allowed regression, and
    fails if all of it lies below; a model that is worse by exactly that much passes in at most one of forty
    cases. All tasks must pass, so no correction for their number is needed.

    Args:
        change: The differences between the models.
        allowed: The largest allowed regression, as in "0.5pt" or "0.02".

    Raises:
        UsageError: ``allowed`` cannot be parsed, or is in points for a metric that is not a share.
    """
    most, is_points = regression_from(allowed)
    for task in change.tasks:
        if is_points and (task.shown_negated or task.task.kind is TaskKind.REGRESSION):
            raise UsageError(
                f"'{task.task.address}' is judged by {task.measure}, which has no points. "
                "Write the allowed regression in its unit, as in 0.05, and name the task: --task."
            )
    tasks = tuple(_verdict(task, most) for task in change.tasks)
    verdicts = {verdict.verdict for verdict in tasks} | ({Verdict.FAIL} if change.refusal else set())
    return Gate(next(verdict for verdict in _ORDER if verdict in verdicts), most, tasks, change)


def _verdict(change: TaskChange, most: float) -> TaskVerdict:
    count = change.flips.examples if change.flips else change.task.test_count
    verdict, needed = Verdict.UNDECIDED, None
    if change.interval is not None and change.interval.high < -most:
        verdict = Verdict.FAIL
    elif change.interval is not None and change.interval.low >= -most and count >= FEWEST:
        verdict = Verdict.PASS
    else:
        needed = _needed(change, most, count)
    reason = verdict_reason(change, most, count, needed)
    return TaskVerdict(change.task.address, verdict, change.difference, change.interval, reason, needed)


def _needed(change: TaskChange, most: float, count: int) -> int | None:
    """Return the number of examples that would decide: interval widths scale with 1 / sqrt(n)."""
    margin = change.difference + most
    if change.interval is None or margin == 0:
        return None
    reach = (
        change.difference - change.interval.low if margin > 0 else change.interval.high - change.difference
    )
    return two_digits(max(count + 1, FEWEST, math.ceil(count * (reach / margin) ** 2)))
