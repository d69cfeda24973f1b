"""MAE: the mean absolute error."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.metric import Metric
from assay.core.task import Labels, TaskKind


@dataclass(frozen=True, slots=True)
class MAE(Metric):
    """The mean absolute error in units of the labels; negative here, so that higher is better.

    With several numbers per example it is the mean over them.

    >>> from assay.core.task import LabelKind
    >>> MAE()(Labels(LabelKind.REGRESSION, np.array([0.0, 0.0])), np.array([1.0, -2.0]))
    -1.5
    """

    kinds: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.REGRESSION})
    shown_negated: ClassVar[bool] = True
    is_mean: ClassVar[bool] = True

    def __call__(self, truth: Labels, predicted: np.ndarray) -> float:
        """Return minus the mean absolute error."""
        true = truth.values
        return -float(np.abs(true - predicted).mean())
