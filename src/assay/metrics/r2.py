"""R2: the share of the variance of the truth that predictions explain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.metric import Metric
from assay.core.task import Labels, TaskKind
from assay.numerics.columns import mean_over_columns


@dataclass(frozen=True, slots=True)
class R2(Metric):
    """The coefficient of determination: 1 at best, 0 for the mean of the truth, below 0 for worse.

    With several numbers per example it is the mean over them. If the truth is constant it is 1.0 for perfect
    predictions and 0.0 for others, as in scikit-learn.

    References:
        Correlation and causation (Wright, 1921), Journal of Agricultural Research 20, 557-585.

    >>> from assay.core.task import LabelKind
    >>> R2()(Labels(LabelKind.REGRESSION, np.array([1.0, 2.0, 3.0])), np.array([2.0, 2.0, 2.0]))
    0.0
    """

    kinds: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.REGRESSION})

    def __call__(self, truth: Labels, predicted: np.ndarray) -> float:
        """Return R2."""
        return mean_over_columns(_explained, truth.values, predicted)


def _explained(true: np.ndarray, predicted: np.ndarray) -> float:
    error = float(np.square(true - predicted).sum())
    if true.min() == true.max():
        return float(error == 0)
    return 1 - error / float(np.square(true - true.mean()).sum())
