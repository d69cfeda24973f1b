"""Macro F1: the mean over classes of the harmonic mean of precision and recall."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.metric import Metric
from assay.core.task import LabelKind, Labels, TaskKind


@dataclass(frozen=True, slots=True)
class MacroF1(Metric):
    """The mean F1 over the classes in truth or predictions, from 0 to 1.

    A class that is never predicted, or never true, has F1 = 0.

    References:
        Information Retrieval (van Rijsbergen, 1979), chapter 7, http://www.dcs.gla.ac.uk/Keith/Preface.html

    >>> truth = Labels(LabelKind.CLASSIFICATION, np.array([0, 0, 1, 1]))
    >>> MacroF1()(truth, np.array([0, 0, 1, 0])).__round__(4)
    0.7333
    """

    kinds: ClassVar[frozenset[TaskKind]] = frozenset(
        {TaskKind.CLASSIFICATION, TaskKind.TOKENS, TaskKind.MULTILABEL}
    )

    def __call__(self, truth: Labels, predicted: np.ndarray) -> float:
        """Return the mean F1."""
        true = truth.values
        if truth.kind is LabelKind.MULTILABEL:
            named, hits = (true + predicted).sum(axis=0), (true * predicted).sum(axis=0)
            return float((2 * hits / np.maximum(named, 1))[named > 0].mean()) if named.any() else 0.0
        classes = int(max(true.max(), predicted.max())) + 1
        named = np.bincount(true, minlength=classes) + np.bincount(predicted, minlength=classes)
        hits = np.bincount(true[true == predicted], minlength=classes)
        present = named > 0
        return float((2 * hits[present] / named[present]).mean())
