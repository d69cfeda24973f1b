"""The remaining work of an evaluation that a worker runs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Generic

from assay.core.result import Cause, Event, Finished, Result, Status
from assay.plugins.scheduler import WorkT


@dataclass(slots=True)
class Remaining(Generic[WorkT]):
    """An evaluation that a worker runs.

    Attributes:
        left: The part that has not finished.
        has_opened: Whether the model is open.
        is_clean: Whether no job has failed: an evaluator then keeps the model open.
        fault: Why its worker was killed; empty if it was not.
        repeats: The number of restarts after failures that were not its fault.
    """

    left: WorkT
    has_opened: bool = False
    is_clean: bool = True
    fault: str = ""
    repeats: int = 0

    def learn(self, event: Event) -> None:
        """Note what an event says about what is left."""
        self.has_opened = True
        if isinstance(event, Finished):
            self.left = self.left.without({event.result.job.key})
            self.is_clean &= event.result.status is not Status.FAILED

    def failed(
        self, reason: str, count: int | None = None, *, cause: Cause = Cause.MODEL, seconds: float = 0.0
    ) -> Iterator[Finished]:
        """Return failed results of the first jobs, or of all, and leave them out."""
        jobs = [job for job, _ in self.left.jobs[:count]]
        self.left, self.is_clean = self.left.without({job.key for job in jobs}), False
        failed = partial(Result, status=Status.FAILED, reason=reason, cause=cause, seconds=seconds)
        return (Finished(failed(job)) for job in jobs)
