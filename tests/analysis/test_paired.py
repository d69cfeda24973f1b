import numpy as np
import pytest
from statsmodels.stats.contingency_tables import mcnemar

from assay.analysis.intervals import Measured
from assay.analysis.paired import paired, share_difference
from assay.core.task import Kind, Labels
from assay.testing.simulated_study import Accuracy, RootMeanSquaredError


def answers(
    rng: np.random.Generator, examples: int, right: tuple[float, float]
) -> tuple[np.ndarray, np.ndarray]:
    """Return whether two models, whose errors go together, are right."""
    hardness, own = rng.uniform(size=examples), rng.uniform(size=examples)
    first = np.where(own < 0.7, hardness, rng.uniform(size=examples)) < right[0]
    return first.astype(int), (hardness < right[1]).astype(int)


def test_the_test_is_mcnemars_for_accuracy():
    rng = np.random.default_rng(0)
    truth = Labels(Kind.CLASSIFICATION, np.ones(100, dtype=int), ("no", "yes"))
    first, second = answers(rng, 100, (0.7, 0.8))
    lost, won = (int(((one == 1) & (other == 0)).sum()) for one, other in ((first, second), (second, first)))

    found = paired(Measured(truth, (first[None], second[None])), Accuracy(), seed=0)

    table = [
        [int(((first == 1) & (second == 1)).sum()), lost],
        [won, int(((first == 0) & (second == 0)).sum())],
    ]
    assert found.p_value == pytest.approx(mcnemar(table, exact=True).pvalue)


@pytest.mark.parametrize("examples", [8, 30, 200])
@pytest.mark.parametrize("right", [(0.5, 0.6), (0.95, 0.95), (0.99, 0.9)])
def test_intervals_of_a_share_hold_the_truth_for_few_examples_too(examples, right):
    rng = np.random.default_rng(examples)
    held = []
    for _ in range(1000):
        first, second = answers(rng, examples, right)
        found = share_difference(second - first)
        held.append(found.low <= right[1] - right[0] <= found.high)

    assert np.mean(held) >= 0.93  # 95 % less three standard errors


def test_equal_answers_on_few_examples_are_not_proved_equal():
    truth = Labels(Kind.CLASSIFICATION, np.zeros(20, dtype=int), ("no", "yes"))
    same = np.zeros((1, 20), dtype=int)

    found = paired(Measured(truth, (same, same)), Accuracy(), seed=0)

    assert found.p_value == 1.0
    assert found.interval.low < -0.05
    assert found.interval.high > 0.05


def test_the_spread_over_seeds_widens_the_interval():
    rng = np.random.default_rng(0)
    truth = Labels(Kind.REGRESSION, rng.normal(size=200))
    steady = truth.values + np.tile(rng.normal(size=200), (3, 1))
    shaky = truth.values + np.array([[0.5], [1.0], [2.0]]) * rng.normal(size=(3, 200))

    widths = [
        (found.interval.high - found.interval.low)
        for other in (steady * 0.9, shaky)
        for found in [paired(Measured(truth, (steady, other)), RootMeanSquaredError(), seed=0)]
    ]

    assert widths[1] > 3 * widths[0]
