"""The value of a score, with its confidence interval and the metric that it estimates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.held_out import HeldOutPredictions
from assay.core.metric import Metric
from assay.core.task import LabelKind, Labels


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval."""

    low: float
    high: float
    level: float = 0.95


class Estimate(float):
    """The value of a score for a model on a task: higher is better, with an interval and notes.

    Attributes:
        interval: The confidence interval, or None.
        metric: The name of the metric that the score estimates; empty if the score has its own scale.
        notes: Caveats for the reader.
        held_out: The predictions on held-out examples of train that it judges, or None.

    >>> Estimate(0.87, Interval(0.85, 0.89), "accuracy")
    Estimate(0.87, 0.85 to 0.89, accuracy)
    >>> Estimate(0.87) > 0.5
    True
    """

    __slots__ = ("held_out", "interval", "metric", "notes")
    interval: Interval | None
    metric: str
    notes: tuple[str, ...]
    held_out: HeldOutPredictions | None

    def __new__(
        cls,
        value: float,
        interval: Interval | None = None,
        metric: str = "",
        notes: tuple[str, ...] = (),
        held_out: HeldOutPredictions | None = None,
    ) -> Estimate:
        """Create a number with an interval, a metric, notes and held-out predictions."""
        estimate = super().__new__(cls, value)
        estimate.interval, estimate.metric, estimate.notes = interval, metric, notes
        estimate.held_out = held_out
        return estimate

    @property
    def value(self) -> float:
        """The value as a plain float."""
        return float(self)

    def __repr__(self) -> str:
        between = f"{self.interval.low:.4g} to {self.interval.high:.4g}" if self.interval else ""
        return f"Estimate({', '.join(filter(None, (f'{float(self):.6g}', between, self.metric)))})"

    def __reduce__(self) -> tuple[object, ...]:
        return Estimate, (float(self), self.interval, self.metric, self.notes, self.held_out)


def judged_interval(metric: Metric, truth: Labels, predicted: np.ndarray, draws: int = 400) -> Interval:
    """Return the 95 % confidence interval of a metric over the predicted examples.

    Accuracy uses Wilson's interval; all other metrics use a bootstrap with a fixed seed. Neither includes
    the variance over training sets: with fewer examples than features, the interval of a cross-validated
    value covers the true value less often than 95 %.

    References:
        Probable Inference, the Law of Succession, and Statistical Inference (Wilson, 1927),
        https://doi.org/10.1080/01621459.1927.10502953
        Cross-validation: what does it estimate and how well does it do it? (Bates, Hastie and Tibshirani,
        2021), https://arxiv.org/abs/2104.00673
    """
    if metric.is_mean and truth.kind is LabelKind.CLASSIFICATION and not metric.judges_probs:
        return wilson(metric(truth, predicted), len(truth))
    low, high = np.quantile(resampled(metric, truth, predicted, draws), (0.025, 0.975))
    return Interval(float(low), float(high))


def resampled(metric: Metric, truth: Labels, predicted: np.ndarray, draws: int = 400) -> np.ndarray:
    """Return the values of a metric for bootstrap samples of the examples, the same for all predictions.

    A sample for which the metric is undefined, such as one of a single class, has the value of all examples.
    """
    rng, values = np.random.default_rng(0), []
    for _ in range(draws):
        drawn = rng.integers(0, truth.examples, truth.examples)
        try:
            values.append(metric(truth.of(drawn), predicted[truth.rows_of(drawn)]))
        except NotApplicable:
            values.append(metric(truth, predicted))
    return np.array(values)


def wilson(share: float, count: float) -> Interval:
    """Return the 95 % interval of a share of a count of independent examples; it holds the share itself."""
    square = 1.96**2 / count
    middle = (share + square / 2) / (1 + square)
    reach = 1.96 * np.sqrt(share * (1 - share) / count + square / (4 * count)) / (1 + square)
    return Interval(min(float(middle - reach), share), max(float(middle + reach), share))
