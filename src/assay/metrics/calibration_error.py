"""Calibration error: the gap between confidence and accuracy."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.metric import Metric
from assay.core.task import Labels, TaskKind

_BINS = 15  # as in Guo et al.


@dataclass(frozen=True, slots=True)
class CalibrationError(Metric):
    """The expected calibration error of the most probable class; negative here.

    Examples are put in 15 bins of equal width by that probability; the value is the mean over examples of
    |accuracy - mean probability| of their bin, from 0 to 1. It does not measure accuracy.

    References:
        On Calibration of Modern Neural Networks (Guo et al., 2017), https://arxiv.org/abs/1706.04599

    >>> from assay.core.task import LabelKind
    >>> truth = Labels(LabelKind.CLASSIFICATION, np.array([0, 1]), ("no", "yes"))
    >>> CalibrationError()(truth, np.array([[0.75, 0.25], [0.75, 0.25]]))
    -0.25
    """

    kinds: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.CLASSIFICATION, TaskKind.TOKENS})
    shown_negated: ClassVar[bool] = True
    judges_probs: ClassVar[bool] = True

    def __call__(self, truth: Labels, predicted: np.ndarray) -> float:
        """Return minus the expected calibration error."""
        sure = predicted.max(axis=1)
        right = predicted.argmax(axis=1) == truth.values
        bins = np.digitize(sure, np.linspace(0, 1, _BINS + 1)[1:-1], right=True)
        gaps = np.bincount(bins, weights=right - sure, minlength=_BINS)
        return -float(np.abs(gaps).sum()) / len(truth)
