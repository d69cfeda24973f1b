"""The mean of accuracy and F1, the metric of GLUE for paraphrases."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.metric import Metric
from assay.core.task import Labels, TaskKind
from assay.numerics.positive_f1 import positive_f1


@dataclass(frozen=True, slots=True)
class AccuracyF1(Metric):
    """The mean of accuracy and the F1 of the positive (second) class, from 0 to 1.

    References:
        GLUE: A Multi-Task Benchmark and Analysis Platform for Natural Language Understanding (Wang et al.,
        2019), section 3: https://arxiv.org/abs/1804.07461

    >>> from assay.core.task import LabelKind
    >>> truth = Labels(LabelKind.CLASSIFICATION, np.array([0, 0, 1, 1]))
    >>> AccuracyF1()(truth, np.array([0, 1, 1, 1])).__round__(4)
    0.775
    """

    kinds: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.CLASSIFICATION})
    of_two_classes: ClassVar[bool] = True

    def __call__(self, truth: Labels, predicted: np.ndarray) -> float:
        """Return the mean of both."""
        return (float(np.mean(truth.values == predicted)) + positive_f1(truth, predicted)) / 2
