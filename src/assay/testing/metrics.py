"""Contract tests of metrics: derive from ``MetricContract`` and override the fixture ``metric``."""

from __future__ import annotations

import math
import warnings
from contextlib import suppress
from enum import StrEnum
from typing import ClassVar

import numpy as np
import pytest

from assay.core.errors import NotApplicable
from assay.core.metric import Metric
from assay.core.task import LabelKind, Labels, TaskKind
from assay.testing.contract import Contract, Values

CLASSES = ("O", "B-a", "I-a", "B-b", "I-b")  # also usable as tags of words


class Shape(StrEnum):
    """The types of simulated labels."""

    CLASSES = "one class"
    TWO_CLASSES = "one of two classes"
    SEVERAL_CLASSES = "several classes"
    NUMBERS = "one number"
    SEVERAL_NUMBERS = "several numbers"
    WORDS = "words"

    @property
    def kind(self) -> TaskKind:
        """The kind of a task with labels of this type."""
        return {
            Shape.CLASSES: TaskKind.CLASSIFICATION,
            Shape.TWO_CLASSES: TaskKind.CLASSIFICATION,
            Shape.SEVERAL_CLASSES: TaskKind.MULTILABEL,
            Shape.NUMBERS: TaskKind.REGRESSION,
            Shape.SEVERAL_NUMBERS: TaskKind.REGRESSION,
            Shape.WORDS: TaskKind.TOKENS,
        }[self]


def draw(shape: Shape, count: int, seed: int) -> Labels:
    """Return random labels for ``count`` examples; for words, four labels per example."""
    rng = np.random.default_rng(seed)
    if shape is Shape.NUMBERS:
        return Labels(LabelKind.REGRESSION, rng.standard_normal(count))
    if shape is Shape.SEVERAL_NUMBERS:
        return Labels(LabelKind.REGRESSION, rng.standard_normal((count, 3)))
    if shape is Shape.SEVERAL_CLASSES:
        return Labels(LabelKind.MULTILABEL, rng.integers(0, 2, (count, 5)), CLASSES)
    if shape in {Shape.CLASSES, Shape.TWO_CLASSES}:
        classes = CLASSES[: 5 if shape is Shape.CLASSES else 2]
        return Labels(LabelKind.CLASSIFICATION, rng.integers(0, len(classes), count), classes)
    return Labels(LabelKind.CLASSIFICATION, rng.integers(0, 5, 4 * count), CLASSES, np.full(count, 4))


def constant(labels: Labels) -> Labels:
    """Return the same number of labels, all equal to 1."""
    return Labels(labels.kind, np.ones_like(labels.values), labels.classes, labels.lengths)


def sure_of(metric: Metric, labels: Labels) -> np.ndarray:
    """Return perfect predictions; probabilities are 0 or 1."""
    return labels.targets() if metric.judges_probs else labels.values.copy()


def guesses(metric: Metric, labels: Labels, seed: int) -> np.ndarray:
    """Return random predictions for the same number of labels."""
    if metric.judges_probs:
        shares = np.random.default_rng(seed).uniform(0.05, 0.95, (len(labels), len(labels.classes)))
        return shares if labels.kind is LabelKind.MULTILABEL else shares / shares.sum(axis=1, keepdims=True)
    rng = np.random.default_rng(seed)
    if labels.kind is LabelKind.REGRESSION:
        return rng.standard_normal(labels.values.shape)
    return rng.integers(
        0, 2 if labels.kind is LabelKind.MULTILABEL else len(labels.classes), labels.values.shape
    )


def judged(metric: Metric, truth: Labels, predicted: np.ndarray) -> float:
    """Return the value of a metric; warnings are errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return metric(truth, predicted)


def shapes_of(metric: Metric) -> list[Shape]:
    """Return the label types that a metric applies to."""
    shapes = [shape for shape in Shape if shape.kind in metric.kinds]
    return [shape for shape in shapes if not (metric.of_two_classes and shape is Shape.CLASSES)]


class MetricContract(Contract):
    """The contract tests of metrics.

    class TestMine(MetricContract):
        @pytest.fixture
        def metric(self):
            return Mine()
    """

    subject = "metric"
    parameters: ClassVar[Values] = {"shape": shapes_of}

    @pytest.fixture
    def metric(self) -> Metric:
        raise NotImplementedError("Override the fixture `metric`.")

    @pytest.fixture
    def truth(self, shape: Shape) -> Labels:
        return draw(shape, 40, seed=0)

    def test_a_value_is_a_finite_float(self, metric: Metric, truth: Labels) -> None:
        value = judged(metric, truth, guesses(metric, truth, seed=1))

        assert type(value) is float
        assert math.isfinite(value)

    @pytest.mark.parametrize("seed", range(5))
    def test_perfect_predictions_are_the_maximum(self, metric: Metric, shape: Shape, seed: int) -> None:
        truth = draw(shape, 40, seed)
        perfect = judged(metric, truth, sure_of(metric, truth))
        first = np.repeat(sure_of(metric, truth)[:1], len(truth), axis=0)

        assert perfect > judged(metric, truth, guesses(metric, truth, seed + 100))
        assert perfect >= judged(metric, truth, first)

    def test_the_order_of_examples_does_not_matter(self, metric: Metric, truth: Labels) -> None:
        predicted = guesses(metric, truth, seed=1)
        order = np.random.default_rng(2).permutation(40)

        shuffled = judged(metric, truth.of(order), predicted[truth.rows_of(order)])

        assert shuffled == pytest.approx(judged(metric, truth, predicted), rel=1e-12)

    def test_examples_that_all_count_twice_change_nothing(self, metric: Metric, truth: Labels) -> None:
        predicted = guesses(metric, truth, seed=1)

        twice = judged(metric, truth.followed_by(truth), np.concatenate([predicted, predicted]))

        assert twice == pytest.approx(judged(metric, truth, predicted), rel=1e-12)

    @pytest.mark.parametrize("count", [1, 2, 40])
    def test_constant_truth_and_predictions_give_a_finite_value_or_a_reason(
        self, metric: Metric, shape: Shape, count: int
    ) -> None:
        varied, same = draw(shape, count, seed=0), constant(draw(shape, count, seed=0))

        for truth, predicted in ((varied, same), (same, varied), (same, same)):
            with suppress(NotApplicable):
                assert math.isfinite(judged(metric, truth, sure_of(metric, predicted)))

    def test_it_writes_to_nothing_that_it_is_given(self, metric: Metric, truth: Labels) -> None:
        predicted = guesses(metric, truth, seed=1)
        predicted.flags.writeable = False

        assert math.isfinite(judged(metric, truth, predicted))
