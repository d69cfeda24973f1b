"""Which worker gets which evaluation of a full matrix, and what a scheduler may see."""

from __future__ import annotations

import pytest

from assay.core.estimate import Interval
from assay.core.result import Finished, Result, Status
from assay.plugins.scheduler import Pause, observed
from assay.run.full_matrix import FullMatrix
from assay.testing.schedulers import EVALUATIONS, WORKERS, run, simulated_evaluations

JOB = EVALUATIONS[0].jobs[0][0]


@pytest.mark.parametrize("workers", WORKERS)
def test_everything_is_given_once(workers):
    given = [evaluation for _, evaluation in run(FullMatrix, workers)]

    assert sorted(given, key=EVALUATIONS.index) == list(EVALUATIONS)


def test_one_worker_gets_everything_in_the_given_order():
    assert [evaluation for _, evaluation in run(FullMatrix, 1)] == list(EVALUATIONS)


def test_a_worker_stays_with_its_model_while_there_is_something_of_it():
    matrix = FullMatrix(simulated_evaluations("a", "b", tasks=("pets", "cars")))

    given = [matrix.ask(worker).model for worker in ("x", "y", "y", "x")]

    assert given == ["a", "b", "b", "a"]


def test_an_idle_worker_helps_with_the_model_that_has_most_left():
    matrix = FullMatrix(
        (*simulated_evaluations("a", tasks=("1", "2")), *simulated_evaluations("b", tasks=("1", "2", "3")))
    )
    held = [matrix.ask(worker).model for worker in ("x", "y")]

    assert held == ["a", "b"]
    assert matrix.ask("z").model == "b"
    assert [matrix.ask(worker).model for worker in ("x", "y")] == ["a", "b"]
    assert matrix.ask("z") is Pause.DONE


def test_a_worker_that_is_replaced_in_the_middle_of_a_model_goes_on_with_it():
    matrix = FullMatrix(simulated_evaluations("a", "b", tasks=("pets", "cars")))
    matrix.ask("x")

    assert matrix.ask("x").model == "a"


def test_a_scheduler_sees_no_value_of_test():
    result = Result(JOB, Status.OK, 0.9, {"accuracy": 0.9, "macro_f1": 0.8}, interval=Interval(0.8, 0.95))

    seen = observed(Finished(result))

    assert (seen.job, seen.status, seen.estimate, seen.interval) == (JOB, Status.OK, None, None)
    assert "0.9" not in repr(seen)


def test_a_scheduler_sees_the_estimate_of_a_score():
    seen = observed(Finished(Result(JOB, Status.OK, 0.7, interval=Interval(0.6, 0.8), metric="accuracy")))

    assert (seen.estimate, seen.interval, seen.metric) == (0.7, Interval(0.6, 0.8), "accuracy")
