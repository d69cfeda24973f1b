"""Balanced accuracy (mean per-class accuracy): accuracy with equal weight for every class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.metric import Metric
from assay.core.task import Labels, TaskKind


@dataclass(frozen=True, slots=True)
class BalancedAccuracy(Metric):
    """The mean recall over the classes in the truth, from 0 to 1.

    Classes missing from the truth are ignored. Papers on fine-grained images call it mean per-class accuracy.

    References:
        The Balanced Accuracy and Its Posterior Distribution (Brodersen et al., 2010),
        https://doi.org/10.1109/ICPR.2010.764

    >>> from assay.core.task import LabelKind
    >>> BalancedAccuracy()(Labels(LabelKind.CLASSIFICATION, np.array([0, 1, 1, 1])), np.array([1, 1, 1, 1]))
    0.5
    """

    kinds: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.CLASSIFICATION, TaskKind.TOKENS})

    def __call__(self, truth: Labels, predicted: np.ndarray) -> float:
        """Return the mean recall."""
        true = truth.values
        counts = np.bincount(true)
        hits = np.bincount(true[true == predicted], minlength=len(counts))
        present = counts > 0
        return float((hits[present] / counts[present]).mean())
