"""Leave-one-out k-NN: how often an example's nearest neighbours agree with its label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.core.features import LabelledFeatures
from assay.core.method import SampleScore
from assay.core.neighbours import majority, nearest_others
from assay.core.task import Kind


@dataclass(frozen=True, slots=True)
class LooKNN(SampleScore):
    """Each example is predicted from its k most similar other examples, by cosine similarity.

    For classification the value is the accuracy of the majority vote, ties going to the nearest neighbour of
    the tied classes. For regression it is the R2 of the neighbours' mean against the mean of all other
    examples: 1 at best, and below 0 where neighbours are no better than chance.

    References:
        Nearest Neighbor Pattern Classification (Cover and Hart, 1967),
        https://doi.org/10.1109/TIT.1967.1053964
        Scalable Diverse Model Selection for Accessible Transfer Learning (Bolya et al., 2021),
        https://arxiv.org/abs/2111.06977, where it is a baseline, with k=1.

    Attributes:
        k: The number of neighbours; all others where there are fewer.

    >>> from assay.core.features import Features
    >>> from assay.core.task import Labels
    >>> labels = Labels(Kind.CLASSIFICATION, np.arange(60) % 2, ("cat", "dog"))
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> signal = noise + 9 * labels.targets()[:, :1]
    >>> LooKNN()(LabelledFeatures(Features(signal), labels)) > 0.9
    True
    >>> LooKNN()(LabelledFeatures(Features(noise), labels)) < 0.7
    True
    """

    k: int = 5

    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.CLASSIFICATION, Kind.REGRESSION})

    def __post_init__(self) -> None:
        if self.k < 1:
            raise UsageError(f"loo_knn(k={self.k}) has no neighbour. Write k=5.")

    def __call__(self, train: LabelledFeatures) -> float:
        """Return the leave-one-out accuracy, or R2."""
        if len(train) < 2:
            raise NotApplicable("Train has fewer than two examples.")
        truth = train.labels.values
        near = truth[nearest_others(train.matrix, self.k)]
        if train.labels.kind is Kind.CLASSIFICATION:
            if (truth == truth[0]).all():
                raise NotApplicable("Fewer than two classes have examples in train.")
            return float((majority(near, len(train.labels.classes)) == truth).mean())
        if truth.max() == truth.min():
            raise NotApplicable("All labels of train are the same.")
        left_out_mean = (truth.sum() - truth) / (len(truth) - 1)
        baseline = float(np.square(truth - left_out_mean).sum())
        return 1 - float(np.square(truth - near.mean(axis=1)).sum()) / baseline
