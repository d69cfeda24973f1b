"""What every metric must do: derive from ``MetricContract`` and override the fixture ``metric``."""

from __future__ import annotations

import math
import warnings

import numpy as np
import pytest

from assay.core.metric import Metric
from assay.core.task import Kind, Labels


def judged(metric: Metric, truth: np.ndarray, predicted: np.ndarray) -> float:
    """Return what a metric says; a warning is an error."""
    kind = Kind.REGRESSION if truth.dtype.kind == "f" else Kind.CLASSIFICATION
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return metric(Labels(kind, truth), predicted)


def draw(metric: Metric, kind: Kind, count: int, seed: int) -> np.ndarray:
    """Return positions in five classes, in two for a metric of two, or numbers."""
    rng = np.random.default_rng(seed)
    classes = 2 if metric.of_two_classes else 5
    return rng.standard_normal(count) if kind is Kind.REGRESSION else rng.integers(0, classes, count)


class MetricContract:
    """The laws of metrics.

    class TestMine(MetricContract):
        @pytest.fixture
        def metric(self):
            return Mine()
    """

    @pytest.fixture
    def metric(self) -> Metric:
        raise NotImplementedError("Override the fixture `metric`.")

    @pytest.fixture(params=list(Kind), ids=str)
    def kind(self, request: pytest.FixtureRequest, metric: Metric) -> Kind:
        if request.param not in metric.kinds:
            pytest.skip(f"does not judge {request.param}")
        return Kind(request.param)

    def test_a_value_is_a_finite_float(self, metric: Metric, kind: Kind) -> None:
        value = judged(metric, draw(metric, kind, 40, seed=0), draw(metric, kind, 40, seed=1))

        assert type(value) is float
        assert math.isfinite(value)

    @pytest.mark.parametrize("seed", range(5))
    def test_perfect_predictions_are_the_maximum(self, metric: Metric, kind: Kind, seed: int) -> None:
        truth = draw(metric, kind, 40, seed)
        perfect = judged(metric, truth, truth.copy())

        assert perfect > judged(metric, truth, draw(metric, kind, 40, seed + 100))
        assert perfect >= judged(metric, truth, np.full_like(truth, truth[0]))

    def test_the_order_of_examples_does_not_matter(self, metric: Metric, kind: Kind) -> None:
        truth, predicted = draw(metric, kind, 40, seed=0), draw(metric, kind, 40, seed=1)
        order = np.random.default_rng(2).permutation(40)

        shuffled = judged(metric, truth[order], predicted[order])

        assert shuffled == pytest.approx(judged(metric, truth, predicted), rel=1e-12)

    def test_examples_that_all_count_twice_change_nothing(self, metric: Metric, kind: Kind) -> None:
        truth, predicted = draw(metric, kind, 40, seed=0), draw(metric, kind, 40, seed=1)

        twice = judged(metric, np.tile(truth, 2), np.tile(predicted, 2))

        assert twice == pytest.approx(judged(metric, truth, predicted), rel=1e-12)

    @pytest.mark.parametrize("count", [1, 2, 40])
    def test_constant_truth_and_predictions_give_a_finite_value(
        self, metric: Metric, kind: Kind, count: int
    ) -> None:
        varied, constant = (
            draw(metric, kind, count, seed=0),
            np.full_like(draw(metric, kind, count, seed=0), 1),
        )

        assert math.isfinite(judged(metric, varied, constant))
        assert math.isfinite(judged(metric, constant, varied))
        assert math.isfinite(judged(metric, constant, constant.copy()))

    def test_it_writes_to_nothing_that_it_is_given(self, metric: Metric, kind: Kind) -> None:
        truth, predicted = draw(metric, kind, 40, seed=0), draw(metric, kind, 40, seed=1)
        truth.flags.writeable = predicted.flags.writeable = False

        assert math.isfinite(judged(metric, truth, predicted))
