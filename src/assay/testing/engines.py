"""Contract tests of engines: derive from ``EngineContract`` and override the fixture ``engine``."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

import pytest

from assay.core.job import Job
from assay.core.result import Event, Finished, Result, Status
from assay.plugins.engine import Engine, Stage, Watch

METHODS = ("knn", "linear_probe", "logme")


@dataclass(frozen=True, slots=True)
class SimulatedEvaluation:
    """An evaluation with trivial jobs."""

    model: str
    jobs: tuple[tuple[Job, str], ...]

    def without(self, keys: Collection[str]) -> SimulatedEvaluation:
        return SimulatedEvaluation(self.model, tuple(pair for pair in self.jobs if pair[0].key not in keys))


def simulated_evaluation(model: str) -> SimulatedEvaluation:
    """Return an evaluation of one model."""
    jobs = (Job(model, "task", method, 0, f"{model} {method}", "data") for method in METHODS)
    return SimulatedEvaluation(model, tuple((job, job.method) for job in jobs))


EVALUATIONS = tuple(simulated_evaluation(f"model {number}") for number in range(4))


def evaluate(evaluation: SimulatedEvaluation, watch: Watch) -> Iterator[Event]:
    """Finish the jobs of an evaluation; the jobs of one model fail."""
    for job, method in evaluation.jobs:
        watch(Stage(job.model, job.task, method))
        if evaluation.model == EVALUATIONS[2].model:
            yield Finished(Result(job, Status.FAILED, reason="it is broken"))
        else:
            yield Finished(Result(job, Status.OK, value=float(len(method))))


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

        assert sorted(keys) == sorted(
            f"{evaluation.model} {method}" for evaluation in EVALUATIONS for method in METHODS
        )

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
        assert list(engine.run(evaluate, (), _unseen)) == []

    def test_the_watcher_receives_every_job(self, engine: Engine) -> None:
        seen: list[tuple[str, str]] = []
        list(engine.run(evaluate, EVALUATIONS, lambda stage: seen.append((stage.model, stage.what))))

        assert sorted(seen) == sorted(
            (evaluation.model, method) for evaluation in EVALUATIONS for method in METHODS
        )

    @staticmethod
    def _events(engine: Engine) -> list[Finished]:
        events = engine.run(evaluate, EVALUATIONS, _unseen)
        return [event for event in events if isinstance(event, Finished)]
