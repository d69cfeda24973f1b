"""Mean average precision: how well probabilities rank the examples of each class above the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.metric import Metric
from assay.core.task import Labels, TaskKind


@dataclass(frozen=True, slots=True)
class MeanAveragePrecision(Metric):
    """The mean average precision: that of the probabilities of each class, averaged, from 0 to 1.

    The average precision is the mean precision at each example of the class, without interpolation; equal
    probabilities count together. Classes missing from the truth are ignored.

    References:
        The Pascal Visual Object Classes (VOC) Challenge (Everingham et al., 2010),
        https://doi.org/10.1007/s11263-009-0275-4

    >>> from assay.core.task import LabelKind
    >>> truth = Labels(LabelKind.MULTILABEL, np.array([[1, 0], [0, 1], [1, 1]]))
    >>> MeanAveragePrecision()(truth, np.array([[0.9, 0.1], [0.2, 0.8], [0.7, 0.6]]))
    1.0
    """

    kinds: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.MULTILABEL})
    judges_probs: ClassVar[bool] = True

    def __call__(self, truth: Labels, predicted: np.ndarray) -> float:
        """Return the mean; raise ``NotApplicable`` if the truth has no class."""
        known = truth.values.any(axis=0)
        if not known.any():
            raise NotApplicable("no example has a class")
        pairs = zip(truth.values.T[known], predicted.T[known], strict=True)
        return float(np.mean([_average_precision(*pair) for pair in pairs]))


def _average_precision(true: np.ndarray, probs: np.ndarray) -> float:
    order = np.argsort(-probs)
    ordered = probs[order]
    last = np.flatnonzero(
        np.append(ordered[1:] != ordered[:-1], True)
    )  # end of each run of equal probabilities
    hits = true[order].cumsum()[last]
    return float(np.diff(hits, prepend=0) @ (hits / (last + 1))) / int(hits[-1])
