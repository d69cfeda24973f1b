"""A running step of a search, and the finished steps of earlier runs of the store."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from assay.plugins.scheduler import Observed
from assay.run.evaluation import Evaluation
from assay.run.search.candidates import Candidates, NoCandidate
from assay.search.planner import Step
from assay.store.search_log import SetupCost


@dataclass
class RunningStep:
    """A step of a worker.

    Attributes:
        step: The step; None for the control.
        queue: What is left of it to be given to the worker.
        keys: The keys of all of its jobs.
        start: When it began.
        downloads: The bytes that are downloaded for it.
        replayed: What an earlier run finished of it, by key.
        observed: All that is known of it, by key.
    """

    step: Step | None
    queue: deque[Evaluation]
    keys: frozenset[str]
    start: float
    replayed: Mapping[str, Observed]
    downloads: float = 0.0
    observed: dict[str, Observed] = field(default_factory=dict)

    @property
    def is_replayed(self) -> bool:
        """Whether nothing of it runs."""
        return self.keys <= self.replayed.keys()


class Records(NamedTuple):
    """What the store knows of earlier runs.

    Attributes:
        models: The addresses of models with results.
        known: Returns those of some keys whose jobs need not run again, with what they showed.
        openings: What each step took besides its jobs, by its first key, in the order in which they ended.
        keep_openings: Is told of all of them after each step.
    """

    models: Iterable[str]
    known: Callable[[Iterable[str]], Mapping[str, Observed]]
    openings: Mapping[str, SetupCost]
    keep_openings: Callable[[Mapping[str, SetupCost]], None]


def begun(
    step: Step | None, evaluations: Sequence[Evaluation], records: Records, start: float
) -> RunningStep:
    """Return a step that begins now, without what the store knows of it."""
    keys = keys_of(evaluations)
    known = records.known(keys)
    left = (evaluation.without(known.keys()) for evaluation in evaluations)
    queue = deque(evaluation for evaluation in left if evaluation.jobs)
    return RunningStep(step, queue, keys, start, known, observed=dict(known))


def keys_of(evaluations: Iterable[Evaluation]) -> frozenset[str]:
    """Return the keys of all jobs."""
    return frozenset(job.key for evaluation in evaluations for job, _ in evaluation.jobs)


def stored_steps(candidates: Candidates, records: Records) -> list[Step]:
    """Return the steps that are complete in the store, in the order in which they ended.

    Those of a run that was no search come first: it has not told how long models took to open.
    """
    needed: dict[Step, frozenset[str]] = {}
    first: dict[Step, str] = {}
    for model in candidates.called(records.models):
        for stage, planned in enumerate(candidates.stages):
            try:
                evaluations = candidates.evaluations(model, stage)
            except NoCandidate:  # the scheduler says why, when its turn comes
                break
            step, jobs = Step(model, stage), [job for one in evaluations for job, _ in one.jobs]
            needed[step] = frozenset(job.key for job in jobs if job.method in planned.needed)
            first[step] = min(job.key for job in jobs)
    known = records.known(key for keys in needed.values() for key in keys).keys() if needed else ()
    order = {key: position for position, key in enumerate(records.openings)}
    steps = [step for step, keys in needed.items() if keys <= set(known)]
    return sorted(steps, key=lambda step: (order.get(first[step], -1), *step))
