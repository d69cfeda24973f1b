"""Leave-one-out k-NN: the accuracy of predicting each label from the nearest other examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, get_args

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.core.estimate import Estimate
from assay.core.features import LabelledFeatures
from assay.core.held_out import HeldOutPredictions
from assay.core.predictor import Predicted
from assay.core.task import LabelKind, Labels
from assay.numerics.neighbours import Distance, majority, nearest_others
from assay.plugins.method import EVERY_KIND, SampleScore


@dataclass(frozen=True, slots=True)
class LooKNN(SampleScore):
    """Leave-one-out accuracy, or R2, of k nearest neighbours by cosine or Euclidean distance.

    For classification the value is the accuracy of the majority vote, ties going to the nearest neighbour of
    the tied classes. Where there are several labels at once, each is voted on alone, and the value is the
    share of all votes that are right: 1 less the Hamming loss. For regression it is the R2 of the neighbours'
    mean against the mean of all other examples: 1 at best, and below 0 where neighbours are no better than
    chance; several numbers are pooled.

    References:
        Nearest Neighbor Pattern Classification (Cover and Hart, 1967),
        https://doi.org/10.1109/TIT.1967.1053964
        Scalable Diverse Model Selection for Accessible Transfer Learning (Bolya et al., 2021),
        https://arxiv.org/abs/2111.06977, where it is a baseline.

    Note:
        dbolya/parc methods.py has k=1, distance="euclidean", for several labels too, and gives percent.

    Attributes:
        k: The number of neighbours; all other examples if there are fewer.
        distance: "cosine" or "euclidean".

    >>> from assay.core.features import Features
    >>> from assay.core.task import Labels
    >>> labels = Labels(LabelKind.CLASSIFICATION, np.arange(60) % 2, ("cat", "dog"))
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> signal = noise + 9 * labels.targets()[:, :1]
    >>> LooKNN()(LabelledFeatures(Features(signal), labels)) > 0.9
    True
    >>> LooKNN()(LabelledFeatures(Features(noise), labels)) < 0.7
    True
    """

    k: int = 5
    distance: str = "cosine"

    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND

    def __post_init__(self) -> None:
        if self.k < 1:
            raise UsageError(f"loo_knn(k={self.k}) has no neighbour. Write k=5.")
        if self.distance not in get_args(Distance):
            raise UsageError(
                f"distance is '{self.distance}'. Write {' or '.join(map(repr, get_args(Distance)))}."
            )

    def __call__(self, train: LabelledFeatures) -> Estimate:
        """Return the leave-one-out accuracy, or R2, with the predictions."""
        if len(train) < 2:
            raise NotApplicable("Train has fewer than two examples.")
        truth = train.labels.values
        if (truth == truth[0]).all():
            raise NotApplicable("All labels of train are the same.")
        neighbours = truth[nearest_others(train.matrix, self.k, self.distance)]  # type: ignore[arg-type]  # checked above
        predicted = _voted(neighbours, train.labels)
        if train.labels.kind is LabelKind.REGRESSION:
            left_out_mean = (truth.sum(axis=0) - truth) / (len(truth) - 1)
            baseline = float(np.square(truth - left_out_mean).sum())
            value = 1 - float(np.square(truth - predicted).sum()) / baseline
        else:
            value = float((predicted == truth).mean())
        return Estimate(value, held_out=HeldOutPredictions(Predicted(predicted), train.labels))


def _voted(neighbours: np.ndarray, labels: Labels) -> np.ndarray:
    """Return the majority of the neighbours' labels (examples x k, or x columns), or their mean."""
    if labels.kind is LabelKind.CLASSIFICATION:
        return majority(neighbours, len(labels.classes))
    if labels.kind is LabelKind.MULTILABEL:
        return np.stack([majority(column, 2) for column in np.moveaxis(neighbours, -1, 0)], axis=-1)
    return np.asarray(neighbours.mean(axis=1))
