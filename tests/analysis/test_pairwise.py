"""The comparisons of all pairs of models, against references that are known in closed form."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from assay.analysis.pairwise import ALPHA, MOST_STEPPED, compare_pairs, difference_variances, holm

NOTHING = np.empty((0, 3))

_REACH = 0.2  # three standard deviations over seeds; a seed gives other draws on other processors


def p_values_of(ratios: np.ndarray, deviation: float) -> np.ndarray:
    """Return the p-values of the differences of values whose errors are normal."""
    return 2 * stats.norm.sf(np.abs(ratios[:, None] - ratios) / deviation)


def independent(models: int) -> np.ndarray:
    """Return draws whose covariance is the identity."""
    return np.eye(models) * models**0.5


def test_holm_agrees_with_a_computation_by_hand():
    # sorted 0.005 0.01 0.03 0.04 times 4 3 2 1, then never falling: 0.02 0.03 0.06 0.06
    assert holm(np.array([0.01, 0.04, 0.03, 0.005])).tolist() == pytest.approx([0.03, 0.06, 0.06, 0.02])


def test_holm_stops_at_one():
    assert holm(np.array([0.9, 0.8])).tolist() == [1.0, 1.0]


def test_without_draws_pairs_are_adjusted_by_holm():
    p_values = np.array([[1.0, 0.01, 0.02], [0.01, 1.0, 0.5], [0.02, 0.5, 1.0]])

    pairs = compare_pairs(np.array([0.9, 0.5, 0.6]), p_values, NOTHING, 0)

    assert pairs.p_values[0].tolist() == pytest.approx([1.0, 0.03, 0.04])
    assert pairs.ranks() == [(1, 1), (2, 3), (2, 3)]


@pytest.mark.parametrize("models", [3, 10, 30])
def test_independent_models_are_adjusted_as_by_tukey(models):
    values = np.zeros(models)
    values[0] = stats.studentized_range.ppf(0.95, models, np.inf)  # just significant against the others

    pairs = compare_pairs(values, p_values_of(values, 2**0.5), independent(models), 0)

    assert pairs.p_values[0, 1] == pytest.approx(0.05, abs=0.015)
    assert pairs.reach[0, 1] == pytest.approx(values[0], abs=_REACH)


def test_two_models_need_no_adjustment():
    pairs = compare_pairs(np.array([0.0, 3.0]), p_values_of(np.array([0.0, 3.0]), 2**0.5), independent(2), 0)

    assert pairs.p_values[0, 1] == pytest.approx(2 * stats.norm.sf(3 / 2**0.5), abs=0.01)
    assert pairs.reach[0, 1] == pytest.approx(1.96 * 2**0.5, abs=0.14)


def test_later_steps_are_adjusted_for_fewer_pairs():
    # the first is far below three equal models, the last a little: the pairs of the last four remain
    values = np.array([-50.0, 0.0, 0.0, 0.0])
    values = np.append(values, -float(stats.studentized_range.ppf(0.95, 4, np.inf)))

    pairs = compare_pairs(values, p_values_of(values, 2**0.5), independent(5), 0)

    assert pairs.p_values[4, 1] == pytest.approx(0.05, abs=0.015)


def test_copies_of_models_are_not_adjusted_for():
    copies = np.random.default_rng(0).normal(size=(4000, 2))[:, [0] * 10 + [1] * 10]
    values = np.array([2.9] * 10 + [0.0] * 10)
    p_values = p_values_of(values, 2**0.5)

    assert compare_pairs(values, p_values, copies, 0).p_values[0, 19] == pytest.approx(
        p_values[0, 19], abs=0.015
    )
    assert compare_pairs(values, p_values, independent(20), 0).p_values[0, 19] > 0.5


def test_a_p_value_is_never_adjusted_downwards():
    values = np.array([0.0, 0.1, 0.3])
    p_values = np.array([[1.0, 0.4, 0.3], [0.4, 1.0, 0.2], [0.3, 0.2, 1.0]])

    assert (compare_pairs(values, p_values, independent(3) * 0.1, 0).p_values >= p_values).all()


def test_equal_models_have_equal_p_values_and_ranks():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(500, 4))[:, [0, 0, 1, 2]]
    values = np.array([3.0, 3.0, 0.0, 1.0])
    p_values = p_values_of(values, 2**0.5)

    pairs = compare_pairs(values, p_values, noise, 0)

    assert pairs.p_values[0, 1] == 1.0
    assert pairs.p_values[0, 2:].tolist() == pairs.p_values[1, 2:].tolist()
    assert pairs.ranks()[0] == pairs.ranks()[1]


def test_many_models_are_compared_with_their_range():
    models = MOST_STEPPED + 50
    values = np.zeros(models)
    values[0] = stats.studentized_range.ppf(0.95, models, np.inf)

    pairs = compare_pairs(values, p_values_of(values, 2**0.5), independent(models), 0)

    assert pairs.p_values[0, 1] == pytest.approx(0.05, abs=0.015)


def test_intervals_of_differences_are_those_of_tukey():
    values = np.array([0.0, 5.0, 1.0])
    reach = stats.studentized_range.ppf(0.95, 3, np.inf)

    to_best = compare_pairs(values, p_values_of(values, 2**0.5), independent(3), 0).differences(1)

    assert [(each.low, each.high) for each in to_best] == [
        pytest.approx((-5 - reach, -5 + reach), abs=_REACH),
        (0.0, 0.0),
        pytest.approx((-4 - reach, -4 + reach), abs=_REACH),
    ]


@pytest.mark.parametrize("models", [4, MOST_STEPPED + 2])
def test_an_interval_excludes_zero_exactly_where_the_difference_is_significant(models):
    rng = np.random.default_rng(models)
    values = rng.normal(0, 3, models)
    p_values = p_values_of(values, 2**0.5) ** np.triu(
        rng.uniform(0.3, 3, (models, models))
    )  # tests of their own
    p_values = np.minimum(p_values, p_values.T)

    pairs = compare_pairs(values, p_values, independent(models), 0)

    excludes = np.array(
        [[each.low > 0 or each.high < 0 for each in pairs.differences(other)] for other in range(models)]
    )
    assert 0 < excludes.sum() < excludes.size
    assert (excludes == (pairs.p_values < ALPHA)).all()


def test_without_draws_differences_have_no_interval():
    assert compare_pairs(np.array([0.9, 0.5, 0.6]), np.ones((3, 3)), NOTHING, 0).differences(0) == [None] * 3


def test_ranks_count_significant_differences_only():
    values = np.array([0.9, 0.8, 0.1])
    p_values = np.array([[1.0, 0.6, 0.001], [0.6, 1.0, 0.2], [0.001, 0.2, 1.0]])

    pairs = compare_pairs(values, p_values, NOTHING, 0)

    assert pairs.ranks() == [(1, 2), (1, 3), (2, 3)]
    assert pairs.better.sum() == 1


def test_one_model_has_one_rank():
    assert compare_pairs(np.array([0.5]), np.ones((1, 1)), np.zeros((5, 1)), 0).ranks() == [(1, 1)]


def test_variances_of_differences_are_those_of_the_draws():
    noise = (
        np.random.default_rng(0).normal(size=(300, 3)) + np.random.default_rng(1).normal(size=(300, 1)) * 9
    )
    noise[:, 2] = noise[:, 0]

    variances = difference_variances(noise)

    assert variances[0, 1] == pytest.approx(np.var(noise[:, 0] - noise[:, 1]))
    assert variances[0, 2] == 0.0
