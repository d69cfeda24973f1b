"""The posterior distribution of untried models, given the results of the tried ones."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import ndtr

from assay.search.prior import Prior

_SPREADS = 7  # quantiles of past spreads
_OF_THE_OFFSET = 25.0  # variance of the offset of a task, in squared spreads: nearly flat
DIVERGED = 4.0  # spreads below the best at which an observation says no more
_ANALOGY = 0.5  # share of the residual variance by which a task differs from its like
_LEAST = 1e-9


class Belief(NamedTuple):
    """What is believed of each model: values of the metric."""

    mean: np.ndarray
    deviation: np.ndarray
    improvement: np.ndarray  # expected improvement on the best observed value
    by_analogy: np.ndarray  # the same, if the task is like a past one
    scale: float  # the spread of the task: its best value minus the median


def believe(
    prior: Prior, tried: np.ndarray, values: np.ndarray, deviations: np.ndarray | None = None
) -> Belief:
    """Return the posterior of all models, given the tried ones.

    The spread of the task is one of seven quantiles of past spreads, weighted by how likely each makes the
    values; without errors, all of them share one factorisation.

    Args:
        prior: What past tasks say.
        tried: Positions of the models that were tried, at least one.
        values: Their values; higher is better.
        deviations: Standard deviations of their errors; None if the values are exact.
    """
    scales = np.unique(np.quantile(prior.spreads, (np.arange(_SPREADS) + 0.5) / _SPREADS))[:, None]
    scales = np.maximum(scales, _LEAST)
    best = float(values.max())
    seen = np.maximum(values, best - DIVERGED * scales) / scales - prior.mean[tried]  # spreads x tried
    offsets = seen.mean(axis=1, keepdims=True)
    if deviations is None:
        given = _given(prior, tried, seen - offsets, np.zeros(len(tried)))
    else:
        errors = np.square(deviations / scales)
        rows = range(len(scales))
        parts = [_given(prior, tried, (seen - offsets)[[row]], errors[row]) for row in rows]
        given = _Given(*map(np.concatenate, zip(*parts, strict=True)))
    fits = given.fit - (len(tried) - 1) * np.log(scales[:, 0])
    weights = np.exp(fits - fits.max())
    weights /= weights.sum()
    means, spreads = scales * (prior.mean + offsets + given.shift), scales * np.sqrt(given.variance)
    mean = weights @ means
    variance = weights @ (spreads**2 + (means - mean) ** 2)
    improvement = weights @ expected_improvement(means, spreads, best)
    scale = float(weights @ scales[:, 0])
    by_analogy = _by_analogy(prior, tried, values, scale)
    return Belief(mean, np.sqrt(variance), improvement, by_analogy, scale)


def believe_nothing(prior: Prior) -> Belief:
    """Return the prior of all models, before any was tried."""
    scale = float(np.median(prior.spreads))
    none = np.zeros(len(prior.mean))
    deviation = scale * np.sqrt(prior.covariance.diagonal() + prior.noise)
    return Belief(scale * prior.mean, deviation, none, none, scale)


class _Given(NamedTuple):
    """What the values say of the models where the spread of the task is known, a row for each spread."""

    shift: np.ndarray  # of the mean: spreads x models
    variance: np.ndarray  # spreads x models
    fit: np.ndarray  # the log evidence


def _given(prior: Prior, tried: np.ndarray, centred: np.ndarray, errors: np.ndarray) -> _Given:
    """Condition on values that have the same errors for each spread, by one factorisation.

    Args:
        prior: What past tasks say.
        tried: Positions of the models that were tried.
        centred: Their values in spreads, without the prior mean and the offset: spreads x tried.
        errors: The variances of their errors in squared spreads.
    """
    joint = prior.covariance[tried] + _OF_THE_OFFSET  # tried x models
    shared = joint.copy()
    shared[np.arange(len(tried)), tried] += prior.noise[tried]  # a model's own deviation is its own
    factor = np.linalg.cholesky(joint[:, tried] + np.diag(prior.noise[tried] + errors + _LEAST))
    white = solve_triangular(factor, centred.T, lower=True)
    loads = solve_triangular(factor, shared, lower=True)
    known = prior.covariance.diagonal() + prior.noise + _OF_THE_OFFSET - np.square(loads).sum(axis=0)
    fit = -0.5 * np.square(white).sum(axis=0) - np.log(factor.diagonal()).sum()
    shift = white.T @ loads
    return _Given(shift, np.broadcast_to(np.maximum(known, 0.0), shift.shape), fit)


def expected_improvement(means: np.ndarray, deviations: np.ndarray, best: float) -> np.ndarray:
    """Return the expected improvement of normal variables over the best value."""
    deviations = np.maximum(deviations, _LEAST)
    z = (means - best) / deviations
    density = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    return np.asarray((means - best) * ndtr(z) + deviations * density)


def _by_analogy(prior: Prior, tried: np.ndarray, values: np.ndarray, scale: float) -> np.ndarray:
    """Return the expected improvement if the task is like a past one, with its own offset and spread.

    The spread, in units of that of the past task, has a normal prior around 1 with variance 1.
    """
    if not len(prior.past):
        return np.zeros(len(prior.mean))
    past = prior.past[:, tried]
    seen = np.maximum(values, values.max() - DIVERGED * scale) / scale
    centred, of_past = seen - seen.mean(), past - past.mean(axis=1, keepdims=True)
    noise = _ANALOGY * prior.residual
    slopes = np.maximum((of_past @ centred + noise) / (np.square(of_past).sum(axis=1) + noise), 0.0)
    left = np.square(centred - slopes[:, None] * of_past).sum(axis=1) + noise * np.square(slopes - 1)
    fits = -left / (2 * noise)
    weights = np.exp(fits - fits.max())
    weights /= weights.sum()
    expected = seen.mean() + slopes[:, None] * (prior.past - past.mean(axis=1, keepdims=True))
    return np.asarray(scale * (weights @ np.maximum(expected - seen.max(), 0.0)))
