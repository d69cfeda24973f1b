"""Matthews correlation: the correlation of predicted and true classes, robust to class imbalance."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import numpy as np

from assay.core.metric import Metric
from assay.core.task import Labels, TaskKind


@dataclass(frozen=True, slots=True)
class Matthews(Metric):
    """Matthews correlation coefficient of true and predicted classes, from -1 to 1; 0 is chance.

    It is 0.0 if truth or predictions contain a single class.

    References:
        Comparison of the predicted and observed secondary structure of T4 phage lysozyme (Matthews, 1975),
        https://doi.org/10.1016/0005-2795(75)90109-9
        Comparing two K-category assignments by a K-category correlation coefficient (Gorodkin, 2004),
        https://doi.org/10.1016/j.compbiolchem.2004.09.006

    >>> from assay.core.task import LabelKind
    >>> Matthews()(Labels(LabelKind.CLASSIFICATION, np.array([0, 1, 0, 1])), np.array([0, 1, 0, 1]))
    1.0
    >>> Matthews()(Labels(LabelKind.CLASSIFICATION, np.array([0, 1, 0, 1])), np.array([1, 1, 1, 1]))
    0.0
    """

    kinds: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.CLASSIFICATION, TaskKind.TOKENS})

    def __call__(self, truth: Labels, predicted: np.ndarray) -> float:
        """Return the correlation."""
        true = truth.values
        classes = int(max(true.max(), predicted.max())) + 1
        true_counts = np.bincount(true, minlength=classes).astype(np.float64)
        predicted_counts = np.bincount(predicted, minlength=classes).astype(np.float64)
        total = float(len(true))
        true_spread = total**2 - float(true_counts @ true_counts)
        predicted_spread = total**2 - float(predicted_counts @ predicted_counts)
        if true_spread == 0 or predicted_spread == 0:
            return 0.0
        hits = float(np.count_nonzero(true == predicted))
        agreement = total * hits - float(true_counts @ predicted_counts)
        return agreement / sqrt(true_spread * predicted_spread)
