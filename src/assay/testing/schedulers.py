"""Contract tests of schedulers: derive from ``SchedulerContract`` and override the fixture ``schedule``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pytest

from assay.core.job import Job
from assay.core.result import Finished, Result, Status
from assay.plugins.scheduler import Pause, Scheduler, observed

METHODS = ("knn", "linear_probe", "logme")


@dataclass(frozen=True, slots=True)
class SimulatedEvaluation:
    """An evaluation with trivial jobs."""

    model: str
    jobs: tuple[tuple[Job, str], ...]
    memory_bytes: float | None = None

    @property
    def model_key(self) -> str:
        return self.model

    @property
    def device(self) -> str:
        return "cpu"

    @property
    def expected_bytes(self) -> int:
        return 0

    def without(self, keys: Collection[str]) -> SimulatedEvaluation:
        return replace(self, jobs=tuple(pair for pair in self.jobs if pair[0].key not in keys))


def simulated_evaluations(*models: str, tasks: Sequence[str] = ("task",)) -> tuple[SimulatedEvaluation, ...]:
    """Return an evaluation of each model on each task."""
    return tuple(
        SimulatedEvaluation(
            model,
            tuple(
                (Job(model, task, method, 0, f"{model} {task} {method}", "data"), method)
                for method in METHODS
            ),
        )
        for model in models
        for task in tasks
    )


Schedule = Callable[[Sequence[SimulatedEvaluation]], Scheduler[SimulatedEvaluation]]

EVALUATIONS = simulated_evaluations("a", "b", "c", tasks=("pets", "cars", "birds"))
WORKERS = (1, 2, 5)


class SchedulerContract:
    """The contract tests of schedulers.

    class TestMine(SchedulerContract):
        @pytest.fixture
        def schedule(self):
            return Mine  # called with the evaluations that it may give
    """

    @pytest.fixture
    def schedule(self) -> Schedule:
        raise NotImplementedError("Override the fixture `schedule`.")

    @pytest.mark.parametrize("workers", WORKERS)
    def test_no_job_is_given_twice(self, schedule: Schedule, workers: int) -> None:
        jobs = Counter(job.key for _, given in run(schedule, workers) for job, _ in given.jobs)

        assert set(jobs.values()) <= {1}

    @pytest.mark.parametrize("workers", WORKERS)
    def test_what_is_given_is_of_the_study_and_has_jobs(self, schedule: Schedule, workers: int) -> None:
        known = {job.key for evaluation in EVALUATIONS for job, _ in evaluation.jobs}

        for _, given in run(schedule, workers):
            assert given.jobs
            assert {job.key for job, _ in given.jobs} <= known

    @pytest.mark.parametrize("workers", WORKERS)
    def test_the_same_events_give_the_same_evaluations(self, schedule: Schedule, workers: int) -> None:
        assert run(schedule, workers) == run(schedule, workers)

    def test_it_is_done_at_once_without_evaluations(self, schedule: Schedule) -> None:
        assert schedule(()).ask("worker") is Pause.DONE

    def test_who_is_done_stays_done(self, schedule: Schedule) -> None:
        scheduler = schedule(EVALUATIONS)
        run_all(scheduler, 1)

        assert {scheduler.ask(worker) for worker in ("worker 0", "worker 0", "another")} == {Pause.DONE}

    def test_jobs_that_fail_end_nothing(self, schedule: Schedule) -> None:
        given = run_all(schedule(EVALUATIONS), 2, Status.FAILED)

        assert given


Given = list[tuple[str, SimulatedEvaluation]]


def run(schedule: Schedule, workers: int) -> Given:
    """Run a scheduler to its end; return what each worker was given, in order."""
    return run_all(schedule(EVALUATIONS), workers)


def run_all(scheduler: Scheduler[SimulatedEvaluation], workers: int, status: Status = Status.OK) -> Given:
    """Ask for workers of random speed until all are done; fail if all wait, or if it does not end."""
    rng = np.random.default_rng(workers)
    given: Given = []
    asking = [f"worker {number}" for number in range(workers)]
    running: dict[str, list[Finished]] = {}
    for _ in range(1000):
        for worker in list(asking):
            answer = scheduler.ask(worker)
            if answer is Pause.WAIT:
                continue
            asking.remove(worker)
            if not isinstance(answer, Pause):
                given.append((worker, answer))
                running[worker] = [Finished(_result(job, status)) for job, _ in answer.jobs]
        if not running:
            assert not asking, f"{', '.join(asking)} wait while nothing runs"
            return given
        worker = sorted(running)[rng.integers(len(running))]
        scheduler.tell(observed(running[worker].pop(0)))
        if not running[worker]:
            del running[worker]
            asking.append(worker)
    raise AssertionError("the scheduler does not end")


def _result(job: Job, status: Status) -> Result:
    if status is Status.OK:
        return Result(job, status, value=float(len(job.method)))
    return Result(job, status, reason="it is broken")
