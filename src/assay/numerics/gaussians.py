"""Expectation maximisation of a Gaussian mixture; components may have fewer examples than dimensions."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_STEPS = 100  # scikit-learn's default
_CHANGE = 1e-3  # of the mean log likelihood, at which the fit ends: scikit-learn's default
_LEAST_SHARE = 1e-30  # of an example in a component: below, it changes no bit of the covariance
_COLUMNS = 512  # directions on which all examples are projected at once; bounds the memory


class Gaussian(NamedTuple):
    """A component with the covariance B'B + r I, by what its density needs.

    Attributes:
        mean: The mean.  # dimensions
        directions: Columns P for which the squared Mahalanobis distance of a difference d from the mean is
            |P'd|^2, or (|d|^2 - |P'd|^2) / r.  # dimensions x columns
        is_whole: Whether it is the former.
        constant: The log of the weight and of the normalisation.
    """

    mean: np.ndarray
    directions: np.ndarray
    is_whole: bool
    constant: float


def responsibilities(rows: np.ndarray, assigned: np.ndarray, components: int, added: float) -> np.ndarray:
    """Return the posterior of each component after expectation maximisation, examples x components.

    It is the mixture of scikit-learn with full covariances, step by step. A component of m examples has a
    covariance of rank m plus a diagonal, though. Where m is below the number of dimensions, densities come
    from the m x m products of its examples, by the formula of Woodbury: with five components for each class
    this takes a fiftieth of the time, and no matrix of dimensions x dimensions for each component.

    Args:
        rows: Examples x dimensions, centred.
        assigned: The component of each example at the start.
        components: The number of components.
        added: Added to the variances.
    """
    shares = np.zeros((len(rows), components))
    shares[np.arange(len(rows)), assigned] = 1.0
    before = -np.inf
    for _ in range(_STEPS):
        gaussians = _fitted(rows, shares, added)
        shares, likelihood = _posteriors(rows, gaussians, added)
        if abs(likelihood - before) < _CHANGE:
            break
        before = likelihood
    return _posteriors(rows, _fitted(rows, shares, added), added)[0]


def _fitted(rows: np.ndarray, shares: np.ndarray, added: float) -> list[Gaussian]:
    """Return the components that maximise the likelihood of examples that belong to each by a share."""
    counts = shares.sum(axis=0) + 10 * np.finfo(np.float64).eps
    means = (shares.T @ rows) / counts[:, None]
    weights = np.log(counts / counts.sum())
    return [
        _gaussian(rows, share / count, mean, float(weight), added)
        for share, count, mean, weight in zip(shares.T, counts, means, weights, strict=True)
    ]


def _gaussian(
    rows: np.ndarray, shares: np.ndarray, mean: np.ndarray, log_weight: float, added: float
) -> Gaussian:
    from scipy.linalg import solve_triangular

    own = np.flatnonzero(shares > _LEAST_SHARE)
    root = (rows[own] - mean) * np.sqrt(shares[own])[:, None]
    dimensions = rows.shape[1]
    is_whole = len(own) >= dimensions
    square = root.T @ root if is_whole else root @ root.T
    square[np.diag_indices(len(square))] += added
    factor = np.linalg.cholesky(square)
    right = np.eye(dimensions) if is_whole else root
    directions = solve_triangular(factor, right, lower=True, check_finite=False).T
    log_det = 2 * np.log(np.diag(factor)).sum() + (dimensions - len(square)) * np.log(added)
    constant = log_weight - (dimensions * np.log(2 * np.pi) + log_det) / 2
    return Gaussian(mean, directions, is_whole, constant)


def _posteriors(rows: np.ndarray, gaussians: list[Gaussian], added: float) -> tuple[np.ndarray, float]:
    """Return the posterior of each component, and the mean log likelihood."""
    logs = np.empty((len(gaussians), len(rows)))
    norms = np.square(rows).sum(axis=1)
    start = 0
    while start < len(gaussians):
        stop, columns = start, 0
        while stop < len(gaussians) and (stop == start or columns <= _COLUMNS):
            columns += gaussians[stop].directions.shape[1]
            stop += 1
        logs[start:stop] = _log_densities(rows, norms, gaussians[start:stop], added)
        start = stop
    logs = logs.T
    highest = logs.max(axis=1, keepdims=True)
    shares = np.exp(logs - highest)
    sums = shares.sum(axis=1, keepdims=True)
    return shares / sums, float((highest + np.log(sums)).mean())


def _log_densities(
    rows: np.ndarray, norms: np.ndarray, gaussians: list[Gaussian], added: float
) -> np.ndarray:
    """Return the log densities times the weights, components x examples; ``norms`` are squared."""
    along = rows @ np.concatenate([each.directions for each in gaussians], axis=1)
    means = rows @ np.stack([each.mean for each in gaussians], axis=1)
    logs, start = np.empty((len(gaussians), len(rows))), 0
    for number, each in enumerate(gaussians):
        stop = start + each.directions.shape[1]
        part = along[:, start:stop] - each.mean @ each.directions
        distances = np.einsum("ij,ij->i", part, part)
        if not each.is_whole:
            apart = norms - 2 * means[:, number] + each.mean @ each.mean
            distances = np.maximum(apart - distances, 0.0) / added
        logs[number], start = each.constant - distances / 2, stop
    return logs
