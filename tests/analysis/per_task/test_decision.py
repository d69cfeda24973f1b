"""Which model is recommended, and how much that is expected to lose."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from assay.analysis.per_task.decision import Rule, choose, regrets
from assay.core.errors import UnknownName, UsageError
from assay.findings.decision import CheapBy

MACS = {"macs": {"large": 100.0, "middle": 50.0, "small": 10.0, "tiny": 9.0}}


def draws_of(values: np.ndarray, errors: float | np.ndarray, seed: int = 0) -> np.ndarray:
    return values + errors * np.random.default_rng(seed).normal(size=(2000, len(values)))


def test_two_models_lose_what_their_difference_says():
    values = np.array([0.80, 0.78])
    draws = draws_of(values, 0.01)
    deviation = float(np.std(draws[:, 0] - draws[:, 1]))
    ratio = 0.02 / deviation
    lost = deviation * (stats.norm.pdf(ratio) - ratio * stats.norm.sf(ratio))  # of the better, if it is worse

    found = regrets(values, draws, 0.01, 0)

    assert found.expected[0] == pytest.approx(lost, abs=0.0005)
    assert found.expected[1] == pytest.approx(lost + 0.02, abs=0.001)
    assert found.within[0] == pytest.approx(stats.norm.cdf(0.03 / deviation), abs=0.03)


def test_the_best_of_many_equal_models_is_not_taken_at_its_word():
    rng = np.random.default_rng(0)
    values = 0.8 + rng.normal(0, 0.02, size=40)  # noise alone
    draws = draws_of(values, 0.02)

    found = regrets(values, draws, 0.01, 0)
    unpooled = float((draws.max(axis=1) - draws[:, values.argmax()]).mean())

    assert found.expected.argmin() == values.argmax()
    assert found.expected.min() < 0.6 * unpooled


def test_a_model_far_below_is_sure_to_lose_its_distance():
    values = np.array([0.9, 0.2])

    found = regrets(values, draws_of(values, 0.01), 0.01, 0)

    assert found.expected.tolist() == pytest.approx([0.0, 0.7], abs=0.002)
    assert found.within.tolist() == [1.0, 0.0]


def test_models_far_below_do_not_change_the_others():
    values = np.array([0.80, 0.79, 0.78])
    draws = draws_of(values, 0.01)
    more, low = np.append(values, [0.1, 0.2]), draws_of(np.array([0.1, 0.2]), 0.01, seed=1)

    found = regrets(more, np.hstack([draws, low]), 0.01, 0)

    assert found.expected[:3].tolist() == pytest.approx(
        regrets(values, draws, 0.01, 0).expected.tolist(), abs=1e-3
    )
    assert found.within[3:].tolist() == [0.0, 0.0]


def test_copies_of_a_model_are_one_candidate():
    values = np.array([0.80, 0.79, 0.78])
    draws = draws_of(values, 0.01)
    with_copy = regrets(values[[0, 0, 1, 2]], draws[:, [0, 0, 1, 2]], 0.01, 0)

    assert with_copy.expected[0] == with_copy.expected[1]
    assert with_copy.expected[1:].tolist() == regrets(values, draws, 0.01, 0).expected.tolist()


def test_models_that_agree_on_all_draws_lose_nothing_but_their_distance():
    values = np.array([0.5, 0.5, 0.5])

    found = regrets(values, np.repeat(np.random.default_rng(0).random((100, 1)), 3, axis=1), 0.01, 0)

    assert found.expected.tolist() == [0.0, 0.0, 0.0]
    assert found.within.tolist() == [1.0, 1.0, 1.0]


def test_the_least_expected_regret_is_recommended_and_the_cheapest_close_one_named():
    regret = {"large": 0.002, "middle": 0.006, "small": 0.011, "tiny": 0.03}
    values = {model: 0.9 - lost for model, lost in regret.items()}

    decision = choose(values, regret, MACS, Rule(), 0.01, "linear_probe")

    assert (decision.recommended, decision.cheaper) == ("large", "small")
    assert decision.cheap_by is CheapBy.MACS


def test_within_a_quarter_of_the_cheapest_the_least_regret_decides():
    regret = {"large": 0.002, "middle": 0.02, "small": 0.005, "tiny": 0.006}

    decision = choose(regret, regret, MACS, Rule(), 0.01, "linear_probe")

    assert decision.cheaper == "small"  # tiny costs 9 instead of 10


def test_a_model_that_is_hardly_cheaper_is_not_named():
    regret = {"small": 0.002, "tiny": 0.003}

    assert choose(regret, regret, MACS, Rule(), 0.01, "linear_probe").cheaper is None


def test_a_margin_of_zero_names_no_cheaper_model():
    regret = {"large": 0.002, "small": 0.002}

    assert choose(regret, regret, MACS, Rule(), 0.0, "linear_probe").cheaper is None


def test_parameters_decide_where_a_model_lacks_macs():
    regret = {"large": 0.002, "unknown": 0.003}
    costs = {**MACS, "parameters": {"large": 10.0, "unknown": 2.0}}

    decision = choose(regret, regret, costs, Rule(), 0.01, "linear_probe")

    assert (decision.cheaper, decision.cheap_by) == ("unknown", CheapBy.PARAMETERS)


@pytest.mark.parametrize("cost", ["price", ["macs"], {"macs": 1}, 3])
def test_a_cost_that_is_none_is_refused_with_those_that_there_are(cost):
    with pytest.raises(UnknownName, match="macs"):
        Rule.of(None, cost)


def test_of_equal_regrets_the_cheaper_model_is_recommended():
    regret = {"large": 0.002, "small": 0.002}

    assert choose(regret, regret, MACS, Rule(), 0.01, "linear_probe").recommended == "small"


def test_without_regrets_the_best_value_is_recommended_and_nothing_cheaper():
    decision = choose({"large": 0.9, "small": 0.899}, {}, MACS, Rule(), 0.01, "logme")

    assert (decision.recommended, decision.cheaper) == ("large", None)


def test_the_default_margin_is_a_point_or_a_hundredth_of_chance_level():
    assert Rule().margin_of(0.3, lower_is_better=False) == 0.01
    assert Rule().margin_of(-1.4, lower_is_better=True) == pytest.approx(0.014)
    assert Rule(0.5).margin_of(-1.4, lower_is_better=True) == 0.5


@pytest.mark.parametrize("margin", [-0.1, float("nan"), float("inf"), "1", True])
def test_a_margin_that_is_no_number_from_zero_is_refused(margin):
    with pytest.raises(UsageError, match="Write a number from 0"):
        Rule.of(margin, None)


def test_an_unknown_cost_is_named():
    with pytest.raises(UnknownName, match="Did you mean: latency"):
        Rule.of(None, "latncy")
