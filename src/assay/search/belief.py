"""What is believed of the models that were not tried, given those that were."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import ndtr

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

    The spread of the task is one of seven quantiles of past spreads, weighted by how likely each makes the
    values; all of them share one factorisation, of the models that were tried.

    Args:
        prior: What past tasks say.
        tried: Positions of the models that were tried, at least one.
        values: Their values; higher is better.
    """
    scales = np.unique(np.quantile(prior.spreads, (np.arange(_SPREADS) + 0.5) / _SPREADS))[:, None]
    scales = np.maximum(scales, _LEAST)
    best = float(values.max())
    seen = np.maximum(values, best - _DIVERGED * scales) / scales - prior.mean[tried]  # spreads x tried
    offsets = seen.mean(axis=1, keepdims=True)
    shared = prior.covariance[tried] + _OF_THE_OFFSET  # tried x models
    factor = np.linalg.cholesky(shared[:, tried] + np.diag(prior.noise[tried] + _LEAST))
    white = solve_triangular(factor, (seen - offsets).T, lower=True)
    loads = solve_triangular(factor, shared, lower=True)
    known = prior.covariance.diagonal() + _OF_THE_OFFSET - np.square(loads).sum(axis=0)
    fits = -0.5 * np.square(white).sum(axis=0) - (len(tried) - 1) * np.log(scales[:, 0])
    weights = np.exp(fits - fits.max())
    weights /= weights.sum()
    means = scales * (prior.mean + offsets + white.T @ loads)
    deviations = scales * np.sqrt(np.maximum(known, 0.0) + prior.noise)
    mean = weights @ means
    variance = weights @ (deviations**2 + (means - mean) ** 2)
    improvement = weights @ _improvement(means, deviations, best)
    scale = float(weights @ scales[:, 0])
    return Belief(mean, np.sqrt(variance), improvement, _by_analogy(prior, tried, values, scale))


def _improvement(means: np.ndarray, deviations: np.ndarray, best: float) -> np.ndarray:
    z = (means - best) / deviations
    density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    return np.asarray((means - best) * ndtr(z) + deviations * density)


def _by_analogy(prior: Prior, tried: np.ndarray, values: np.ndarray, scale: float) -> np.ndarray:
    """Return the expected improvement if the task is like a past one, with its own offset and spread.

    The spread, in units of that of the past task, has a normal prior around 1 with variance 1.
    """
    past = prior.past[:, tried]
    seen = np.maximum(values, values.max() - _DIVERGED * scale) / scale
    centred, of_past = seen - seen.mean(), past - past.mean(axis=1, keepdims=True)
    noise = _ANALOGY * prior.residual
    slopes = np.maximum((of_past @ centred + noise) / (np.square(of_past).sum(axis=1) + noise), 0.0)
    left = np.square(centred - slopes[:, None] * of_past).sum(axis=1) + noise * np.square(slopes - 1)
    fits = -left / (2 * noise)
    weights = np.exp(fits - fits.max())
    weights /= weights.sum()
    expected = seen.mean() + slopes[:, None] * (prior.past - past.mean(axis=1, keepdims=True))
    return np.asarray(scale * (weights @ np.maximum(expected - seen.max(), 0.0)))
