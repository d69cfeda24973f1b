"""The mean of Pearson and Spearman correlation, the metric of GLUE for similarity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.metric import Metric
from assay.core.task import Labels, TaskKind
from assay.numerics.columns import pearson_correlation, rank_correlation


@dataclass(frozen=True, slots=True)
class PearsonSpearman(Metric):
    """The mean of Pearson's and Spearman's correlation, from -1 to 1; 0.0 if either side is constant.

    References:
        GLUE: A Multi-Task Benchmark and Analysis Platform for Natural Language Understanding (Wang et al.,
        2019), section 3: https://arxiv.org/abs/1804.07461

    >>> from assay.core.task import LabelKind
    >>> truth = Labels(LabelKind.REGRESSION, np.array([1.0, 2.0, 3.0]))
    >>> PearsonSpearman()(truth, np.array([1.0, 2.0, 6.0])).__round__(4)
    0.9725
    """

    kinds: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.REGRESSION})

    def __call__(self, truth: Labels, predicted: np.ndarray) -> float:
        """Return the mean of both."""
        both = pearson_correlation(truth.values, predicted), rank_correlation(truth.values, predicted)
        return sum(both) / 2
