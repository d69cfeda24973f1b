"""Nearest class mean: predicts the class with the nearest mean, without tuning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.features import LabelledFeatures
from assay.core.large_arrays import is_large
from assay.core.metric import Metric
from assay.core.predictor import Decision, Predictor
from assay.numerics.linear import LinearPredictor
from assay.plugins.protocol import FeatureProtocol, Fitted

_AT_ONCE = 4096  # examples of a class that are read at once where all are too large


@dataclass(frozen=True, slots=True)
class NearestMean(FeatureProtocol):
    """Nearest class mean of train and val, by Euclidean distance.

    Ties go to the first class; there are no probabilities. The value on val is that of the means of train
    alone.

    References:
        Distance-Based Image Classification: Generalizing to New Classes at Near-Zero Cost (Mensink et al.,
        2013), https://doi.org/10.1109/TPAMI.2013.83
        Prototypical Networks for Few-shot Learning (Snell et al., 2017), https://arxiv.org/abs/1703.05175

    >>> from assay.core.features import Features
    >>> from assay.core.task import LabelKind, Labels
    >>> from assay.metrics.accuracy import Accuracy
    >>> labels = Labels(LabelKind.CLASSIFICATION, np.array([0, 0, 1, 1]), ("cat", "dog"))
    >>> train = LabelledFeatures(Features(np.array([[0, 3], [0, 1], [3, 0], [1, 0]])), labels)
    >>> fitted = NearestMean().fit(train, train.take([]), Accuracy())
    >>> fitted.predictor(np.array([[0.0, 1.0], [2.0, 0.0]])).values
    array([0, 1])
    """

    learns: ClassVar[type[Predictor]] = LinearPredictor

    def fit(self, train: LabelledFeatures, val: LabelledFeatures, metric: Metric) -> Fitted:
        """Average each class; there is nothing to tune."""
        return Fitted(_averaged(train.followed_by(val)), val_value=_value_on(val, train, metric))


def _averaged(examples: LabelledFeatures) -> LinearPredictor:
    decision = Decision.of(examples.labels, are_logits=False)
    own = ((examples.labels.values == label).nonzero()[0] for label in decision.present)
    means = np.stack([_mean(examples.matrix, rows) for rows in own])
    centre = means.mean(axis=0)
    apart = means - centre
    # |x - m|^2 is smallest if x m - |m|^2 / 2 is largest
    bias = -np.square(apart).sum(axis=1) / 2
    return LinearPredictor(centre, apart.T, bias, decision)


def _mean(matrix: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the mean of some rows, of a part of them at a time where they are too large."""
    if not is_large(len(rows) * matrix.shape[1], matrix.itemsize):
        return np.asarray(matrix[rows].mean(axis=0, dtype=np.float64))
    parts = np.array_split(rows, -(-len(rows) // _AT_ONCE))
    sums = [matrix[part].sum(axis=0, dtype=np.float64) for part in parts]
    return np.asarray(np.sum(sums, axis=0) / len(rows))


def _value_on(val: LabelledFeatures, train: LabelledFeatures, metric: Metric) -> float | None:
    if not len(val) or not len(train):
        return None
    try:
        return _averaged(train)(val.matrix).judged(metric, val.labels)
    except NotApplicable:  # val may hold one class only
        return None
