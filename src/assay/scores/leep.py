"""LEEP: how well the source head's probabilities predict the labels, without any training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.features import LabelledSourceProbs
from assay.core.method import SourceScore


@dataclass(frozen=True, slots=True)
class LEEP(SourceScore):
    """The mean log likelihood of the labels when each source class votes by its share of each label.

    The predictor draws a source class z from the source head, then a label from the empirical P(y given z).

    References:
        LEEP: A New Measure to Evaluate Transferability of Learned Representations (Nguyen et al., 2020),
        https://arxiv.org/abs/2002.12462

    Note:
        This is the score as defined, with its logarithm; some published code leaves it out. Source classes
        that no example has any probability for are left out. Rows are made to sum to 1 in double precision.

    >>> from assay.core.task import Kind, Labels
    >>> labels = Labels(Kind.CLASSIFICATION, np.array([0, 0, 1, 1]), ("cat", "dog"))
    >>> sure = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9]])
    >>> LEEP()(LabelledSourceProbs(sure, labels)) > LEEP()(LabelledSourceProbs(np.full((4, 2), 0.5), labels))
    True
    """

    def __call__(self, train: LabelledSourceProbs) -> float:
        """Return the mean log expected empirical probability of the labels, at most 0."""
        present, places = np.unique(train.labels.values, return_inverse=True)
        if not len(places):
            raise NotApplicable("The source head gives no probabilities.")
        joint = np.zeros((len(present), train.probs.shape[1]))
        for rows, probs in _chunks(train.probs):
            np.add.at(joint, places[rows], probs)
        marginal = joint.sum(axis=0)
        votes = joint / np.where(marginal > 0, marginal, 1.0)  # what nobody has any probability for adds 0
        likelihood = 0.0
        for rows, probs in _chunks(train.probs):
            likelihood += float(np.log(np.einsum("ij,ij->i", probs, votes[places[rows]])).sum())
        return min(likelihood / len(places), 0.0)


def _chunks(matrix: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield rows in double precision, each made to sum to 1, a few thousand at a time."""
    for start in range(0, len(matrix), 4096):
        rows = slice(start, start + 4096)
        probs = np.asarray(matrix[rows], dtype=np.float64)
        sums = probs.sum(axis=1, keepdims=True)
        if not (sums > 0).all():
            raise NotApplicable("The source head gives no probabilities.")
        yield rows, probs / sums
