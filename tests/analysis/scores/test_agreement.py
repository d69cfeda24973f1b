from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from assay.analysis.scores.agreement import agreement, correlations, shortlists

TRUTH = {"a": 0.9, "b": 0.8, "c": 0.6, "d": 0.7}


def test_tau_is_scipys_ranked_by_both():
    score = {"a": 2.0, "b": 3.0, "c": 1.0, "d": 0.5}
    result = agreement("score", "task", score, TRUTH)
    both = [np.array([row[model] for model in "abcd"]) for row in (score, TRUTH)]

    assert result is not None
    assert result.weighted_tau == pytest.approx(stats.weightedtau(*both, rank=True).statistic)
    assert result.spearman == pytest.approx(stats.spearmanr(*both).statistic)


def test_regret_is_what_the_best_score_loses():
    result = agreement("score", "task", {"a": 1.0, "b": 3.0, "c": 2.0}, TRUTH)

    assert result is not None
    assert result.regret == pytest.approx(0.1)


def test_equal_best_scores_lose_the_average():
    result = agreement("score", "task", {"a": 3.0, "b": 3.0, "c": 2.0}, TRUTH)

    assert result is not None
    assert result.regret == pytest.approx(0.05)


def test_a_constant_score_has_no_correlation():
    result = agreement("score", "task", dict.fromkeys("abc", 1.0), TRUTH)

    assert result is not None
    assert (result.weighted_tau, result.spearman) == (None, None)


def test_two_models_are_too_few():
    assert agreement("score", "task", {"a": 1.0, "b": 2.0}, TRUTH) is None


def dense_tau(first: np.ndarray, second: np.ndarray) -> float:
    """Vigna (2015), eq. 3 with the additive hyperbolic weight; ranks by `first`, then by `second`."""
    order = sorted(range(len(first)), key=lambda model: (-first[model], -second[model]))
    weight = {model: 1 / (position + 1) for position, model in enumerate(order)}

    def product(left: np.ndarray, right: np.ndarray) -> float:
        return sum(
            np.sign(left[i] - left[j]) * np.sign(right[i] - right[j]) * (weight[i] + weight[j])
            for i in range(len(left))
            for j in range(i)
        )

    return product(first, second) / np.sqrt(product(first, first) * product(second, second))


@pytest.mark.parametrize("seed", range(8))
def test_tau_is_the_formula_of_vigna_in_either_convention(seed):
    rng = np.random.default_rng(seed)
    scores, truth = rng.integers(0, 7, size=(2, 9)).astype(float)  # with ties
    by_scores, by_truth = dense_tau(scores, truth), dense_tau(truth, scores)

    assert correlations(scores, truth)["weighted_tau"] == pytest.approx((by_scores + by_truth) / 2)
    assert correlations(scores, truth)["tau_by_truth"] == pytest.approx(by_truth)


@pytest.mark.parametrize("name", ["weighted_tau", "tau_by_truth"])
@pytest.mark.parametrize("sides", [([1.0, 1.0, 1.0], [1.0, 2.0, 3.0]), ([1.0, 2.0, 3.0], [4.0, 4.0, 4.0])])
def test_a_constant_side_has_no_tau(sides, name):
    assert correlations(*map(np.array, sides))[name] is None


def test_ranks_by_the_truth_forgive_scores_that_praise_the_worst():
    truth = np.array([1.0, 2.0, 3.0, 4.0])
    praises_worst, slights_best = np.array([4.0, 1.0, 2.0, 3.0]), np.array([2.0, 3.0, 4.0, 1.0])
    result = [correlations(scores, truth) for scores in (praises_worst, slights_best)]

    assert result[0]["weighted_tau"] == pytest.approx(result[1]["weighted_tau"])
    assert result[0]["tau_by_truth"] > 0 > result[1]["tau_by_truth"]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("kinds", [1, 2, 3])
def test_ties_are_averaged_over_every_way_to_break_them(seed, kinds):
    rng = np.random.default_rng(seed)
    scores, truth = rng.integers(kinds, size=6).astype(float), np.round(rng.uniform(size=6), 1)

    orders = [order for order in permutations(range(6)) if (np.diff(scores[list(order)]) <= 0).all()]

    for result in shortlists(scores, truth, (1, 2, 3, 5)):
        bests = [truth[list(order[: result.size])].max() for order in orders]
        assert result.regret == pytest.approx(truth.max() - np.mean(bests))
        assert result.hit == pytest.approx(np.mean([best == truth.max() for best in bests]))


def test_a_random_choice_loses_the_mean():
    truth = np.array([0.9, 0.5, 0.4])

    (result,) = shortlists(np.zeros(3), truth, (1,))

    assert result.regret == pytest.approx(0.3)
    assert result.normalised == pytest.approx(0.3 / 0.4)  # best less median
    assert result.hit == pytest.approx(1 / 3)


def test_a_list_as_long_as_the_zoo_is_left_out():
    assert [row.size for row in shortlists(np.arange(3.0), np.arange(3.0))] == [1]
    assert [row.size for row in shortlists(np.arange(6.0), np.arange(6.0))] == [1, 3, 5]


def test_where_all_are_best_nothing_is_normalised():
    (result,) = shortlists(np.arange(2.0), np.ones(2), (1,))

    assert (result.regret, result.normalised, result.hit) == (0.0, None, 1.0)
