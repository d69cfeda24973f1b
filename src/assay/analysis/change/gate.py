"""Decides whether a model may take the place of another, or says that the data do not tell."""

from __future__ import annotations

import math
import re

from assay.core.errors import UsageError
from assay.core.task import TaskKind
from assay.findings.change import Change, Gate, TaskChange, TaskVerdict, Verdict
from assay.wording.change import verdict_reason
from assay.wording.numbers import two_digits

FEWEST = 30  # test examples below which a bootstrap proves nothing
_ORDER = (Verdict.FAIL, Verdict.UNDECIDED, Verdict.PASS)


def regression_from(text: str) -> tuple[float, bool]:
    """Return a regression that a user allows, and whether it was written in points: hundredths of a share.

    >>> regression_from("0.5pt"), regression_from("0.02")
    ((0.005, True), (0.02, False))
    """
    found = re.fullmatch(r"\s*(\d+(?:\.\d*)?|\.\d+)\s*(pt|pts)?\s*", text)
    if found is None:
        raise UsageError(
            f"Cannot read the regression '{text}'. Write points, as in 0.5pt, or a number, as in 0.02."
        )
    number, is_points = float(found[1]), found[2] is not None
    return (number / 100 if is_points else number), is_points


def gate(change: Change, allowed: str) -> Gate:
    """Decide on every task whether more is lost than is allowed.

    It passes where the whole 95 % interval of the difference lies above minus the allowed regression, and
    fails where all of it lies below; so of models that are worse by exactly that much at most one in forty
    passes on a task. All tasks must pass, which needs no correction for their number.

    Args:
        change: What changes.
        allowed: How much may be lost, as in "0.5pt" or "0.02".

    Raises:
        UsageError: It cannot be read, or says points of a metric that has none.
    """
    most, is_points = regression_from(allowed)
    for one in change.tasks:
        if is_points and (one.shown_negated or one.task.kind is TaskKind.REGRESSION):
            raise UsageError(
                f"'{one.task.address}' is judged by {one.measure}, which has no points. "
                "Write the allowed regression in its unit, as in 0.05, and name the task: --task."
            )
    tasks = tuple(_verdict(one, most) for one in change.tasks)
    found = {one.verdict for one in tasks} | ({Verdict.FAIL} if change.refusal else set())
    return Gate(next(verdict for verdict in _ORDER if verdict in found), most, tasks, change)


def _verdict(one: TaskChange, most: float) -> TaskVerdict:
    count = one.flips.examples if one.flips else one.task.test_count
    verdict, needed = Verdict.UNDECIDED, None
    if one.interval is not None and one.interval.high < -most:
        verdict = Verdict.FAIL
    elif one.interval is not None and one.interval.low >= -most and count >= FEWEST:
        verdict = Verdict.PASS
    else:
        needed = _needed(one, most, count)
    reason = verdict_reason(one, most, count, needed)
    return TaskVerdict(one.task.address, verdict, one.difference, one.interval, reason, needed)


def _needed(one: TaskChange, most: float, count: int) -> int | None:
    """Return how many examples would decide: an interval shrinks with the root of their number."""
    margin = one.difference + most
    if one.interval is None or margin == 0:
        return None
    reach = one.difference - one.interval.low if margin > 0 else one.interval.high - one.difference
    return two_digits(max(count + 1, FEWEST, math.ceil(count * (reach / margin) ** 2)))
