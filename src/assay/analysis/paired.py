"""How sure the difference of two models on one task is."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

from assay.analysis.intervals import LEVEL, Draws, Measured, bootstrap, example_values, interval, is_mean
from assay.analysis.ties import p_values_against
from assay.core.estimate import Interval
from assay.core.metric import Metric
from assay.core.task import Kind


class Paired(NamedTuple):
    """The difference of two models on the same test examples: the second less the first."""

    interval: Interval | None
    p_value: float


def paired(measured: Measured, metric: Metric, seed: int) -> Paired:
    """Return how sure the difference of two models is.

    The test is McNemar's exact one for accuracy and one seed, swaps of the two for other means, and Student's
    t with the spread of the paired bootstrap else; the spread over seeds counts in all of them.

    Args:
        measured: The predictions of the two.
        metric: The main metric of the task.
        seed: Decides draws and swaps.
    """
    draws = bootstrap(measured, metric, seed)
    p_value = float(p_values_against(0, measured, metric, draws, seed)[1])
    return Paired(_interval(measured, metric, draws), p_value)


def _interval(measured: Measured, metric: Metric, draws: Draws) -> Interval | None:
    found = interval(draws.values[:, 1] - draws.values[:, 0])
    if found is None or measured.truth.kind is not Kind.CLASSIFICATION or not is_mean(metric, measured.truth):
        return found
    first, second = (example_values(metric, measured.truth, one).mean(axis=0) for one in measured.predicted)
    few = share_difference(second - first)
    return Interval(min(found.low, few.low), max(found.high, few.high), LEVEL)


def share_difference(differences: np.ndarray) -> Interval:
    """Return the interval of a difference of two shares over the same examples, right for few of them too.

    Two models that err on the same few examples are not proved to be equal: the bootstrap, which would say
    so, is widened to this one, in which one example more is lost and one more is won, each by half.

    Args:
        differences: Of each example: -1, 0 or 1, or between where seeds differ.

    References:
        Simple improved confidence intervals for comparing matched proportions (Agresti and Min, 2005),
        https://doi.org/10.1002/sim.1781
    """
    count = len(differences) + 2
    mean = differences.sum() / count
    variance = (np.square(differences).sum() + 1) / count - mean**2
    reach = stats.norm.ppf((1 + LEVEL) / 2) * np.sqrt(variance / count)
    return Interval(float(max(-1.0, mean - reach)), float(min(1.0, mean + reach)), LEVEL)
