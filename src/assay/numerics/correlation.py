"""Correlations of numbers, column by column; a constant column correlates with nothing."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from statistics import fmean

import numpy as np


def pearson_correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Return the linear correlation, from -1 to 1; 0.0 where either is constant; of columns the mean."""
    return _mean_over_columns(_pearson, x, y)


def rank_correlation(x: np.ndarray, y: np.ndarray) -> float:
    """Return the correlation of the ranks, ties averaged, else as the linear one."""
    return _mean_over_columns(_spearman, x, y)


def _mean_over_columns(
    correlation: Callable[[np.ndarray, np.ndarray], float], x: np.ndarray, y: np.ndarray
) -> float:
    if x.ndim == 1:
        return correlation(x, y)
    return fmean(correlation(one, other) for one, other in zip(x.T, y.T, strict=True))


def _pearson(x: np.ndarray, y: np.ndarray) -> float:
    if x.min() == x.max() or y.min() == y.max():
        return 0.0
    x, y = x - x.mean(), y - y.mean()
    x /= np.abs(x).max()  # squares of the smallest and largest numbers stay finite
    y /= np.abs(y).max()
    return float(np.clip((x @ y) / sqrt(float(x @ x) * float(y @ y)), -1.0, 1.0))


def _spearman(x: np.ndarray, y: np.ndarray) -> float:
    x, y = _centred_ranks(x), _centred_ranks(y)
    squares = float(x @ x) * float(y @ y)
    return float(np.clip((x @ y) / sqrt(squares), -1.0, 1.0)) if squares > 0 else 0.0


def _centred_ranks(numbers: np.ndarray) -> np.ndarray:
    """Return twice the ranks about their mean, ties averaged: whole numbers, so that sums are exact."""
    order = np.argsort(numbers)
    ordered = numbers[order]
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))  # where each run of equals begins
    last = np.append(first[1:], len(numbers))
    ranks = np.empty(len(numbers))
    ranks[order] = np.repeat(first + last - len(numbers), last - first)
    return ranks
