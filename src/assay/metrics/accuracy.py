"""Accuracy: the share of examples whose class is predicted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.metric import Metric
from assay.core.task import Kind, Labels


@dataclass(frozen=True, slots=True)
class Accuracy(Metric):
    """The share of examples whose class is predicted, from 0 to 1.

    >>> Accuracy()(Labels(Kind.CLASSIFICATION, np.array([0, 1, 1, 2])), np.array([0, 1, 1, 1]))
    0.75
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.CLASSIFICATION, Kind.TOKENS})
    is_mean: ClassVar[bool] = True

    def __call__(self, truth: Labels, predicted: np.ndarray) -> float:
        """Return the accuracy."""
        true = truth.values
        return float(np.count_nonzero(true == predicted)) / len(true)
