"""Whether a model may take the place of another: frozen values for a build server."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.core.estimate import Interval
from assay.findings.change import Change


class Verdict(StrEnum):
    """What the data say of a regression."""

    PASS = "pass"  # noqa: S105  # no password: no regression larger than is allowed
    FAIL = "fail"  # a larger one
    UNDECIDED = "not enough data to tell"


@dataclass(frozen=True, slots=True)
class TaskVerdict:
    """What the data say on one task.

    Attributes:
        task: The address of the task.
        difference: After less before; higher is better.
        interval: Of the difference; None where predictions are not kept.
        reason: Why, in one sentence.
        examples_needed: How many test examples would decide, if the difference stayed what it is; None where
            it is decided, and where no number would.
    """

    task: str
    verdict: Verdict
    difference: float
    interval: Interval | None
    reason: str
    examples_needed: int | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether one model may take the place of another.

    Attributes:
        verdict: Fail if a task fails or a limit forbids the model, else undecided if any task is, else pass.
        max_regression: How much may be lost, in units of the metric.
        tasks: Each task.
        change: What the verdict comes from.
    """

    verdict: Verdict
    max_regression: float
    tasks: tuple[TaskVerdict, ...]
    change: Change
