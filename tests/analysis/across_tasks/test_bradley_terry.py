from itertools import combinations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from assay.analysis.across_tasks.bradley_terry import bradley_terry
from assay.analysis.across_tasks.ranks import average_ranks


def with_holes(models: int, tasks: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    values = np.round(rng.normal(np.linspace(0, 1, models)[:, None], 1, size=(models, tasks)), 1)  # some ties
    values[rng.random(values.shape) < 0.2] = np.nan
    return values


def comparisons(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return a design, the outcomes, and the task of each comparison; ties with an average model have -1."""
    design, outcomes, tasks = [], [], []
    for task in range(values.shape[1]):
        for first, second in combinations(range(len(values)), 2):
            difference = values[first, task] - values[second, task]
            if np.isfinite(difference):
                row = np.zeros(len(values))
                row[first], row[second] = 1.0, -1.0
                design.append(row)
                outcomes.append((np.sign(difference) + 1) / 2)
                tasks.append(task)
    against_average = np.eye(len(values))
    return (
        np.vstack([design, against_average]),
        np.append(outcomes, np.full(len(values), 0.5)),
        np.append(tasks, np.full(len(values), -1)),
    )


@pytest.mark.filterwarnings("ignore::statsmodels.tools.sm_exceptions.DomainWarning")
@pytest.mark.parametrize("seed", range(3))
def test_strengths_and_errors_are_those_of_a_logistic_regression(seed):
    values = with_holes(6, 12, seed)
    design, outcomes, tasks = comparisons(values)

    model = sm.GLM(outcomes, design, family=sm.families.Binomial())
    fitted = model.fit(tol=1e-12)
    scores = model.score_obs(fitted.params)
    by_task = np.stack([scores[tasks == task].sum(axis=0) for task in range(12)])
    covariance = np.linalg.inv(-model.hessian(fitted.params))
    sandwich = covariance @ by_task.T @ by_task @ covariance * 12 / 11
    result = bradley_terry(values)

    assert result.values == pytest.approx(fitted.params, abs=1e-7)
    errors = np.sqrt(np.maximum(np.diag(covariance), np.diag(sandwich)))
    assert (result.high - result.low) / 2 == pytest.approx(2.200985 * errors, rel=1e-5)  # t of 11 tasks


def test_two_models_have_the_log_odds_of_their_wins():
    values = np.array([[1.0] * 6 + [0.0] * 2, [0.5] * 8])
    strengths = bradley_terry(values).values
    first, second = strengths

    # at the answer each model's wins are what is expected of it, the tie with an average model included
    chance = 1 / (1 + np.exp(second - first))
    assert 8 * chance + 1 / (1 + np.exp(-first)) == pytest.approx(6 + 0.5)
    assert first == pytest.approx(-second)


def test_one_that_always_wins_has_a_finite_strength():
    result = bradley_terry(np.array([[3.0] * 5, [2.0] * 5, [1.0] * 5]))

    assert np.isfinite(result.values).all()
    assert (np.diff(result.values) < 0).all()
    assert (result.low < result.values).all()


def test_without_holes_the_order_is_that_of_the_mean_rank():
    values = np.random.default_rng(3).normal(size=(12, 9))

    places = stats.rankdata(-bradley_terry(values).values)

    assert places.tolist() == stats.rankdata(np.round(average_ranks(values), 9)).tolist()


def test_models_that_never_met_the_best_are_placed_through_others():
    hole = np.nan
    values = np.array([[3, 3, 3, hole, hole, hole], [2, 2, 2, 3, 3, 3], [hole, hole, hole, 2, 2, 2]], float)

    assert (np.diff(bradley_terry(values).values) < 0).all()


def test_one_task_gives_no_interval():
    result = bradley_terry(np.array([[2.0], [1.0]]))

    assert np.isinf(result.high).all()


def test_the_order_of_models_changes_nothing():
    values = with_holes(7, 9, 5)
    order = np.random.default_rng(0).permutation(7)

    assert bradley_terry(values[order]).values == pytest.approx(bradley_terry(values).values[order])
