"""The nearest class mean against scikit-learn."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits
from sklearn.neighbors import NearestCentroid

from assay.core.features import Features, LabelledFeatures
from assay.core.task import LabelKind, Labels
from assay.metrics.accuracy import Accuracy
from assay.protocols.nearest_mean import NearestMean


def digits(rows: slice) -> LabelledFeatures:
    matrix, values = load_digits(return_X_y=True)
    matrix = matrix + np.random.default_rng(0).standard_normal(matrix.shape)  # theirs warns of constant ones
    return LabelledFeatures(
        Features(matrix[rows]), Labels(LabelKind.CLASSIFICATION, values[rows], tuple("0123456789"))
    )


def test_predictions_equal_those_of_scikit_learn() -> None:
    train, val, test = digits(slice(0, 300)), digits(slice(300, 500)), digits(slice(500, None))
    both = train.followed_by(val)

    predicted = NearestMean().fit(train, val, Accuracy()).predictor(test.matrix)

    theirs = NearestCentroid().fit(both.matrix, both.labels.values).predict(test.matrix)
    np.testing.assert_array_equal(predicted.values, theirs)


def test_two_examples_are_enough() -> None:
    labels = Labels(LabelKind.CLASSIFICATION, np.array([2, 0]), ("a", "b", "c"))
    two = LabelledFeatures(Features(np.array([[1.0, 0.0], [0.0, 1.0]])), labels)

    predicted = NearestMean().fit(two, two.take(np.array([], dtype=int)), Accuracy()).predictor(two.matrix)

    assert predicted.values.tolist() == [2, 0]
