"""Every metric against scikit-learn or scipy, and where they are undefined."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import stats
from sklearn import metrics as reference

from assay.core.errors import NotApplicable
from assay.core.metric import Metric
from assay.core.task import Kind, Labels
from assay.metrics.accuracy import Accuracy
from assay.metrics.accuracy_f1 import AccuracyF1
from assay.metrics.balanced_accuracy import BalancedAccuracy
from assay.metrics.f1 import F1
from assay.metrics.macro_f1 import MacroF1
from assay.metrics.mae import MAE
from assay.metrics.matthews import Matthews
from assay.metrics.pearson import Pearson
from assay.metrics.pearson_spearman import PearsonSpearman
from assay.metrics.r2 import R2
from assay.metrics.rmse import RMSE
from assay.metrics.spearman import Spearman

Reference = Callable[[np.ndarray, np.ndarray], float]

OF_CLASSES: list[tuple[Metric, Reference]] = [
    (Accuracy(), reference.accuracy_score),
    (BalancedAccuracy(), reference.balanced_accuracy_score),
    (MacroF1(), lambda y, p: reference.f1_score(y, p, average="macro", zero_division=0)),
    (Matthews(), reference.matthews_corrcoef),
]
OF_TWO_CLASSES: list[tuple[Metric, Reference]] = [
    (F1(), lambda y, p: reference.f1_score(y, p, zero_division=0)),
    (
        AccuracyF1(),
        lambda y, p: (reference.accuracy_score(y, p) + reference.f1_score(y, p, zero_division=0)) / 2,
    ),
]
OF_NUMBERS: list[tuple[Metric, Reference]] = [
    (Pearson(), lambda y, p: stats.pearsonr(y, p).statistic),
    (Spearman(), lambda y, p: stats.spearmanr(y, p).statistic),
    (PearsonSpearman(), lambda y, p: (or_zero(stats.pearsonr(y, p)) + or_zero(stats.spearmanr(y, p))) / 2),
    (R2(), reference.r2_score),
    (RMSE(), lambda y, p: -reference.root_mean_squared_error(y, p)),
    (MAE(), lambda y, p: -reference.mean_absolute_error(y, p)),
]

positions = arrays.arrays(np.int64, 12, elements=st.integers(0, 4))
halves = arrays.arrays(np.int64, 12, elements=st.integers(0, 1))
numbers = arrays.arrays(np.float64, 12, elements=st.integers(-5, 5))  # whole numbers have ties


def or_zero(found: object) -> float:
    statistic = float(found.statistic)  # type: ignore[attr-defined]
    return statistic if np.isfinite(statistic) else 0.0


def name_of(value: object) -> str | None:
    return type(value).__name__ if isinstance(value, Metric) else None


def classes(values: np.ndarray) -> Labels:
    return Labels(Kind.CLASSIFICATION, values)


def numbers_of(values: np.ndarray) -> Labels:
    return Labels(Kind.REGRESSION, values)


def expected(judge: Reference, truth: np.ndarray, predicted: np.ndarray) -> float:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # theirs warn where a class or the variance is missing
        value = float(judge(truth, predicted))
    return value if np.isfinite(value) else 0.0  # ours are 0.0 for constants, as documented


@pytest.mark.parametrize(("metric", "judge"), OF_CLASSES, ids=name_of)
@settings(deadline=None, max_examples=40)
@given(truth=positions, predicted=positions)
def test_of_classes_equals_scikit_learn(
    metric: Metric, judge: Reference, truth: np.ndarray, predicted: np.ndarray
) -> None:
    assert metric(classes(truth), predicted) == pytest.approx(
        expected(judge, truth, predicted), rel=1e-12, abs=1e-12
    )


@pytest.mark.parametrize(("metric", "judge"), OF_TWO_CLASSES, ids=name_of)
@settings(deadline=None, max_examples=40)
@given(truth=halves, predicted=halves)
def test_of_two_classes_equals_scikit_learn(
    metric: Metric, judge: Reference, truth: np.ndarray, predicted: np.ndarray
) -> None:
    assert metric(classes(truth), predicted) == pytest.approx(
        expected(judge, truth, predicted), rel=1e-12, abs=1e-12
    )


@pytest.mark.parametrize("metric", [F1(), AccuracyF1()], ids=name_of)
def test_f1_is_for_two_classes(metric: Metric) -> None:
    with pytest.raises(NotApplicable, match="macro_f1 is for more"):
        metric(Labels(Kind.CLASSIFICATION, np.array([0, 1]), ("a", "b", "c")), np.array([0, 1]))


@pytest.mark.parametrize(("metric", "judge"), OF_NUMBERS, ids=name_of)
@settings(deadline=None, max_examples=40)
@given(truth=numbers, predicted=numbers)
def test_of_numbers_equals_scikit_learn_and_scipy(
    metric: Metric, judge: Reference, truth: np.ndarray, predicted: np.ndarray
) -> None:
    assert metric(numbers_of(truth), predicted) == pytest.approx(
        expected(judge, truth, predicted), rel=1e-9, abs=1e-9
    )


@pytest.mark.parametrize("metric", [Pearson(), Spearman()], ids=name_of)
def test_a_constant_correlates_with_nothing(metric: Metric) -> None:
    truth = np.random.default_rng(0).standard_normal(30)

    assert metric(numbers_of(truth), np.full(30, 0.1)) == 0.0
    assert metric(numbers_of(np.full(30, 0.1)), truth) == 0.0


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_pearson_does_not_depend_on_the_scale(scale: float) -> None:
    rng = np.random.default_rng(0)
    truth, predicted = numbers_of(rng.standard_normal(30)), rng.standard_normal(30)

    assert Pearson()(truth, predicted * scale) == pytest.approx(Pearson()(truth, predicted), rel=1e-9)


@pytest.mark.parametrize("metric", [Pearson(), Spearman(), R2()], ids=name_of)
def test_several_numbers_are_judged_one_by_one(metric: Metric) -> None:
    rng = np.random.default_rng(0)
    truth = rng.standard_normal((30, 2)) + np.array([0, 100])
    predicted = truth + rng.standard_normal((30, 2))

    columns = [metric(numbers_of(truth[:, column]), predicted[:, column]) for column in range(2)]

    assert metric(numbers_of(truth), predicted) == pytest.approx(np.mean(columns))


def test_a_class_that_truth_lacks_does_not_lower_balanced_accuracy() -> None:
    assert BalancedAccuracy()(classes(np.array([0, 0, 2, 2])), np.array([0, 1, 2, 2])) == 0.75


def test_errors_are_negative_and_shown_positive() -> None:
    assert (RMSE().shown_negated, MAE().shown_negated, R2().shown_negated) == (True, True, False)
