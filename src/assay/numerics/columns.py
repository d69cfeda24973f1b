"""A judge of one column of labels becomes one of several: the mean over the columns."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np


def mean_over_columns(
    judge: Callable[[np.ndarray, np.ndarray], float], truth: np.ndarray, predicted: np.ndarray
) -> float:
    """Return the mean of what is said of each column; of numbers without columns what is said of them.

    Args:
        judge: Judges one column.
        truth: Examples, or examples x columns.
        predicted: As the truth.
    """
    if truth.ndim == 1:
        return judge(truth, predicted)
    return float(np.mean([judge(*pair) for pair in zip(truth.T, predicted.T, strict=True)]))
