import numpy as np
import pytest
from scipy import stats

from assay.analysis.per_task.intervals import Draws, Measured, bootstrap
from assay.analysis.per_task.significance import (
    examples_to_separate,
    pair_deviations,
    pair_p_values,
    seed_noise,
    swap_tests,
)
from assay.core.result import Status
from assay.core.task import LabelKind, Labels
from assay.findings.per_task import Cell
from assay.metrics.macro_f1 import MacroF1
from assay.testing.simulated_study import SimulatedAccuracy, SimulatedError


def labels(values: np.ndarray) -> Labels:
    return Labels(LabelKind.REGRESSION if values.dtype.kind == "f" else LabelKind.CLASSIFICATION, values)


def _measured(skills: list[float], examples: int, rng: np.random.Generator, seeds: int = 1) -> Measured:
    truth = labels(np.zeros(examples, dtype=np.int64))
    predicted = [(rng.random((seeds, examples)) > skill).astype(np.int64) for skill in skills]
    return Measured(truth, tuple(predicted))


def _p_values(measured: Measured) -> np.ndarray:
    """Return the p-value of each model against the first."""
    draws = bootstrap(measured, SimulatedAccuracy(), 0)
    return pair_p_values(measured, SimulatedAccuracy(), draws, 0)[0]


def of_two(differences: np.ndarray) -> float:
    """Return the p-value of two models with these differences."""
    return float(swap_tests(np.stack([differences, np.zeros(len(differences))]), 0)[0, 1])


def test_accuracy_with_one_seed_is_tested_as_by_mcnemar():
    first = np.array([1.0] * 9 + [0.0] * 2 + [0.0, 1.0] * 15)
    second = np.array([0.0] * 9 + [1.0] * 2 + [0.0, 1.0] * 15)

    assert swap_tests(np.stack([first, second]), 0)[0, 1] == pytest.approx(stats.binomtest(2, 11).pvalue)


def test_differences_of_one_size_are_tested_exactly():
    differences = np.array([0.25] * 9 + [-0.25] * 2 + [0.0] * 30)

    assert of_two(differences) == pytest.approx(stats.binomtest(2, 11).pvalue)


def test_other_differences_are_tested_as_by_scipy():
    differences = np.random.default_rng(0).normal(0.3, 1.0, size=40)
    expected = stats.permutation_test(
        (differences, np.zeros(40)),
        lambda left, right, axis: (left - right).mean(axis=axis),
        permutation_type="samples",
        vectorized=True,
        n_resamples=9999,
        rng=np.random.default_rng(1),
    )

    assert of_two(differences) == pytest.approx(expected.pvalue, abs=0.012)


def test_a_difference_that_hardly_any_signs_reach_is_bounded_by_the_normal_tail():
    differences = np.random.default_rng(0).uniform(0.5, 1.0, size=40)
    exact = 2.0**-39  # all signs agree

    p_value = of_two(differences)

    assert exact < p_value < 1e-7
    assert p_value == pytest.approx(
        2 * 3.178 * stats.norm.sf(differences.sum() / np.sqrt(differences @ differences)), rel=1e-3
    )


def test_repeated_contents_are_swapped_together():
    truth = labels(np.zeros(40, dtype=np.int64))
    right, wrong = np.zeros((1, 40), dtype=np.int64), np.zeros((1, 40), dtype=np.int64)
    wrong[0, :20] = 1
    groups = np.concatenate([np.repeat(np.arange(2), 10), np.arange(2, 22)])
    apart, together = Measured(truth, (right, wrong)), Measured(truth, (right, wrong), groups)

    assert _p_values(apart)[1] < 1e-5
    assert _p_values(together)[1] == pytest.approx(0.5)  # two contents, both for the first model


def test_models_that_predict_alike_do_not_differ():
    measured = _measured([0.8], 200, np.random.default_rng(0))

    assert _p_values(Measured(measured.truth, measured.predicted * 3)).tolist() == [1.0, 1.0, 1.0]


def test_a_clearly_better_model_differs():
    p_values = _p_values(_measured([0.9, 0.7], 400, np.random.default_rng(0)))

    assert p_values[1] < 1e-3


def test_one_model_needs_no_test():
    assert _p_values(_measured([0.9], 50, np.random.default_rng(0))).tolist() == [1.0]


def test_a_given_model_among_equals_is_rarely_called_worse():
    rng = np.random.default_rng(0)
    rejected = [_p_values(_measured([0.8] * 5, 150, rng))[2] < 0.05 for _ in range(100)]

    assert np.mean(rejected) <= 0.05


def test_a_spread_over_seeds_that_is_wider_than_the_gap_is_no_difference():
    rng = np.random.default_rng(0)
    steady = _measured([0.86, 0.8], 2000, rng, seeds=3)
    noisy = np.stack([_measured([skill], 2000, rng).predicted[0][0] for skill in (0.95, 0.79, 0.69)])

    assert _p_values(steady)[1] < 0.05
    assert _p_values(Measured(steady.truth, (steady.predicted[0], noisy)))[1] > 0.05


def test_a_paired_test_sees_what_an_unpaired_one_does_not():
    rng = np.random.default_rng(0)
    wrong = (rng.random(200) < 0.3).astype(np.int64)
    fewer = wrong.copy()
    fewer[np.flatnonzero(wrong)[:10]] = 0
    truth = labels(np.zeros(200, dtype=np.int64))
    unpaired = stats.ttest_ind(wrong, fewer).pvalue
    paired = _p_values(Measured(truth, (fewer[None], wrong[None])))[1]

    assert paired < 0.01
    assert unpaired > 0.2


def test_a_metric_that_is_no_mean_is_tested_by_its_bootstrap():
    rng = np.random.default_rng(0)
    truth = rng.normal(size=300)
    noise = rng.normal(size=300)
    predicted = ((truth + noise)[None], (truth + 1.3 * noise)[None], (truth + noise)[None])
    measured = Measured(labels(truth), predicted)
    metric = SimulatedError()
    p_values = pair_p_values(measured, metric, bootstrap(measured, metric, 0), 0)[0]

    assert p_values[1] < 0.01
    assert p_values[2] == 1.0


def test_no_draw_that_can_be_judged_is_no_difference():
    truth = np.random.default_rng(0).normal(size=20)
    measured = Measured(labels(truth), (truth[None] + 0.1, truth[None] + 0.5))
    draws = Draws(np.empty((0, 2)), np.empty((0, 2)))

    p_values = pair_p_values(measured, SimulatedError(), draws, 0)

    assert p_values.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert np.isnan(pair_deviations(measured, SimulatedError(), draws, p_values)).all()


def test_few_examples_on_which_models_differ_bound_the_p_value():
    truth = labels(np.arange(200) % 2)
    right, wrong = truth.values.copy(), truth.values.copy()
    wrong[:4] = 1 - wrong[:4]
    measured = Measured(truth, (right[None], wrong[None]))
    sure = Draws(*[np.random.default_rng(0).normal([0.9, 0.1], 0.001, size=(500, 2))] * 2)

    assert pair_p_values(measured, MacroF1(), sure, 0)[0, 1] == 2.0**-3


def test_the_deviation_of_a_difference_is_as_large_as_its_exact_test_says():
    truth = labels(np.zeros(50, dtype=np.int64))
    worse = np.append(np.ones(5, dtype=np.int64), np.zeros(45, dtype=np.int64))
    measured = Measured(truth, (np.zeros((1, 50), dtype=np.int64), worse[None]))
    draws = bootstrap(measured, SimulatedAccuracy(), 0)
    p_values = pair_p_values(measured, SimulatedAccuracy(), draws, 0)

    deviations = pair_deviations(measured, SimulatedAccuracy(), draws, p_values)

    assert p_values[0, 1] == 2.0**-4
    assert deviations.tolist() == [
        [0.0, pytest.approx(0.1 / stats.norm.isf(2.0**-5))],
        [pytest.approx(0.1 / stats.norm.isf(2.0**-5)), 0.0],
    ]


def test_the_deviation_of_a_difference_accounts_for_few_seeds():
    truth = labels(np.zeros(10_000, dtype=np.int64))
    shares = (0.10, 0.11, 0.12), (0.105, 0.115, 0.125)
    predicted = tuple(
        np.array([np.arange(10_000) < share * 10_000 for share in seeds], dtype=np.int64) for seeds in shares
    )
    measured = Measured(truth, predicted)
    draws = bootstrap(measured, SimulatedAccuracy(), 0)

    found = pair_deviations(measured, SimulatedAccuracy(), draws, np.ones((2, 2)))[0, 1]

    of_seeds = 0.01 * np.sqrt(2 / 3)
    assert found == pytest.approx(of_seeds * stats.t.ppf(0.975, 4) / stats.norm.ppf(0.975), rel=0.02)


def test_the_interval_of_the_needed_examples_holds_the_number_that_separates():
    rng = np.random.default_rng(0)
    needed = round((1.96 + 0.8416) ** 2 * (0.16 + 0.21) / 0.1**2)
    held = []
    for _ in range(60):
        measured = _measured([0.8, 0.7], 100, rng)
        draws = bootstrap(measured, SimulatedAccuracy(), 0).fixed_seeds
        values = [1 - float(predicted.mean()) for predicted in measured.predicted]
        found = examples_to_separate(values[0] - values[1], draws[:, 0] - draws[:, 1], 100, 1.96)
        held.append(found is None or found.low <= needed <= (found.high or np.inf))

    assert np.mean(held) >= 0.9


def test_so_many_examples_separate_with_the_promised_power():
    rng = np.random.default_rng(0)
    needed = round((1.96 + 0.8416) ** 2 * (0.16 + 0.21) / 0.1**2)

    message = [_p_values(_measured([0.8, 0.7], needed, rng))[1] < 0.05 for _ in range(80)]

    assert 0.7 <= np.mean(message) <= 0.92


def test_equal_models_cannot_be_separated():
    assert examples_to_separate(0.0, np.array([0.1, -0.1]), 100, 1.96) is None
    assert examples_to_separate(0.1, np.zeros(5), 100, 1.96) is None


def test_a_test_set_beyond_reach_is_no_advice():
    rng = np.random.default_rng(0)

    assert examples_to_separate(0.001, rng.normal(0.001, 0.0002, 2000), 9_000_000, 1.96) is None
    found = examples_to_separate(0.01, rng.normal(0.01, 0.01, 2000), 400, 1.96)
    assert found is not None
    assert found.high is None


def cell(values: np.ndarray) -> Cell:
    spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Cell(
        "m", "t", "fine_tune", False, Status.OK, float(values.mean()), seeds=len(values), spread=spread
    )


def test_one_seed_has_no_noise_floor():
    assert seed_noise([cell(np.array([0.5])), cell(np.array([0.7]))]) is None


def test_the_floor_agrees_with_a_computation_by_hand():
    # variances 0.01 and 0.04 of two degrees of freedom each: 0.025; t of four is 2.776; three seeds
    cells = [cell(np.array([0.4, 0.5, 0.6])), cell(np.array([0.3, 0.5, 0.7])), cell(np.array([0.9]))]

    assert seed_noise(cells) == pytest.approx(2.776 * (2 * 0.025 / 3) ** 0.5, rel=1e-3)


def test_two_runs_of_one_model_exceed_it_in_one_case_of_twenty():
    rng = np.random.default_rng(0)
    exceeded = []
    for _ in range(2000):
        runs = rng.normal(0.8, 0.02, size=(4, 3))
        again = rng.normal(0.8, 0.02, size=3)
        exceeded.append(abs(runs[0].mean() - again.mean()) > seed_noise([cell(run) for run in runs]))

    assert np.mean(exceeded) == pytest.approx(0.05, abs=0.015)
