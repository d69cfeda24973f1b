"""RMSE: the root mean squared error."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import numpy as np

from assay.core.metric import Metric
from assay.core.task import Labels, TaskKind
from assay.numerics.columns import mean_over_columns


@dataclass(frozen=True, slots=True)
class RMSE(Metric):
    """The root mean squared error in units of the labels; negative here, so that higher is better.

    With several numbers per example it is the mean over them.

    >>> from assay.core.task import LabelKind
    >>> RMSE()(Labels(LabelKind.REGRESSION, np.array([0.0, 0.0])), np.array([1.0, -1.0]))
    -1.0
    """

    kinds: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.REGRESSION})
    shown_negated: ClassVar[bool] = True

    def __call__(self, truth: Labels, predicted: np.ndarray) -> float:
        """Return minus the root mean squared error."""
        return -mean_over_columns(_root_mean_square, truth.values, predicted)


def _root_mean_square(true: np.ndarray, predicted: np.ndarray) -> float:
    return sqrt(float(np.square(true - predicted).mean()))
