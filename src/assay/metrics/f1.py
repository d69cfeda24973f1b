"""F1: the harmonic mean of precision and recall of the positive class of two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.metric import Metric
from assay.core.task import Labels, TaskKind
from assay.numerics.positive_f1 import positive_f1


@dataclass(frozen=True, slots=True)
class F1(Metric):
    """The F1 of the positive class, from 0 to 1: the second class by name (1 of 0/1, yes of no/yes).

    References:
        Information Retrieval (van Rijsbergen, 1979), chapter 7, http://www.dcs.gla.ac.uk/Keith/Preface.html

    >>> from assay.core.task import LabelKind
    >>> F1()(Labels(LabelKind.CLASSIFICATION, np.array([0, 0, 1, 1])), np.array([0, 1, 1, 1]))
    0.8
    """

    kinds: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.CLASSIFICATION})
    of_two_classes: ClassVar[bool] = True

    def __call__(self, truth: Labels, predicted: np.ndarray) -> float:
        """Return the F1."""
        return positive_f1(truth, predicted)
