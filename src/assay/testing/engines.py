"""What every engine must do: derive from ``EngineContract`` and override the fixture ``engine``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from assay.core.engine import Engine
from assay.core.job import Job
from assay.core.result import Event, Finished, Result, Status

VISITS = tuple(f"model {number}" for number in range(5))
METHODS = ("knn", "linear_probe", "logme")


def perform(visit: str) -> Iterator[Event]:
    """Finish three jobs of a visit; those of one model fail, as a broken model makes them."""
    for method in METHODS:
        job = Job(visit, "task", method, 0, f"{visit} {method}", "data")
        if visit == VISITS[2]:
            yield Finished(Result(job, Status.FAILED, reason="it is broken"))
        else:
            yield Finished(Result(job, Status.OK, value=float(len(method))))


class EngineContract:
    """The laws of engines.

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

        assert sorted(keys) == sorted(f"{visit} {method}" for visit in VISITS for method in METHODS)

    def test_the_events_of_a_visit_keep_their_order(self, engine: Engine) -> None:
        found = [event.result.job for event in self._events(engine)]

        for visit in VISITS:
            assert tuple(job.method for job in found if job.model == visit) == METHODS

    def test_a_failing_model_stops_no_other(self, engine: Engine) -> None:
        found = {event.result.job.model: event.result.status for event in self._events(engine)}

        assert found == {visit: Status.FAILED if visit == VISITS[2] else Status.OK for visit in VISITS}

    def test_the_same_visits_give_the_same_results(self, engine: Engine) -> None:
        once, again = self._events(engine), self._events(engine)

        assert {one.result.job.key: one for one in once} == {one.result.job.key: one for one in again}

    def test_nothing_to_do_is_no_event(self, engine: Engine) -> None:
        assert list(engine.run(perform, ())) == []

    @staticmethod
    def _events(engine: Engine) -> list[Finished]:
        return [event for event in engine.run(perform, VISITS) if isinstance(event, Finished)]
