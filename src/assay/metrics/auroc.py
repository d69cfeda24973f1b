"""AUROC: the probability that a positive example is ranked above a negative one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.metric import Metric
from assay.core.task import Labels, TaskKind


@dataclass(frozen=True, slots=True)
class AUROC(Metric):
    """The area under the ROC curve, averaged over classes (one against the rest); 0.5 is chance.

    Classes that no example has, or that all have, are ignored.

    References:
        The meaning and use of the area under a receiver operating characteristic (ROC) curve (Hanley and
        McNeil, 1982), https://doi.org/10.1148/radiology.143.1.7063747

    >>> from assay.core.task import LabelKind
    >>> truth = Labels(LabelKind.CLASSIFICATION, np.array([0, 0, 1]), ("no", "yes"))
    >>> AUROC()(truth, np.array([[0.9, 0.1], [0.3, 0.7], [0.4, 0.6]]))
    0.5
    """

    kinds: ClassVar[frozenset[TaskKind]] = frozenset(
        {TaskKind.CLASSIFICATION, TaskKind.TOKENS, TaskKind.MULTILABEL}
    )
    judges_probs: ClassVar[bool] = True

    def __call__(self, truth: Labels, predicted: np.ndarray) -> float:
        """Return the area; raise ``NotApplicable`` if all examples are of the same class."""
        from scipy.stats import rankdata

        hits = truth.targets()
        counts = hits.sum(axis=0)
        known = (counts > 0) & (counts < len(hits))
        if not known.any():
            raise NotApplicable("all examples have the same class")
        hits, positives = hits[:, known], counts[known]
        above = (rankdata(predicted[:, known], axis=0) * hits).sum(axis=0) - positives * (
            positives + 1
        ) / 2  # Mann-Whitney U
        return float((above / (positives * (len(hits) - positives))).mean())
