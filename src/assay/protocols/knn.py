"""k-NN: predicts the label of the most similar training examples."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.core.features import LabelledFeatures
from assay.core.metric import Metric
from assay.core.predictor import Decision, Predictor
from assay.core.task import LabelKind
from assay.numerics.neighbours import NeighbourPredictor, nearest, vote
from assay.plugins.method import EVERY_KIND
from assay.plugins.protocol import FeatureProtocol, Fitted

CHOICES = (1, 3, 5, 10, 20, 50)


@dataclass(frozen=True, slots=True)
class KNN(FeatureProtocol):
    """k nearest neighbours: the majority vote, or mean, of the most similar examples by cosine similarity.

    Votes have equal weight; a tie goes to the class of the nearest neighbour among the tied. k is chosen on
    val among 1, 3, 5, 10, 20 and 50, ties by the smallest; train and val are then the neighbours for test.
    The value on val is that of the chosen k; a given k is not judged on val.

    References:
        Nearest Neighbor Pattern Classification (Cover and Hart, 1967),
        https://doi.org/10.1109/TIT.1967.1053964

    Attributes:
        k: The number of neighbours; chosen on val if None.

    >>> from assay.core.features import Features
    >>> from assay.core.task import Labels
    >>> from assay.metrics.accuracy import Accuracy
    >>> labels = Labels(LabelKind.CLASSIFICATION, np.array([0, 0, 0, 1, 1, 1]), ("cat", "dog"))
    >>> train = LabelledFeatures(Features(np.array([[0, 3], [1, 3], [1, 2], [3, 0], [3, 1], [2, 1]])), labels)
    >>> fitted = KNN(k=3).fit(train, train.take([]), Accuracy())
    >>> fitted.predictor(np.array([[0.0, 1.0], [2.0, 0.0]])).values
    array([0, 1])
    """

    k: int | None = None

    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND
    learns: ClassVar[type[Predictor]] = NeighbourPredictor

    def __post_init__(self) -> None:
        if self.k is not None and self.k < 1:
            raise UsageError(f"knn(k={self.k}) has no neighbour. Write k=5, or leave it out.")

    def fit(self, train: LabelledFeatures, val: LabelledFeatures, metric: Metric) -> Fitted:
        """Choose k on val; the predictor then searches in train and val."""
        start = time.perf_counter()
        k, val_value = (self.k, None) if self.k is not None else _chosen(train, val, metric)
        seconds = time.perf_counter() - start
        both = train.followed_by(val)
        k = min(k, len(both))
        decision = Decision.of(both.labels, are_logits=False)
        predictor = NeighbourPredictor(both.matrix, both.labels.values, k, decision, train.device)
        return Fitted(predictor, {"k": float(k)}, tune_seconds=seconds, val_value=val_value)


def _chosen(train: LabelledFeatures, val: LabelledFeatures, metric: Metric) -> tuple[int, float]:
    """Return the k with the best metric on val, and the metric."""
    if len(val) == 0:
        raise NotApplicable("There is no val to choose k on. Write knn(k=5).")
    choices = [k for k in CHOICES if k <= len(train)]
    rows = nearest(train.matrix, val.matrix, choices[-1], train.device)
    neighbours = train.labels.values[rows]
    decision = Decision.of(train.labels, are_logits=False)
    values = [vote(neighbours[:, :k], decision).judged(metric, val.labels) for k in choices]
    best = int(np.argmax(values))
    return choices[best], float(values[best])
