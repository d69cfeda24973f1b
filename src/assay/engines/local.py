"""Runs evaluations one after another, in this process."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass

from assay.core.result import Event
from assay.plugins.engine import Engine, Evaluate, Watch
from assay.plugins.scheduler import Scheduler, WorkT, evaluations_of


@dataclass(frozen=True, slots=True)
class Local(Engine):
    """One evaluation after the other, in this process.

    >>> from assay.testing.engines import run_as_a_study, simulated_matrix
    >>> finished = run_as_a_study(Local(), simulated_matrix("resnet18", "vit_small"), lambda stage: None)
    >>> [f"{one.result.job.method} of {one.result.job.model}" for one in finished[2:4]]
    ['logme of resnet18', 'knn of vit_small']
    """

    def run(
        self, evaluate: Evaluate[WorkT], scheduler: Scheduler[WorkT], watch: Watch
    ) -> Generator[Event, None, None]:
        """Run what the scheduler gives and yield the events."""
        with closing(evaluate):
            for evaluation in evaluations_of(scheduler, "local"):
                yield from evaluate(evaluation, watch)
