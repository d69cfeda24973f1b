"""Accuracy: the share of examples that are classified correctly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.metric import Metric
from assay.core.task import Labels, TaskKind


@dataclass(frozen=True, slots=True)
class Accuracy(Metric):
    """The share of correctly classified examples, from 0 to 1; with several labels, all must be correct.

    >>> from assay.core.task import LabelKind
    >>> Accuracy()(Labels(LabelKind.CLASSIFICATION, np.array([0, 1, 1, 2])), np.array([0, 1, 1, 1]))
    0.75
    """

    kinds: ClassVar[frozenset[TaskKind]] = frozenset(
        {TaskKind.CLASSIFICATION, TaskKind.TOKENS, TaskKind.MULTILABEL}
    )
    is_mean: ClassVar[bool] = True

    def __call__(self, truth: Labels, predicted: np.ndarray) -> float:
        """Return the accuracy."""
        right = truth.values == predicted
        return float(np.count_nonzero(right if right.ndim == 1 else right.all(axis=1))) / len(right)
