import numpy as np
import pytest
from scipy import stats

from assay.analysis.agreement import agreement

TRUTH = {"a": 0.9, "b": 0.8, "c": 0.6, "d": 0.7}


def test_tau_is_scipys_ranked_by_both():
    score = {"a": 2.0, "b": 3.0, "c": 1.0, "d": 0.5}
    found = agreement("score", "task", score, TRUTH)
    both = [np.array([one[model] for model in "abcd"]) for one in (score, TRUTH)]

    assert found is not None
    assert found.weighted_tau == pytest.approx(stats.weightedtau(*both, rank=True).statistic)
    assert found.spearman == pytest.approx(stats.spearmanr(*both).statistic)


def test_regret_is_what_the_best_score_loses():
    found = agreement("score", "task", {"a": 1.0, "b": 3.0, "c": 2.0}, TRUTH)

    assert found is not None
    assert found.regret == pytest.approx(0.1)


def test_equal_best_scores_lose_the_average():
    found = agreement("score", "task", {"a": 3.0, "b": 3.0, "c": 2.0}, TRUTH)

    assert found is not None
    assert found.regret == pytest.approx(0.05)


def test_a_constant_score_has_no_correlation():
    found = agreement("score", "task", dict.fromkeys("abc", 1.0), TRUTH)

    assert found is not None
    assert (found.weighted_tau, found.spearman) == (None, None)


def test_two_models_are_too_few():
    assert agreement("score", "task", {"a": 1.0, "b": 2.0}, TRUTH) is None
