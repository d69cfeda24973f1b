"""Contract tests of engines: derive from ``EngineContract`` and override the fixture ``engine``."""

from __future__ import annotations

import os
import signal
from collections import Counter
from collections.abc import Iterable, Iterator

import pytest

from assay.core.result import Event, Finished, Result, Status
from assay.plugins.engine import Engine, Evaluate, Stage, Watch
from assay.plugins.scheduler import Observed, ObservedModel, Pause, Scheduler, observed
from assay.testing.schedulers import METHODS, SimulatedEvaluation, simulated_evaluations

EVALUATIONS = simulated_evaluations(*(f"model {number}" for number in range(4)))


class SimulatedEvaluator:
    """Finishes the jobs of evaluations; those of one model fail."""

    def __call__(self, evaluation: SimulatedEvaluation, watch: Watch) -> Iterator[Event]:
        for job, method in evaluation.jobs:
            watch(Stage(job.model, job.task, method))
            if evaluation.model == EVALUATIONS[2].model:
                yield Finished(Result(job, Status.FAILED, reason="it is broken"))
            else:
                yield Finished(Result(job, Status.OK, value=float(len(method))))

    def close(self) -> None:
        """Do nothing: no model is open."""


class CrashingEvaluator:
    """Finishes the jobs of evaluations; the second job of each evaluation ends the process.

    Args:
        number: The signal that ends the process.
    """

    def __init__(self, number: signal.Signals = signal.SIGKILL) -> None:
        self._number = number

    def __call__(self, evaluation: SimulatedEvaluation, watch: Watch) -> Iterator[Event]:
        for job, method in evaluation.jobs:
            watch(Stage(job.model, job.task, method))
            if method == METHODS[1]:
                os.kill(os.getpid(), self._number)
            yield Finished(Result(job, Status.OK, value=float(len(method))))

    def close(self) -> None:
        """Do nothing: no model is open."""


class InTurn(Scheduler[SimulatedEvaluation]):
    """Gives the evaluations in order; it is strict about how it is asked.

    Args:
        evaluations: The evaluations.
        one_by_one: Whether an evaluation is given only when all jobs of the one before were told.
    """

    def __init__(self, evaluations: Iterable[SimulatedEvaluation], *, one_by_one: bool = False) -> None:
        self._left = list(evaluations)
        self._one_by_one = one_by_one
        self._running: dict[str, SimulatedEvaluation] = {}
        self._told: Counter[str] = Counter()

    def ask(self, worker: str) -> SimulatedEvaluation | Pause:
        ended = self._running.pop(worker, None)
        assert ended is None or self._is_told(ended), f"{worker} asks before its events were told"
        if not self._left:
            return Pause.DONE
        if self._one_by_one and self._running:
            return Pause.WAIT
        self._running[worker] = self._left.pop(0)
        return self._running[worker]

    def tell(self, event: Observed | ObservedModel) -> None:
        if isinstance(event, Observed):
            self._told[event.job.key] += 1

    def _is_told(self, evaluation: SimulatedEvaluation) -> bool:
        return all(self._told[job.key] == 1 for job, _ in evaluation.jobs)


def simulated_matrix(*models: str) -> Scheduler[SimulatedEvaluation]:
    """Return a scheduler of one evaluation of each model."""
    return InTurn(simulated_evaluations(*models))


def run_as_a_study(
    engine: Engine,
    scheduler: Scheduler[SimulatedEvaluation],
    watch: Watch,
    evaluate: Evaluate[SimulatedEvaluation] | None = None,
) -> list[Finished]:
    """Run simulated evaluations, and tell the scheduler of each event before the next one is taken."""
    finished = []
    for event in engine.run(evaluate or SimulatedEvaluator(), scheduler, watch):
        scheduler.tell(observed(event))
        if isinstance(event, Finished):
            finished.append(event)
    return finished


def _unseen(stage: Stage) -> None:
    """Ignore the stage."""


class EngineContract:
    """The contract tests of engines.

    class TestMine(EngineContract):
        @pytest.fixture
        def engine(self):
            return Mine()
    """

    @pytest.fixture
    def engine(self) -> Engine:
        raise NotImplementedError("Override the fixture `engine`.")

    def test_every_event_arrives_once(self, engine: Engine) -> None:
        keys = [event.result.job.key for event in self._events(engine)]

        assert sorted(keys) == sorted(job.key for evaluation in EVALUATIONS for job, _ in evaluation.jobs)

    def test_the_events_of_an_evaluation_keep_their_order(self, engine: Engine) -> None:
        jobs = [event.result.job for event in self._events(engine)]

        for evaluation in EVALUATIONS:
            assert tuple(job.method for job in jobs if job.model == evaluation.model) == METHODS

    def test_a_failing_model_stops_no_other(self, engine: Engine) -> None:
        statuses = {event.result.job.model: event.result.status for event in self._events(engine)}

        assert statuses == {
            evaluation.model: Status.FAILED if evaluation == EVALUATIONS[2] else Status.OK
            for evaluation in EVALUATIONS
        }

    def test_the_same_evaluations_give_the_same_results(self, engine: Engine) -> None:
        first, second = ({event.result.job.key: event for event in self._events(engine)} for _ in range(2))

        assert first == second

    def test_nothing_to_do_is_no_event(self, engine: Engine) -> None:
        assert list(engine.run(SimulatedEvaluator(), simulated_matrix(), _unseen)) == []

    def test_a_worker_waits_where_it_is_told_to(self, engine: Engine) -> None:
        jobs = [event.result.job for event in self._events(engine, one_by_one=True)]

        assert [job.model for job in jobs] == [e.model for e in EVALUATIONS for _ in METHODS]

    def test_closing_the_events_ends_the_run(self, engine: Engine) -> None:
        scheduler = InTurn(EVALUATIONS, one_by_one=True)
        events = engine.run(SimulatedEvaluator(), scheduler, _unseen)
        next(events)

        events.close()

        assert list(events) == []

    def test_the_watcher_receives_every_job(self, engine: Engine) -> None:
        seen: list[tuple[str, str]] = []
        self._events(engine, lambda stage: seen.append((stage.model, stage.what)))

        assert sorted(seen) == sorted(
            (evaluation.model, method) for evaluation in EVALUATIONS for method in METHODS
        )

    @staticmethod
    def _events(engine: Engine, watch: Watch = _unseen, *, one_by_one: bool = False) -> list[Finished]:
        return run_as_a_study(engine, InTurn(EVALUATIONS, one_by_one=one_by_one), watch)


class IsolatingEngineContract(EngineContract):
    """The contract tests of engines that run evaluations in other processes."""

    def test_a_job_that_ends_its_process_is_one_failed_row(self, engine: Engine) -> None:
        results = [
            event.result
            for event in run_as_a_study(engine, InTurn(EVALUATIONS), _unseen, CrashingEvaluator())
        ]

        assert sorted(result.job.key for result in results) == sorted(
            job.key for evaluation in EVALUATIONS for job, _ in evaluation.jobs
        )
        for result in results:
            assert (result.status is Status.FAILED) == (result.job.method == METHODS[1])
