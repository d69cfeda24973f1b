import numpy as np
import pytest
from scipy import stats

from assay.analysis.across_tasks.intervals import (
    FEWEST_TASKS,
    draws_of_examples,
    draws_of_tasks,
    interquartile_mean,
    task_interval,
    wide_tail,
)
from assay.analysis.per_task.intervals import ExampleDraws


@pytest.mark.parametrize("size", [2, 3, 4, 5, 8, 13])
def test_the_interquartile_mean_is_scipys_trimmed_mean(size):
    indices = np.random.default_rng(size).uniform(-1, 1, size=(4, size))

    assert interquartile_mean(indices) == pytest.approx(stats.trim_mean(indices, 0.25, axis=1))


def test_one_ruined_task_weighs_no_more_than_the_best_is_above_the_floor():
    assert interquartile_mean(np.array([0.2, -9.0])) == pytest.approx((0.2 - 1.0) / 2)


def test_the_tail_of_few_tasks_agrees_with_a_computation_by_hand():
    # 97.5 % of t with 4 degrees of freedom is 2.776; times sqrt(5 / 4) it is 3.104, below which lies 0.00095
    assert wide_tail(5) == pytest.approx(0.00095, abs=1e-5)
    assert wide_tail(100_000) == pytest.approx(0.025, abs=1e-5)


@pytest.mark.parametrize("tasks", [FEWEST_TASKS, 8, 20])
def test_intervals_over_tasks_hold_the_truth_as_often_as_they_say(tasks):
    rng = np.random.default_rng(tasks)
    truth = interquartile_mean(rng.beta(8, 2, size=(20_000, tasks))).mean()

    studies = rng.beta(8, 2, size=(300, tasks))
    drawn = draws_of_tasks(studies, seed=0)
    result = [task_interval(drawn[:, study], tasks) for study in range(300)]

    assert np.mean([item.low <= truth <= item.high for item in result]) >= 0.92


def test_three_tasks_would_hold_it_too_rarely():
    rng = np.random.default_rng(0)
    studies = rng.beta(8, 2, size=(300, 3))
    drawn = draws_of_tasks(studies, seed=0)
    result = [task_interval(drawn[:, study], 3) for study in range(300)]

    assert np.mean([item.low <= 0.8 <= item.high for item in result]) < 0.85


def test_the_same_tasks_are_drawn_for_each_model():
    indices = np.random.default_rng(0).uniform(size=(1, 9))

    drawn = draws_of_tasks(np.vstack([indices, indices, indices - 0.1]), seed=3)

    assert np.array_equal(drawn[:, 0], drawn[:, 1])
    assert drawn[:, 0] - drawn[:, 2] == pytest.approx(np.full(len(drawn), 0.1))


def test_examples_are_drawn_within_each_task_and_tasks_stay():
    rng = np.random.default_rng(0)
    spread = {"a": 0.01, "b": 0.02, "c": 0.02}
    by_task = {
        task: ExampleDraws(("x", "y"), rng.normal(0.5, [[width, 0.0]], size=(4000, 2)))
        for task, width in spread.items()
    }

    drawn = draws_of_examples(("y", "x"), ("a", "b", "c"), by_task, seed=0)

    assert drawn[:, 0] == pytest.approx(np.full(len(drawn), 0.5))
    assert drawn[:, 1].std() == pytest.approx(0.01, rel=0.06)  # sqrt(0.01^2 + 0.02^2 + 0.02^2) / 3


def test_a_model_without_predictions_on_a_task_has_no_draws():
    by_task = {"a": ExampleDraws(("x", "y"), np.ones((5, 2))), "b": ExampleDraws(("x",), np.ones((5, 1)))}

    drawn = draws_of_examples(("x", "y"), ("a", "b"), by_task, seed=0)

    assert np.isfinite(drawn[:, 0]).all()
    assert np.isnan(drawn[:, 1]).all()
