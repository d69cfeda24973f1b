import numpy as np
import pytest
from scipy import stats

from assay.analysis.scores.intervals import (
    DRAWS_OF_MANY,
    FEWEST_MODELS,
    MANY_MODELS,
    correlation_interval,
    draw_models,
    resampled_correlations,
)


@pytest.mark.parametrize("digits", [0, 9])
@pytest.mark.parametrize("models", [6, 15])
def test_each_pool_has_the_correlations_that_scipy_finds_in_it(models, digits):
    rng = np.random.default_rng(models)
    scores, truth = np.round(rng.normal(size=(2, models)), digits)  # 0 digits: with ties
    counts = draw_models(models, seed=1)[:60]

    result = resampled_correlations(scores, truth, counts)

    for position, pool in enumerate(counts):
        rows = np.repeat(np.arange(models), pool.astype(int))
        first, second = scores[rows], truth[rows]
        if np.ptp(first) == 0 or np.ptp(second) == 0:
            assert all(np.isnan(values[position]) for values in result.values())
            continue
        expected = {
            "weighted_tau": stats.weightedtau(first, second, rank=True).statistic,
            "tau_by_truth": stats.weightedtau(second, first, rank=None).statistic,
            "tau_b": stats.kendalltau(first, second).statistic,
            "pearson": stats.pearsonr(first, second).statistic,
            "spearman": stats.spearmanr(first, second).statistic,
        }
        assert {name: values[position] for name, values in result.items()} == pytest.approx(
            expected, abs=1e-12
        )


def test_a_pool_of_every_model_once_is_the_whole():
    scores, truth = np.random.default_rng(0).normal(size=(2, 9))

    result = resampled_correlations(scores, truth, np.ones((1, 9)))

    assert result["weighted_tau"][0] == pytest.approx(stats.weightedtau(scores, truth).statistic)


def test_draws_of_many_models_are_those_of_single_pools():
    scores, truth = np.random.default_rng(0).normal(size=(2, MANY_MODELS + 1)).round(1)
    counts = draw_models(len(scores), seed=0)

    drawn = resampled_correlations(scores, truth, counts)

    assert len(counts) == DRAWS_OF_MANY
    for name, (value,) in resampled_correlations(scores, truth, counts[:1]).items():
        assert drawn[name][0] == pytest.approx(value, abs=1e-5)


def test_a_constant_side_has_no_correlation_in_any_pool():
    result = resampled_correlations(np.ones(8), np.arange(8.0), draw_models(8, seed=0))

    assert all(np.isnan(values).all() for values in result.values())


@pytest.mark.parametrize("models", [FEWEST_MODELS, 20])
@pytest.mark.parametrize("noise", [1.0, 0.4])
def test_intervals_hold_the_truth_as_often_as_they_say(models, noise):
    rng = np.random.default_rng(models)
    quality, error = rng.normal(size=(2, 2000, models))
    score = quality + noise * error
    taus = [stats.weightedtau(score[zoo], quality[zoo]).statistic for zoo in range(2000)]
    counts = draw_models(models, seed=0)

    result = [
        correlation_interval(
            taus[zoo], resampled_correlations(score[zoo], quality[zoo], counts)["weighted_tau"]
        )
        for zoo in range(200)
    ]
    held = [item.low <= np.mean(taus) <= item.high for item in result if item is not None]

    assert np.mean(held) >= 0.9


def test_a_perfect_order_has_no_interval():
    drawn = resampled_correlations(np.arange(9.0), np.arange(9.0), draw_models(9, seed=0))["weighted_tau"]

    assert correlation_interval(1.0, drawn) is None
