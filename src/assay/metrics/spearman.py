"""Spearman correlation: the rank correlation of predictions and truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.metric import Metric
from assay.core.task import Labels, TaskKind
from assay.numerics.columns import rank_correlation


@dataclass(frozen=True, slots=True)
class Spearman(Metric):
    """Spearman's rank correlation of true and predicted numbers, from -1 to 1; equal numbers share a rank.

    It is 0.0 if either is constant, as a constant prediction gives no order. With several numbers per
    example it is the mean over them.

    References:
        The Proof and Measurement of Association between Two Things (Spearman, 1904),
        https://doi.org/10.2307/1412159

    >>> from assay.core.task import LabelKind
    >>> Spearman()(Labels(LabelKind.REGRESSION, np.array([1.0, 2.0, 3.0])), np.array([1.0, 10.0, 100.0]))
    1.0
    """

    kinds: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.REGRESSION})

    def __call__(self, truth: Labels, predicted: np.ndarray) -> float:
        """Return the rank correlation."""
        return rank_correlation(truth.values, predicted)
