"""Pearson correlation: the linear correlation of predictions and truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.metric import Metric
from assay.core.task import Labels, TaskKind
from assay.numerics.columns import pearson_correlation


@dataclass(frozen=True, slots=True)
class Pearson(Metric):
    """Pearson's correlation of true and predicted numbers, from -1 to 1.

    It is 0.0 if either is constant, as a constant prediction carries no information. With several numbers per
    example it is the mean over them.

    References:
        Notes on regression and inheritance in the case of two parents (Pearson, 1895),
        https://doi.org/10.1098/rspl.1895.0041

    >>> from assay.core.task import LabelKind
    >>> truth = Labels(LabelKind.REGRESSION, np.array([1.0, 2.0, 3.0]))
    >>> Pearson()(truth, np.array([10.0, 20.0, 30.0])).__round__(12)
    1.0
    """

    kinds: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.REGRESSION})

    def __call__(self, truth: Labels, predicted: np.ndarray) -> float:
        """Return the correlation."""
        return pearson_correlation(truth.values, predicted)
