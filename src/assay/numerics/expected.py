"""Predicts the test metric of the linear probe from cross-validation, with a prediction interval."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import NamedTuple

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.estimate import Interval, resampled, wilson
from assay.core.metric import Metric
from assay.core.predictor import Predicted
from assay.core.task import LabelKind, Labels
from assay.plugins.train_view import HeldOut

_EXPONENT, _EXPONENT_SD = 0.12, 0.2  # of error ~ n^-s on real and simulated features: benchmarks/expected.py
_STEEPEST = 1.0  # exponent of a parametric rate of error; no curve falls faster for long
_TRAINING = 0.5  # variance over training sets, in variances of the held-out examples
_TUNING = 0.9  # variance of the probe's choices on val, in variances of the examples of val
_CONTRADICTION = 2.5  # standard deviations between val and train that are no chance: 1 % of studies
_LEAST = 0.5  # least error that counts as one, and its noise, in standard errors


class SubsetPredictions(NamedTuple):
    """Predictions by a rule that was fitted to a smaller part of train.

    Attributes:
        examples: The positions of the held-out examples that are not in the part.
        predicted: The predictions for their labels.
    """

    examples: np.ndarray
    predicted: Predicted


class FoldEvidence(NamedTuple):
    """What rules of one kind, fitted to parts of train, predict.

    Attributes:
        predicted: The prediction for each held-out label by the rule of the other folds.
        on_parts: Predictions by rules of smaller parts, for the learning curve; it may be empty.
        on_val: Predictions for val by the rule of all folds; None if there is no val.
        counts: How many examples these three kinds of rules are fitted to, in this order.
        unlike: The standard deviation of the error of the linear probe about that of such rules: relative,
            for small errors.
    """

    predicted: Predicted
    on_parts: tuple[SubsetPredictions, ...]
    on_val: Predicted | None
    counts: tuple[float, float, float]
    unlike: float


class Expected(NamedTuple):
    """A value expected on test, its interval, and a warning if val contradicts it."""

    value: float
    interval: Interval
    notes: tuple[str, ...]


def expected(held_out: HeldOut, metric: Metric, evidence: FoldEvidence) -> Expected:
    """Return the expected test result of the linear probe, fitted to train and val.

    The error falls with the count n of training examples as n^-s. The exponent s, between 0 and 1, comes from
    rules that are fitted to smaller parts of train, and is shrunk to 0.12, a modest gain. The interval is for
    the value that will be measured. It includes the sampling noise of the held-out examples and of test (if
    its size is known), the variance over training sets, the uncertainty of the exponent, the difference
    between such rules and the probe, and the loss from tuning on a small val. Test must be drawn like train:
    if the result on val contradicts cross-validation, a note warns, and the interval covers both.
    Measured coverage: docs/statistics.md.

    Near-duplicates of the same label are in one fold if the task was read from its examples. With features
    alone they are not detected, and the value is too high unless test has them too.

    Without val, the probe is assumed to be fitted to train alone. If the size of test is unknown, the
    interval is for the expected value, without the sampling noise of test.

    Args:
        held_out: The examples of train that were predicted; val and the number of test examples.
        metric: The metric.
        evidence: What rules fitted to parts of train predict.

    Raises:
        NotApplicable: The metric is undefined for the held-out examples.

    References:
        The Shape of Learning Curves: a Review (Viering and Loog, 2021), https://arxiv.org/abs/2103.10948
        Cross-validation: what does it estimate and how well does it do it? (Bates, Hastie and Tibshirani,
        2021), https://arxiv.org/abs/2104.00673
    """
    beyond, truth = held_out.beyond, held_out.examples.labels
    judged = _HeldOutSample.of(metric, truth, evidence.predicted)
    curve = _curve(judged, held_out, evidence, metric)
    fitted, _, whole = evidence.counts
    growth = (held_out.train_count + beyond.val_count) / fitted
    error = judged.error * curve.shrinkage(growth)
    noise = error**2 * curve.noise(growth) + (evidence.unlike * judged.room(error)) ** 2
    own = (1 + _TRAINING) / judged.count
    tuning = _TUNING / beyond.val_count if beyond.val_count else 0.0
    interval = judged.interval(error, own + tuning, beyond.test_count, noise)
    value = judged.perfect - error
    if beyond.val is None or evidence.on_val is None:
        return Expected(value, interval, ())
    try:
        on_val = _HeldOutSample.of(metric, beyond.val.labels, evidence.on_val)
    except NotApplicable:  # val may hold one class only
        return Expected(value, interval, ())
    here = judged.error * curve.shrinkage(whole / fitted)
    sampling = _shared_variance(judged, on_val) * (own + 1 / on_val.count)
    variance = sampling + here**2 * curve.noise(whole / fitted)
    if abs(on_val.error - here) <= _CONTRADICTION * np.sqrt(variance):
        return Expected(value, interval, ())
    later = on_val.error * curve.shrinkage(growth * fitted / whole)
    other = on_val.interval(later, 1 / on_val.count + tuning, beyond.test_count, noise)
    both = Interval(min(interval.low, other.low), max(interval.high, other.high))
    return Expected(value, both, (_warning(metric, on_val.value, judged.perfect - here),))


def in_order(parts: Sequence[Predicted], rows: Sequence[np.ndarray]) -> Predicted:
    """Return the predictions of all parts in the order of their rows."""
    order = np.argsort(np.concatenate(rows))
    probs = [part.probs for part in parts if part.probs is not None]
    values = np.concatenate([part.values for part in parts])
    return Predicted(values, np.concatenate(probs) if probs else None).take(order)


class _Curve(NamedTuple):
    """The error against the count of training examples: n^-exponent, with the variance of the exponent."""

    exponent: float
    variance: float

    def shrinkage(self, growth: float) -> float:
        """Return by how much more examples shrink the error."""
        return float(growth**-self.exponent)

    def noise(self, growth: float) -> float:
        """Return the relative variance of the error that the exponent causes."""
        return float(np.log(growth) ** 2 * self.variance)


@dataclass(frozen=True, slots=True)
class _HeldOutSample:
    """A metric of predictions for a sample.

    Attributes:
        value: The value of the metric.
        perfect: The value of perfect predictions.
        count: The number of examples.
        deviation: The standard deviation of the value for one example.
        draws: The values for bootstrap samples; None for a share of right answers.
    """

    value: float
    perfect: float
    count: int
    deviation: float
    draws: np.ndarray | None

    @classmethod
    def of(cls, metric: Metric, truth: Labels, predicted: Predicted) -> _HeldOutSample:
        """Judge predictions for these labels."""
        value, count = predicted.judged(metric, truth), truth.examples
        perfect = metric(truth, truth.targets() if metric.judges_probs else truth.values)
        if _is_share(metric, truth):
            wrong = (1 - value) * count
            return cls(value, perfect, count, _share_deviation(wrong, count), None)
        draws = resampled(metric, truth, predicted.part(metric))
        return cls(value, perfect, count, float(draws.std()) * np.sqrt(count), draws)

    @property
    def error(self) -> float:
        """The distance from perfect predictions."""
        return max(self.perfect - self.value, 0.0)

    def room(self, error: float) -> float:
        """Return by how much rules with this error can differ: a share is bounded on both sides."""
        return error * (1 - error) if self.draws is None else error

    def interval(self, error: float, own: float, others: int | None, noise: float) -> Interval:
        """Return the 95 % interval of a value with this error.

        Args:
            error: The expected error.
            own: The variance of the estimate, in variances of one example.
            others: The number of examples that the value will be measured on; None for no noise.
            noise: Further variance.
        """
        value, sampling = self.perfect - error, own + (1 / others if others else 0.0)
        if self.draws is None:
            variance = _share_deviation(error * self.count, self.count) ** 2
            low, high, _ = astuple(wilson(value, 1 / (sampling + noise / variance)))
            half = 0.5 / others if others else 0.0  # what is measured is a whole number of right answers
            return Interval(max(low - half, 0.0), min(high + half, 1.0))
        spread = self.deviation / np.sqrt(self.count)
        widen = float(np.sqrt(sampling * self.deviation**2 + noise) / spread) if spread > 0 else 1.0
        low, high = np.quantile(self.draws, (0.025, 0.975)) - self.value
        return Interval(
            value + widen * min(float(low), 0.0), min(value + widen * max(float(high), 0.0), self.perfect)
        )


def _curve(judged: _HeldOutSample, held_out: HeldOut, evidence: FoldEvidence, metric: Metric) -> _Curve:
    """Return the exponent of the learning curve, shrunk to the usual one."""
    prior = _EXPONENT_SD**-2
    usual = _Curve(_EXPONENT, 1 / prior)
    fitted, part, _ = evidence.counts
    try:
        (gain, noise), deviation = _gain(judged, held_out, evidence, metric)
    except NotApplicable:  # the metric is undefined for a fold
        return usual
    least = _LEAST * deviation
    if not evidence.on_parts or least <= 0:
        return usual
    error, steps = max(judged.error, least), np.log(fitted / part)
    seen = np.log(max(error + gain, least) / error) / steps
    weight = (error * steps) ** 2 / (noise + least**2)
    exponent = (weight * seen + prior * _EXPONENT) / (weight + prior)
    return _Curve(float(np.clip(exponent, 0.0, _STEEPEST)), 1 / (weight + prior))


def _gain(
    judged: _HeldOutSample, held_out: HeldOut, evidence: FoldEvidence, metric: Metric
) -> tuple[tuple[float, float], float]:
    """Return by how much rules of more examples are better than those of parts, and its variance.

    The last number is the standard error of the metric itself. Of metrics that are no shares, both come from
    the differences between folds, which do not depend on the order of the examples as draws do.
    """
    truth = held_out.examples.labels
    gains, variances = [], []
    for examples, fewer in evidence.on_parts:
        rows, labels = truth.rows_of(examples), truth.of(examples)
        more = evidence.predicted.take(rows)
        gains.append(more.judged(metric, labels) - fewer.judged(metric, labels))
        if judged.draws is None:
            right = [(each.values == labels.values).astype(float) for each in (more, fewer)]
            variances.append(np.var(right[0] - right[1]) / len(examples))
            continue
        first, second = (
            _by_fold(metric, labels, each, _example_folds(held_out)[examples]) for each in (more, fewer)
        )
        variances.append(np.var(first - second, ddof=1) / len(first))
    if not gains:
        return (0.0, 0.0), 0.0
    deviation = judged.deviation / np.sqrt(judged.count)
    if judged.draws is not None:
        values = _by_fold(metric, truth, evidence.predicted, _example_folds(held_out))
        deviation = float(values.std(ddof=1) / np.sqrt(len(values)))
    return (float(np.mean(gains)), float(np.mean(variances))), deviation


def _example_folds(held_out: HeldOut) -> np.ndarray:
    """Return the fold of each held-out example."""
    folds = np.zeros(held_out.examples.labels.examples, dtype=np.int64)
    every = set(np.unique(held_out.folds).tolist())
    for fold in every:
        folds[held_out.outside(every - {fold})] = fold
    return folds


def _by_fold(metric: Metric, truth: Labels, predicted: Predicted, folds: np.ndarray) -> np.ndarray:
    """Return the metric of predictions for the examples of each fold."""
    parts = [np.flatnonzero(folds == fold) for fold in np.unique(folds)]
    return np.array([predicted.take(truth.rows_of(part)).judged(metric, truth.of(part)) for part in parts])


def _shared_variance(train: _HeldOutSample, val: _HeldOutSample) -> float:
    """Return the variance of one example if val is drawn like train."""
    both = train.count + val.count
    if train.draws is None:
        wrong = train.error * train.count + val.error * val.count
        return _share_deviation(wrong, both) ** 2
    return (train.deviation**2 * train.count + val.deviation**2 * val.count) / both


def _share_deviation(wrong: float, count: int) -> float:
    """Return the standard deviation of one answer; with one wrong and one right one more it is never 0."""
    share = (wrong + 1) / (count + 2)
    return float(np.sqrt(share * (1 - share)))


def _is_share(metric: Metric, truth: Labels) -> bool:
    """Return whether the metric is the share of right answers for independent examples."""
    is_alone = truth.kind is LabelKind.CLASSIFICATION and truth.lengths is None
    return metric.is_mean and not metric.judges_probs and is_alone


def _warning(metric: Metric, on_val: float, here: float) -> str:
    found, wanted = (-value if metric.shown_negated else value for value in (on_val, here))
    return (
        f"fitted to train it has {metric.name} {found:.3f} on val, and cross-validation on train expects "
        f"{wanted:.3f}: val is not drawn like train, and test may not be either; the interval covers both"
    )
