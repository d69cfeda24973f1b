"""Balanced accuracy: accuracy that gives every class the same weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.metric import Metric
from assay.core.task import Kind


@dataclass(frozen=True, slots=True)
class BalancedAccuracy(Metric):
    """The mean over the classes of truth of the share that is predicted, from 0 to 1.

    Classes that truth lacks do not count.

    References:
        The Balanced Accuracy and Its Posterior Distribution (Brodersen et al., 2010),
        https://doi.org/10.1109/ICPR.2010.764

    >>> BalancedAccuracy()(np.array([0, 1, 1, 1]), np.array([1, 1, 1, 1]))
    0.5
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.CLASSIFICATION})

    def __call__(self, truth: np.ndarray, predicted: np.ndarray) -> float:
        """Return the mean recall."""
        counts = np.bincount(truth)
        hits = np.bincount(truth[truth == predicted], minlength=len(counts))
        present = counts > 0
        return float((hits[present] / counts[present]).mean())
