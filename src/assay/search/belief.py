"""What is believed of the models that were not tried, given those that were."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import stats

from assay.search.prior import Prior

_SPREADS = 7  # quantiles of past spreads
_OF_THE_OFFSET = 25.0  # variance of the offset of a task, in squared spreads: nearly flat
_DIVERGED = 4.0  # spreads below the best at which an observation says no more
_ANALOGY = 0.5  # share of the residual variance by which a task differs from its like
_LEAST = 1e-9


class Belief(NamedTuple):
    """What is believed of each model: values of the metric."""

    mean: np.ndarray
    deviation: np.ndarray
    improvement: np.ndarray  # expected improvement on the best observed value
    by_analogy: np.ndarray  # the same, if the task is like a past one


def believe(prior: Prior, tried: np.ndarray, values: np.ndarray) -> Belief:
    """Return what is believed of all models after some were tried.

    Args:
        prior: What past tasks say.
        tried: Positions of the models that were tried, at least one.
        values: Their values; higher is better.
    """
    scales = np.unique(np.quantile(prior.spreads, (np.arange(_SPREADS) + 0.5) / _SPREADS))
    best = float(values.max())
    parts = [_given_spread(prior, tried, values, scale) for scale in np.maximum(scales, _LEAST)]
    fits = np.array([part[2] for part in parts])
    weights = np.exp(fits - fits.max())
    weights /= weights.sum()
    means, deviations = np.stack([part[0] for part in parts]), np.stack([part[1] for part in parts])
    mean = weights @ means
    variance = weights @ (deviations**2 + (means - mean) ** 2)
    improvement = weights @ _improvement(means, deviations, best)
    scale = float(weights @ scales)
    return Belief(mean, np.sqrt(variance), improvement, _by_analogy(prior, tried, values, scale))


def _given_spread(
    prior: Prior, tried: np.ndarray, values: np.ndarray, scale: float
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return mean and deviation of each model, and the log evidence, if the task has this spread."""
    seen = np.maximum(values, values.max() - _DIVERGED * scale) / scale
    offset = float(seen.mean() - prior.mean[tried].mean())
    centred = seen - prior.mean[tried] - offset
    covariance = prior.covariance + _OF_THE_OFFSET
    joint = covariance[np.ix_(tried, tried)] + np.diag(prior.noise[tried])
    factor = np.linalg.cholesky(joint + 1e-9 * np.eye(len(tried)))
    white = np.linalg.solve(factor, centred)
    loads = np.linalg.solve(factor, covariance[tried])
    mean = prior.mean + offset + loads.T @ white
    variance = np.maximum(np.diag(covariance) - np.square(loads).sum(axis=0), 0.0) + prior.noise
    fit = (
        -0.5 * float(white @ white) - float(np.log(np.diag(factor)).sum()) - (len(tried) - 1) * np.log(scale)
    )
    return scale * mean, scale * np.sqrt(variance), fit


def _improvement(means: np.ndarray, deviations: np.ndarray, best: float) -> np.ndarray:
    z = (means - best) / deviations
    return np.asarray((means - best) * stats.norm.cdf(z) + deviations * stats.norm.pdf(z))


def _by_analogy(prior: Prior, tried: np.ndarray, values: np.ndarray, scale: float) -> np.ndarray:
    """Return the expected improvement if the task is like a past one, with its own offset and spread."""
    past = prior.past[:, tried]
    seen = np.maximum(values, values.max() - _DIVERGED * scale) / scale
    centred, of_past = seen - seen.mean(), past - past.mean(axis=1, keepdims=True)
    slopes = (of_past @ centred + _ANALOGY) / (
        np.square(of_past).sum(axis=1) + _ANALOGY
    )  # 1 without evidence
    slopes = np.maximum(slopes, 0.0)
    left = np.square(centred - slopes[:, None] * of_past).sum(axis=1)
    fits = -left / (2 * _ANALOGY * prior.residual)
    weights = np.exp(fits - fits.max())
    weights /= weights.sum()
    expected = seen.mean() + slopes[:, None] * (prior.past - past.mean(axis=1, keepdims=True))
    return np.asarray(scale * (weights @ np.maximum(expected - seen.max(), 0.0)))
