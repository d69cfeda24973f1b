"""What is expected of the linear probe on test, and how often the interval holds what it reaches."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from assay.core.features import Features, LabelledFeatures
from assay.core.metric import Metric
from assay.core.predictor import Predicted
from assay.core.task import LabelKind, Labels
from assay.metrics.accuracy import Accuracy
from assay.metrics.macro_f1 import MacroF1
from assay.metrics.rmse import RMSE
from assay.numerics.expected import FoldEvidence, SubsetPredictions, expected
from assay.plugins.array_view import ArrayView
from assay.plugins.method import Score
from assay.plugins.train_view import HeldOut, HeldOutContext
from assay.protocols.linear_probe import LinearProbe
from assay.scores.lda_cv import LDACV
from assay.scores.logistic_cv import LogisticCV
from assay.scores.ridge_cv import RidgeCV

COUNT = 500


def labelled(values: np.ndarray) -> LabelledFeatures:
    kind = LabelKind.CLASSIFICATION if values.dtype.kind == "i" else LabelKind.REGRESSION
    labels = Labels(kind, values, ("a", "b") if kind is LabelKind.CLASSIFICATION else ())
    return LabelledFeatures(Features(np.zeros((len(values), 1), np.float32)), labels)


def held(values: np.ndarray, beyond: HeldOutContext) -> HeldOut:
    count = len(values)
    return HeldOut(labelled(values), np.arange(count) % 5, np.arange(count), count, beyond)


def wrong(values: np.ndarray, share: float, seed: int = 0) -> np.ndarray:
    """The labels with a share of errors, drawn at random but exactly as many."""
    order = np.random.default_rng(seed).permutation(len(values))[: round(share * len(values))]
    changed = values.copy()
    changed[order] = 1 - changed[order]
    return changed


def said(
    error: float,
    of_parts: float | None,
    beyond: HeldOutContext,
    on_val: float | None = None,
    metric: Metric | None = None,
):
    """What is expected where rules have these errors on held-out examples, of parts, and on val."""
    values = np.arange(COUNT) % 2
    parts = ()
    if of_parts is not None:
        parts = (SubsetPredictions(np.arange(COUNT), Predicted(wrong(values, of_parts))),)
    val = None if on_val is None else Predicted(wrong(beyond.val.labels.values, on_val))
    counts = (0.8 * COUNT, 0.4 * COUNT, COUNT)
    evidence = FoldEvidence(Predicted(wrong(values, error)), parts, val, counts, 0.1)
    return expected(held(values, beyond), metric or Accuracy(), evidence)


def val_of(count: int) -> HeldOutContext:
    return HeldOutContext(labelled(np.arange(count) % 2), count, 200)


@pytest.mark.parametrize("of_parts", [None, 0.1, 0.2, 0.24, 0.5])
def test_the_expected_error_falls_with_what_more_examples_brought_before(of_parts):
    error = 1 - said(0.2, of_parts, HeldOutContext(val_count=125)).value

    least = 0.2 * (1.25 * COUNT / (0.8 * COUNT)) ** -1.0
    assert least <= error <= 0.2
    if of_parts == 0.5:
        assert error < 1 - said(0.2, 0.24, HeldOutContext(val_count=125)).value


def test_more_examples_of_val_are_expected_to_help():
    values = [said(0.2, 0.25, HeldOutContext(val_count=count)).value for count in (0, 100, 1000)]

    assert values == sorted(values)
    assert values[0] > 0.8  # the rule of all folds has more examples than those that were judged


@pytest.mark.parametrize("metric", [Accuracy(), MacroF1()])
def test_fewer_examples_of_test_widen_the_interval(metric):
    intervals = [
        said(0.2, 0.25, HeldOutContext(test_count=count), metric=metric).interval
        for count in (50, 500, 5000, None)
    ]

    widths = [interval.high - interval.low for interval in intervals]
    assert widths == sorted(widths, reverse=True)
    assert widths[0] > 2 * 1.9 * np.sqrt(0.2 * 0.8 / 50)
    assert all(interval.high <= 1 for interval in intervals)


@pytest.mark.parametrize("metric", [Accuracy(), MacroF1()])
def test_choices_on_a_small_val_widen_the_interval(metric):
    intervals = [
        said(0.2, 0.25, HeldOutContext(val_count=count, test_count=200), metric=metric).interval
        for count in (20, 200)
    ]

    small, large = (interval.high - interval.low for interval in intervals)
    assert small > 1.5 * large


@pytest.mark.parametrize("error", [0.0, 1.0])
def test_rules_without_an_error_or_with_nothing_else_have_an_interval(error):
    value, interval, _ = said(error, error, HeldOutContext(test_count=100))

    assert 0 <= interval.low <= value <= interval.high <= 1
    assert 0.01 < interval.high - interval.low < 0.2


def test_val_that_contradicts_train_warns_and_widens_the_interval():
    fine, shifted = (said(0.122, 0.145, val_of(200), on_val) for on_val in (0.12, 0.325))

    assert fine.notes == ()
    assert "accuracy 0.675 on val, and cross-validation on train expects 0.88" in shifted.notes[0]
    assert shifted.value == fine.value
    assert shifted.interval.low < 0.675 < fine.interval.low
    assert shifted.interval.high == fine.interval.high


def test_val_that_is_better_than_train_contradicts_it_too():
    shifted = said(0.4, 0.42, val_of(200), 0.1)

    assert shifted.notes
    assert shifted.interval.high > 0.9


def test_metrics_of_which_less_is_better_are_shown_as_they_are_by_convention():
    rng = np.random.default_rng(0)
    values = rng.standard_normal(300)
    val = HeldOutContext(labelled(values), 300, 300)
    near, far = (Predicted(values + spread * rng.standard_normal(300)) for spread in (0.5, 2.0))

    shown = expected(held(values, val), RMSE(), FoldEvidence(near, (), far, (240, 120, 300), 0.1))

    assert -0.5 < shown.value < -0.35
    assert shown.interval.low < -1.5
    assert "rmse 1." in shown.notes[0]
    assert "expects 0.4" in shown.notes[0]


def test_val_of_one_class_is_no_contradiction_where_the_metric_is_undefined():
    only = HeldOutContext(labelled(np.zeros(50, int)), 50, 100)

    assert said(0.2, 0.25, only, 0.2).notes == ()


def drawn(rng: np.random.Generator, shift: float = 0.0) -> tuple[ArrayView, float]:
    """A train with val and how many test examples there are, and what the linear probe reaches on test."""
    width, classes = int(rng.choice([16, 64, 256])), int(rng.choice([2, 5]))
    means = rng.standard_normal((classes, width)) * rng.uniform(0.5, 3) / np.sqrt(width)
    spread = (np.arange(width) + 1.0) ** -rng.uniform(0, 0.5)

    def part(count: int, share: float) -> LabelledFeatures:
        values = rng.permutation(np.arange(count) % classes)
        rows = rng.standard_normal((count, width)) * spread + share * means[values] * spread
        labels = Labels(LabelKind.CLASSIFICATION, values, tuple(map(str, range(classes))))
        return LabelledFeatures(Features(rows.astype(np.float32)), labels)

    count = int(rng.integers(150, 800))
    train, val, test = (
        part(count, 1.0),
        part(count // 4, 1 - shift),
        part(int(rng.choice([100, 300])), 1 - shift),
    )
    predictor = LinearProbe().fit(train, val, Accuracy()).predictor
    value = predictor(test.matrix).judged(Accuracy(), test.labels)
    return ArrayView(train.labels, train.matrix, beyond=HeldOutContext(val, len(val), len(test))), value


@pytest.mark.slow
@pytest.mark.parametrize("score", [RidgeCV(), LDACV(), LogisticCV()], ids=["ridge", "lda", "logistic"])
def test_intervals_hold_what_the_linear_probe_reaches(score: Score):
    rng, cells = np.random.default_rng(0), 80
    held, alarms, widths = 0, 0, []
    for _ in range(cells):
        view, value = drawn(rng)
        estimate = score.estimate(view, Accuracy())
        noise = 2 * 1.96 * np.sqrt(max(value * (1 - value), 0.005) / view.beyond.test_count)
        held += estimate.interval.low <= value <= estimate.interval.high
        alarms += any("val is not drawn like train" in note for note in estimate.notes)
        widths.append((estimate.interval.high - estimate.interval.low) / noise)

    assert held >= 0.9 * cells
    assert alarms <= 0.05 * cells
    assert np.median(widths) < 2


@pytest.mark.slow
def test_a_clear_shift_is_noticed():
    rng, noticed = np.random.default_rng(1), 0
    for _ in range(30):
        view, value = drawn(rng, shift=0.8)
        estimate = RidgeCV().estimate(view, Accuracy())
        if estimate - value > 0.15:
            noticed += bool(estimate.notes) and estimate.interval.low <= value
        else:
            noticed += 1

    assert noticed >= 27


@pytest.mark.framework
def test_the_interval_is_wider_with_a_count_of_test_examples_than_without():
    view, _ = drawn(np.random.default_rng(2))

    with_test = RidgeCV().estimate(view, Accuracy()).interval
    without = RidgeCV().estimate(replace(view, beyond=HeldOutContext()), Accuracy()).interval

    assert with_test.high - with_test.low > without.high - without.low
