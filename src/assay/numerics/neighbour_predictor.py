"""Predictions by the most similar examples that were learned from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from assay.core.predictor import Decision, Predicted, Predictor
from assay.core.task import LabelKind
from assay.numerics.neighbours import majority, nearest


@dataclass(frozen=True, eq=False)
class NeighbourPredictor(Predictor):
    """The majority, or the mean, of the k examples that are most similar by cosine similarity.

    Attributes:
        reference: The features that were learned from.  # examples x width
        labels: Their labels.  # examples, or examples x columns
        k: The number of neighbours.
        decision: What the labels are.
    """

    reference: np.ndarray
    labels: np.ndarray
    k: int
    decision: Decision

    def __call__(self, features: np.ndarray) -> Predicted:
        """Return predictions for examples x width; the votes are the probabilities."""
        return vote(self.labels[nearest(self.reference, features, self.k)], self.decision)

    def tensors(self) -> Mapping[str, np.ndarray]:
        """Return all examples that were learned from, and k."""
        return {"reference": self.reference, "labels": self.labels, "k": np.array(self.k)}

    @classmethod
    def restored(cls, tensors: Mapping[str, np.ndarray], decision: Decision) -> NeighbourPredictor:
        """Return the predictor of which these are the tensors."""
        return cls(tensors["reference"], tensors["labels"], int(tensors["k"]), decision)


def vote(near: np.ndarray, decision: Decision) -> Predicted:
    """Return what the labels of neighbours say: queries x k, or queries x k x columns."""
    if decision.kind is LabelKind.REGRESSION:
        return Predicted(np.asarray(near.mean(axis=1)))
    if decision.kind is LabelKind.MULTILABEL:
        shares = near.mean(axis=1)
        return Predicted((shares > 0.5).astype(np.int64), shares)
    shares = np.stack([(near == place).mean(axis=1) for place in range(decision.classes)], axis=1)
    return Predicted(majority(near, decision.classes), shares)
