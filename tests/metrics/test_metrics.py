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
from assay.core.task import LabelKind, Labels
from assay.metrics.accuracy import Accuracy
from assay.metrics.auroc import AUROC
from assay.metrics.balanced_accuracy import BalancedAccuracy
from assay.metrics.calibration_error import CalibrationError
from assay.metrics.entity_f1 import EntityF1
from assay.metrics.log_loss import LogLoss
from assay.metrics.macro_f1 import MacroF1
from assay.metrics.mae import MAE
from assay.metrics.matthews import Matthews
from assay.metrics.mean_average_precision import MeanAveragePrecision
from assay.metrics.micro_f1 import MicroF1
from assay.metrics.pearson import Pearson
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
OF_NUMBERS: list[tuple[Metric, Reference]] = [
    (Pearson(), lambda y, p: stats.pearsonr(y, p).statistic),
    (Spearman(), lambda y, p: stats.spearmanr(y, p).statistic),
    (R2(), reference.r2_score),
    (RMSE(), lambda y, p: -reference.root_mean_squared_error(y, p)),
    (MAE(), lambda y, p: -reference.mean_absolute_error(y, p)),
]

OF_SEVERAL_CLASSES: list[tuple[Metric, Reference]] = [
    (Accuracy(), reference.accuracy_score),
    (MacroF1(), lambda y, p: reference.f1_score(y, p, average="macro", zero_division=np.nan)),
    (MicroF1(), lambda y, p: reference.f1_score(y, p, average="micro", zero_division=0)),
]
OF_PROBS_OF_SEVERAL: list[tuple[Metric, Reference]] = [
    (MeanAveragePrecision(), reference.average_precision_score),
    (AUROC(), reference.roc_auc_score),
    (LogLoss(), lambda y, p: -np.mean([reference.log_loss(*pair) for pair in zip(y.T, p.T, strict=True)])),
]
OF_PROBS: list[tuple[Metric, Reference]] = [
    (AUROC(), lambda y, p: reference.roc_auc_score(y, p, multi_class="ovr")),
    (LogLoss(), lambda y, p: -reference.log_loss(y, p)),
]

positions = arrays.arrays(np.int64, 12, elements=st.integers(0, 4))
numbers = arrays.arrays(np.float64, 12, elements=st.integers(-5, 5))  # whole numbers have ties


def name_of(value: object) -> str | None:
    return type(value).__name__ if isinstance(value, Metric) else None


def classes(values: np.ndarray) -> Labels:
    return Labels(LabelKind.CLASSIFICATION, values)


def numbers_of(values: np.ndarray) -> Labels:
    return Labels(LabelKind.REGRESSION, values)


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


def test_a_class_that_truth_lacks_does_not_lower_balanced_accuracy() -> None:
    assert BalancedAccuracy()(classes(np.array([0, 0, 2, 2])), np.array([0, 1, 2, 2])) == 0.75


def test_errors_are_negative_and_shown_positive() -> None:
    assert (RMSE().shown_negated, MAE().shown_negated, R2().shown_negated) == (True, True, False)


@pytest.mark.parametrize(("metric", "judge"), OF_SEVERAL_CLASSES, ids=name_of)
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_of_several_classes_equals_scikit_learn(metric: Metric, judge: Reference, share: float) -> None:
    rng = np.random.default_rng(0)
    truth, predicted = rng.random((2, 30, 6)) < share
    truth[:, 5] = predicted[:, 5] = False  # a class that nobody names

    value = metric(Labels(LabelKind.MULTILABEL, truth), predicted.astype(np.int64))

    assert value == pytest.approx(judge(truth.astype(int), predicted.astype(int)), rel=1e-12)


@pytest.mark.parametrize(("metric", "judge"), OF_NUMBERS, ids=name_of)
def test_several_numbers_are_the_mean_over_columns(metric: Metric, judge: Reference) -> None:
    truth, predicted = np.random.default_rng(0).standard_normal((2, 30, 4)) * [1, 10, 100, 1000]
    columns = [judge(*pair) for pair in zip(truth.T, predicted.T, strict=True)]

    assert metric(numbers_of(truth), predicted) == pytest.approx(np.mean(columns), rel=1e-12)


@pytest.mark.parametrize(("metric", "judge"), OF_PROBS_OF_SEVERAL, ids=name_of)
@pytest.mark.parametrize("digits", [1, 8])
def test_probabilities_of_several_classes_equal_scikit_learn(
    metric: Metric, judge: Reference, digits: int
) -> None:
    rng = np.random.default_rng(0)
    truth, probs = rng.integers(0, 2, (40, 5)), rng.random((40, 5)).round(digits)  # few digits have ties

    assert metric(Labels(LabelKind.MULTILABEL, truth), probs) == pytest.approx(judge(truth, probs), rel=1e-9)


@pytest.mark.parametrize(("metric", "judge"), OF_PROBS, ids=name_of)
def test_probabilities_equal_scikit_learn(metric: Metric, judge: Reference) -> None:
    rng = np.random.default_rng(0)
    truth, probs = rng.permutation(np.arange(60) % 4), rng.dirichlet(np.full(4, 0.3), 60)

    value = metric(Labels(LabelKind.CLASSIFICATION, truth, tuple("abcd")), probs)

    assert value == pytest.approx(judge(truth, probs), rel=1e-6)


def test_the_calibration_error_is_that_of_torchmetrics() -> None:
    rng = np.random.default_rng(0)
    truth, probs = rng.permutation(np.arange(60) % 4), rng.dirichlet(np.full(4, 0.3), 60)

    value = CalibrationError()(Labels(LabelKind.CLASSIFICATION, truth, tuple("abcd")), probs)

    assert value == pytest.approx(-0.519531786, abs=1e-7)  # torchmetrics 1.9.0, multiclass, n_bins=15


def test_a_class_that_truth_lacks_does_not_count_for_probabilities() -> None:
    truth = np.array([[1, 0], [0, 0], [1, 0]])
    probs = np.random.default_rng(0).random((3, 2))
    both, first = Labels(LabelKind.MULTILABEL, truth), Labels(LabelKind.MULTILABEL, truth[:, :1])

    for metric in (MeanAveragePrecision(), AUROC()):
        assert metric(both, probs) == metric(first, probs[:, :1])


@pytest.mark.parametrize("metric", [MeanAveragePrecision(), AUROC()], ids=name_of)
def test_without_any_class_there_is_no_order_to_judge(metric: Metric) -> None:
    with pytest.raises(NotApplicable):
        metric(Labels(LabelKind.MULTILABEL, np.zeros((3, 2))), np.ones((3, 2)))


TAGS = {
    "IOB": ("O", "B-PER", "I-PER", "B-LOC", "I-LOC"),
    "IOBES": ("O", "B-PER", "I-PER", "E-PER", "S-PER", "S-LOC", "B-LOC"),
}


@pytest.mark.parametrize("scheme", TAGS)
@settings(deadline=None, max_examples=60)
@given(lengths=st.lists(st.integers(1, 6), min_size=1, max_size=6), seed=st.integers(0, 2**32 - 1))
def test_entities_equal_those_of_seqeval(scheme: str, lengths: list[int], seed: int) -> None:
    theirs = pytest.importorskip("seqeval.metrics").f1_score
    rng, tags = np.random.default_rng(seed), TAGS[scheme]
    truth, predicted = rng.integers(0, len(tags), (2, sum(lengths)))
    truth[0] = 1
    ends = np.cumsum(lengths)[:-1]
    named = [[[tags[tag] for tag in text] for text in np.split(row, ends)] for row in (truth, predicted)]

    value = EntityF1()(Labels(LabelKind.CLASSIFICATION, truth, tags, np.array(lengths)), predicted)

    assert value == pytest.approx(theirs(*named, zero_division=0), rel=1e-12)


def test_parts_of_speech_are_no_entities() -> None:
    with pytest.raises(NotApplicable, match="B-TYPE"):
        EntityF1()(Labels(LabelKind.CLASSIFICATION, np.array([0, 1]), ("NOUN", "VERB")), np.array([0, 1]))
