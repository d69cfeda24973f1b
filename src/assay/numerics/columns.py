"""Column-wise measures of numbers: means over columns, correlations and ranks."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt

import numpy as np


def mean_over_columns(
    measure: Callable[[np.ndarray, np.ndarray], float], truth: np.ndarray, predicted: np.ndarray
) -> float:
    """Return the mean over columns of a measure of one column; for one column the measure itself.

    Args:
        measure: Measure of one column of truth and predictions.
        truth: Examples, or examples x columns.
        predicted: Same shape as the truth.
    """
    if truth.ndim == 1:
        return measure(truth, predicted)
    return float(np.mean([measure(*pair) for pair in zip(truth.T, predicted.T, strict=True)]))


def pearson_correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Return the linear correlation, from -1 to 1, averaged over columns; 0.0 if either is constant."""
    return mean_over_columns(_pearson, x, y)


def rank_correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Return the linear correlation of the ranks, with average ranks for ties."""
    return mean_over_columns(_spearman, x, y)


def centred_ranks(values: np.ndarray) -> np.ndarray:
    """Replace values in place by twice their centred ranks; equal values share the mean rank.

    They are whole numbers, so that sums are exact. ``scipy.stats.rankdata`` takes twice as long, and more
    memory: ``benchmarks/numerics.py``, row ranks.
    """
    order = values.argsort()
    ordered = values[order]
    tied = ordered[1:] == ordered[:-1]
    del ordered  # saves memory: five arrays of all pairs of 5,000 examples would be too many
    first, last = np.arange(len(values), dtype=np.float64), np.arange(len(values), dtype=np.float64)
    first[1:][tied] = 0
    last[:-1][tied] = len(values)
    np.maximum.accumulate(first, out=first)  # start of the run of equal values
    np.minimum.accumulate(last[::-1], out=last[::-1])
    first += last
    first -= len(values) - 1
    values[order] = first
    return values


def _pearson(x: np.ndarray, y: np.ndarray) -> float:
    if x.min() == x.max() or y.min() == y.max():
        return 0.0
    x, y = x - x.mean(), y - y.mean()
    x /= np.abs(x).max()  # squares of the smallest and largest numbers stay finite
    y /= np.abs(y).max()
    return float(np.clip((x @ y) / sqrt(float(x @ x) * float(y @ y)), -1.0, 1.0))


def _spearman(x: np.ndarray, y: np.ndarray) -> float:
    x, y = (centred_ranks(np.array(numbers, dtype=np.float64)) for numbers in (x, y))
    squares = float(x @ x) * float(y @ y)
    return float(np.clip((x @ y) / sqrt(squares), -1.0, 1.0)) if squares > 0 else 0.0
