"""Micro F1: the harmonic mean of precision and recall over all decisions of all classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.metric import Metric
from assay.core.task import Labels, TaskKind


@dataclass(frozen=True, slots=True)
class MicroF1(Metric):
    """The F1 over all (example, class) pairs, from 0 to 1; 0 if nothing is true or predicted.

    With one class per example it would equal accuracy, so it applies to multilabel tasks only.

    References:
        A re-examination of text categorization methods (Yang and Liu, 1999),
        https://doi.org/10.1145/312624.312647

    >>> from assay.core.task import LabelKind
    >>> truth = Labels(LabelKind.MULTILABEL, np.array([[1, 0], [1, 1]]))
    >>> MicroF1()(truth, np.array([[1, 0], [0, 1]]))
    0.8
    """

    kinds: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.MULTILABEL})

    def __call__(self, truth: Labels, predicted: np.ndarray) -> float:
        """Return F1."""
        named = int(truth.values.sum() + predicted.sum())
        return 2 * int((truth.values * predicted).sum()) / max(named, 1)
