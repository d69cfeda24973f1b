import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from assay.analysis.per_task.intervals import (
    Measured,
    RightCounts,
    bootstrap,
    example_values,
    interval,
    intervals,
)
from assay.core.task import LabelKind, Labels
from assay.metrics.accuracy import Accuracy
from assay.metrics.macro_f1 import MacroF1
from assay.testing.simulated_study import SimulatedAccuracy, SimulatedError


def labels(values: np.ndarray) -> Labels:
    return Labels(LabelKind.REGRESSION if values.dtype.kind == "f" else LabelKind.CLASSIFICATION, values)


def _studies(count: int, examples: int, rng: np.random.Generator) -> list[Measured]:
    truth = labels(np.zeros(examples, dtype=np.int64))
    return [Measured(truth, ((rng.random((1, examples)) < 0.2).astype(np.int64),)) for _ in range(count)]


def test_intervals_hold_the_true_value_as_often_as_they_say():
    studies = _studies(200, 100, np.random.default_rng(0))

    result = [interval(bootstrap(study, SimulatedAccuracy(), seed=1).values[:, 0]) for study in studies]
    covered = np.mean([item is not None and item.low <= 0.8 <= item.high for item in result])

    assert 0.91 <= covered <= 0.98


def test_intervals_hold_the_true_value_when_seeds_differ():
    rng = np.random.default_rng(1)
    truth = labels(np.zeros(100, dtype=np.int64))
    covered = []
    for _ in range(120):
        skills = rng.normal(0.8, 0.04, size=(3, 1))
        predicted = (rng.random((3, 100)) > skills).astype(np.int64)
        result = interval(bootstrap(Measured(truth, (predicted,)), SimulatedAccuracy(), seed=0).values[:, 0])
        covered.append(result is not None and result.low <= 0.8 <= result.high)

    assert np.mean(covered) >= 0.85  # three seeds tell little of their own spread


def test_the_same_seed_gives_the_same_draws():
    study = _studies(1, 50, np.random.default_rng(0))[0]

    assert np.array_equal(
        bootstrap(study, SimulatedAccuracy(), 3).values, bootstrap(study, SimulatedAccuracy(), 3).values
    )


def test_a_mean_has_the_same_interval_by_the_fast_and_by_the_plain_way():
    class PlainAccuracy(SimulatedAccuracy):
        is_mean = False

    study = _studies(1, 200, np.random.default_rng(0))[0]
    fast = bootstrap(study, SimulatedAccuracy(), 0).values
    plain = bootstrap(study, PlainAccuracy(), 0).values

    assert np.allclose(fast, plain)


def test_the_same_examples_are_drawn_for_all_models():
    study = _studies(1, 200, np.random.default_rng(0))[0]
    twins = Measured(study.truth, study.predicted * 2)
    values = bootstrap(twins, SimulatedAccuracy(), 0).values

    assert np.array_equal(values[:, 0], values[:, 1])


def test_example_values_average_to_the_metric():
    rng = np.random.default_rng(0)
    truth, predicted = labels(rng.integers(3, size=40)), rng.integers(3, size=(2, 40))
    values = example_values(SimulatedAccuracy(), truth, predicted)

    assert values.mean(axis=1) == pytest.approx([SimulatedAccuracy()(truth, values) for values in predicted])


def test_a_metric_that_is_no_mean_has_an_interval_around_its_value():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=200)
    true = labels(truth)
    predicted = (truth + rng.normal(size=200))[None]
    result = interval(bootstrap(Measured(true, (predicted,)), SimulatedError(), 0).values[:, 0])

    assert result is not None
    assert result.low < SimulatedError()(true, predicted[0]) < result.high


def test_a_draw_that_cannot_be_judged_is_left_out():
    class Correlation(SimulatedAccuracy):
        is_mean = False

        def __call__(self, truth, predicted):
            return float("nan") if np.ptp(truth.values) == 0 else 1.0

    truth = np.array([0, 0, 0, 1])
    draws = bootstrap(Measured(labels(truth), (truth[None],)), Correlation(), 0)

    assert 0 < len(draws.values) < 2000
    assert np.isfinite(draws.values).all()


def test_no_draws_give_no_interval():
    assert interval(np.empty(0)) is None


def test_repeated_contents_are_drawn_together():
    rng = np.random.default_rng(0)
    truth = rng.integers(2, size=30)
    predicted = rng.integers(2, size=(1, 30))
    groups = np.repeat(np.arange(30), 5)
    once = Measured(labels(truth), (predicted,))
    five_times = Measured(labels(np.repeat(truth, 5)), (np.repeat(predicted, 5, axis=1),), groups)

    assert bootstrap(five_times, Accuracy(), 0).values == pytest.approx(bootstrap(once, Accuracy(), 0).values)
    assert bootstrap(five_times, MacroF1(), 0).values == pytest.approx(bootstrap(once, MacroF1(), 0).values)


@pytest.mark.parametrize(("count", "low"), [(2, 0.158), (8, 0.631), (100, 0.964)])
def test_all_right_has_the_exact_interval(count, low):
    """Clopper and Pearson (1934): with all of n right, the lower end of 95 % is 0.025 to the power 1 / n."""
    [result] = intervals(np.ones((500, 1)), RightCounts(np.array([count]), count))

    assert (round(result.low, 3), result.high) == (low, 1.0)


def test_all_wrong_has_the_mirrored_interval():
    draws = np.tile([0.0, 1.0], (500, 1))

    wrong, right = intervals(draws, RightCounts(np.array([0, 8]), 8))

    assert wrong.high == pytest.approx(1 - right.low)


def test_answers_that_are_right_in_part_count_as_many_as_vary_like_them():
    """Of 20 sentences a share of .95 that varies by .02 is as sure as one of 104 answers, with t for z."""
    draws = 0.95 + 0.02 * np.array([[-1.0], [1.0]] * 50)

    [found] = intervals(draws, RightCounts(np.array([19.0]), 20.0, in_part=True))

    alike = 0.95 * 0.05 / 0.02**2 * (stats.norm.ppf(0.975) / stats.t.ppf(0.975, 19)) ** 2
    exact = proportion_confint(0.95 * alike, alike, method="beta")
    assert (found.low, found.high) == pytest.approx(exact)
    assert alike == pytest.approx(104, abs=0.5)


def test_draws_do_not_depend_on_what_was_drawn_before():
    rng = np.random.default_rng(0)
    truth = Labels(LabelKind.CLASSIFICATION, rng.integers(2, size=30), ("a", "b"))
    other = Labels(LabelKind.CLASSIFICATION, rng.integers(2, size=31), ("a", "b"))
    measured = Measured(truth, (rng.integers(2, size=(2, 30)), rng.integers(2, size=(1, 30))))

    first = bootstrap(measured, Accuracy(), seed=3)
    again = bootstrap(measured, Accuracy(), seed=3)
    bootstrap(Measured(other, (rng.integers(2, size=(2, 31)),)), Accuracy(), seed=3)
    third = bootstrap(measured, Accuracy(), seed=3)

    assert (first.values == again.values).all()  # seeds are drawn after the examples
    assert (first.values == third.values).all()
    rows = np.random.default_rng(3).integers(30, size=(2000, 30))
    right = (measured.predicted[1][0] == truth.values).astype(float)
    assert first.fixed_seeds[:, 1] == pytest.approx(right[rows].mean(axis=1))


def test_intervals_of_accuracies_near_the_edge_contain_the_exact_ones():
    draws = np.random.default_rng(0).binomial(20, 0.95, 2000) / 20

    nineteen, all_right = intervals(
        np.stack([draws, np.ones(2000)], axis=1), RightCounts(np.array([19, 20]), 20)
    )

    exact = stats.binomtest(19, 20).proportion_ci(method="exact")
    assert nineteen is not None
    assert all_right is not None
    assert nineteen.low == pytest.approx(exact.low)
    assert nineteen.high >= exact.high
    assert all_right.low == pytest.approx(stats.binomtest(20, 20).proportion_ci(method="exact").low)
    assert nineteen.low < all_right.low


@pytest.mark.parametrize(("examples", "accuracy"), [(20, 0.8), (100, 0.98), (400, 0.99)])
def test_intervals_of_accuracies_cover_where_few_answers_are_wrong(examples, accuracy):
    rng = np.random.default_rng(1)
    right = rng.binomial(examples, accuracy, 1000)
    draws = rng.binomial(examples, right / examples, size=(1000, 1000)) / examples

    found = intervals(draws, RightCounts(right, examples))

    assert np.mean([one is not None and one.low <= accuracy <= one.high for one in found]) >= 0.94
