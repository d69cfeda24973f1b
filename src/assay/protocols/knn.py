"""k-NN: test examples take the label of the most similar examples of train."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.core.features import Features, LabelledFeatures
from assay.core.method import FeatureProtocol, Prediction
from assay.core.metric import Metric
from assay.core.task import Kind
from assay.numerics.neighbours import majority, nearest

CHOICES = (1, 3, 5, 10, 20, 50)


@dataclass(frozen=True, slots=True)
class KNN(FeatureProtocol):
    """Majority vote, or mean, of the k examples that are most similar by cosine similarity.

    Votes count alike; a tie goes to the class of the nearest neighbour among the tied. k is chosen on val
    among 1, 3, 5, 10, 20 and 50, the smallest of equals; then train and val together answer for test.

    References:
        Nearest Neighbor Pattern Classification (Cover and Hart, 1967),
        https://doi.org/10.1109/TIT.1967.1053964

    Attributes:
        k: The number of neighbours; chosen on val where it is None.
    """

    k: int | None = None

    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.CLASSIFICATION, Kind.REGRESSION})

    def __post_init__(self) -> None:
        if self.k is not None and self.k < 1:
            raise UsageError(f"knn(k={self.k}) has no neighbour. Write k=5, or leave it out.")

    def __call__(
        self, train: LabelledFeatures, val: LabelledFeatures, test: Features, metric: Metric
    ) -> Prediction:
        """Choose k on val, and predict test from train and val."""
        k = self.k if self.k is not None else _chosen(train, val, metric)
        both = train.followed_by(val)
        values = _answer(both, nearest(both.matrix, test.matrix, k))
        return Prediction(values, {"k": float(min(k, len(both)))})


def _chosen(train: LabelledFeatures, val: LabelledFeatures, metric: Metric) -> int:
    if len(val) == 0:
        raise NotApplicable("There is no val to choose k on. Write knn(k=5).")
    choices = [k for k in CHOICES if k <= len(train)]
    near = nearest(train.matrix, val.matrix, choices[-1])
    values = [metric(val.labels.values, _answer(train, near[:, :k])) for k in choices]
    return choices[int(np.argmax(values))]


def _answer(reference: LabelledFeatures, near: np.ndarray) -> np.ndarray:
    neighbour_labels = reference.labels.values[near]
    if reference.labels.kind is Kind.CLASSIFICATION:
        return majority(neighbour_labels, len(reference.labels.classes))
    return np.asarray(neighbour_labels.mean(axis=1))
