"""Linear support vector machines with squared hinge loss, one-vs-rest, by Newton's method."""

from __future__ import annotations

from functools import cached_property
from typing import final

import numpy as np

_STEPS = 500  # the method ends by itself after some ten; a bound for degenerate rows
_ENOUGH = 1e-13  # expected relative decrease of the loss at which the method ends
_FIRST = 3  # dimensions for each example of the other classes that is a support vector at the start
_HALVINGS = 100  # steps of the line search: a Newton step or, outside the known bounds, half of them


@final
class LinearSVMs:
    """Minimises |w|^2/2 + sum max(0, 1 - margin)^2 with a free intercept, for each class.

    The loss is quadratic as long as the set S of support vectors, those with a margin below 1, stays the
    same. A step of Newton's method minimises it for the present S, with as many unknowns as S has examples or
    as there are components, whichever is less, and goes as far in that direction as the loss falls. A first
    guess of S, from ridge regression, halves the number of steps. L-BFGS takes over a thousand passes through
    all rows where the classes can be separated: ten times as long.

    References:
        A Modified Finite Newton Method for Fast Solution of Large Scale Linear SVMs (Keerthi and DeCoste,
        2005), https://jmlr.org/papers/v6/keerthi05a.html

    Args:
        rows: Examples x principal components, centred.
    """

    def __init__(self, rows: np.ndarray) -> None:
        self._rows = rows
        self._squares = np.square(rows).sum(axis=0)

    def outputs(self, is_own: np.ndarray) -> np.ndarray:
        """Return the output of the machine that tells some examples from all others, for each example."""
        signs = np.where(is_own, 1.0, -1.0)
        ridge = self._rows @ ((self._rows.T @ signs) / (self._squares + 1))
        ridge[is_own] = np.inf
        begun = np.argsort(-ridge, kind="stable")[: is_own.sum() + self._rows.shape[1] // _FIRST]
        weights, outputs = self._solved(begun, signs)
        for _ in range(_STEPS):
            short = np.maximum(1 - signs * outputs, 0.0)
            target, reached = self._solved(np.flatnonzero(short), signs)
            direction, change = target - weights, signs * (reached - outputs)
            slope, curvature = float(weights @ direction), float(direction @ direction)
            promised = float(short @ change) - slope / 2  # decrease of the loss if the set stays the same
            if promised <= _ENOUGH * float(np.square(short).sum() + weights @ weights / 2):
                break
            length = _length(1 - signs * outputs, change, slope, curvature)
            weights, outputs = weights + length * direction, outputs + length * signs * change
        return outputs

    def _solved(self, support: np.ndarray, signs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the weights that minimise the squared loss of some examples alone, and all outputs."""
        if not len(support):
            return np.zeros(self._rows.shape[1]), np.zeros(len(self._rows))
        solve = self._by_components if len(support) > self._rows.shape[1] else self._by_examples
        return solve(support, signs[support])

    def _by_examples(self, support: np.ndarray, signs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Solve for a number of each example: (K + I/2) a = signs - b, and their sum is 0."""
        products = self._products[support]
        system = products[:, support]
        system[np.diag_indices(len(system))] += 0.5
        by_signs, by_ones = _cholesky_solved(system, np.stack([signs, np.ones(len(signs))], axis=1)).T
        intercept = by_signs.sum() / by_ones.sum()
        dual = by_signs - intercept * by_ones
        return self._rows[support].T @ dual, dual @ products + intercept

    def _by_components(self, support: np.ndarray, signs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Solve for the weights: (X'X + I/2) w = X'signs, both centred on the support vectors."""
        rows = self._rows[support]
        mean = rows.mean(axis=0)
        rows -= mean
        system = rows.T @ rows
        system[np.diag_indices(len(system))] += 0.5
        weights = _cholesky_solved(system, (rows.T @ signs)[:, None])[:, 0]
        return weights, self._rows @ weights + (signs.mean() - mean @ weights)

    @cached_property
    def _products(self) -> np.ndarray:
        """The inner products of all examples."""
        return np.asarray(self._rows @ self._rows.T)


def _cholesky_solved(system: np.ndarray, right: np.ndarray) -> np.ndarray:
    from scipy.linalg.lapack import dposv

    return np.asarray(dposv(system.T, right, overwrite_a=True)[1])


def _length(short: np.ndarray, change: np.ndarray, slope: float, curvature: float) -> float:
    """Return the step t that minimises the loss along a direction.

    Its derivative, slope + t curvature - 2 sum max(0, short - t change) change, grows with t and is linear
    between the margins: Newton's method, kept inside the bounds that it finds, ends at the root.
    """
    low, high, length = 0.0, np.inf, 1.0
    for _ in range(_HALVINGS):
        left = short - length * change
        missing = np.where(left > 0, change, 0.0)
        derivative = slope + length * curvature - 2 * float(left @ missing)
        low, high = (low, length) if derivative > 0 else (length, high)
        following = length - derivative / (curvature + 2 * float(missing @ missing) or 1.0)
        if not low < following < high:
            following = (low + high) / 2 if np.isfinite(high) else 2 * length
        if abs(following - length) <= 1e-12 * length:
            break
        length = following
    return length
