"""k-NN: the vote, the choice of k, and the examples that answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from assay.core.errors import NotApplicable, UsageError
from assay.core.features import Features, LabelledFeatures
from assay.core.metric import Metric
from assay.core.task import LabelKind, Labels
from assay.metrics.accuracy import Accuracy
from assay.metrics.macro_f1 import MacroF1
from assay.metrics.r2 import R2
from assay.plugins.protocol import FeatureProtocol
from assay.protocols.knn import CHOICES, KNN


def blobs(count: int, noise: float, seed: int, classes: int = 2) -> LabelledFeatures:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, classes, count)
    matrix = np.eye(6)[values] + noise * rng.standard_normal((count, 6))
    labels = Labels(LabelKind.CLASSIFICATION, values, tuple(map(str, range(classes))))
    return LabelledFeatures(Features(matrix), labels)


def units(matrix: np.ndarray) -> np.ndarray:
    return matrix / np.linalg.norm(matrix, axis=1, keepdims=True)


class Answer(NamedTuple):
    values: np.ndarray
    tuned: Mapping[str, float]
    notes: tuple[str, ...]


def answer(
    protocol: FeatureProtocol, train: LabelledFeatures, val: LabelledFeatures, test: Features, metric: Metric
) -> Answer:
    fitted = protocol.fit(train, val, metric)
    return Answer(fitted.predictor(test.matrix).values, fitted.tuned, fitted.notes)


def none_of(split: LabelledFeatures) -> LabelledFeatures:
    return LabelledFeatures(Features(split.matrix[:0]), split.labels.take([]))


def test_votes_equal_those_of_scikit_learn() -> None:
    train, val, test = blobs(80, 0.8, 0), blobs(40, 0.8, 1), blobs(50, 0.8, 2)
    both = train.followed_by(val)

    predicted = answer(KNN(k=5), train, val, test.features, Accuracy())

    theirs = KNeighborsClassifier(5).fit(units(both.matrix), both.labels.values).predict(units(test.matrix))
    np.testing.assert_array_equal(predicted.values, theirs)


def test_numbers_are_the_mean_of_the_neighbours() -> None:
    rng = np.random.default_rng(0)
    split = LabelledFeatures(
        Features(rng.standard_normal((60, 5))), Labels(LabelKind.REGRESSION, rng.standard_normal(60))
    )
    asked = Features(rng.standard_normal((20, 5)))

    predicted = answer(KNN(k=4), split, none_of(split), asked, R2())

    theirs = KNeighborsRegressor(4).fit(units(split.matrix), split.labels.values).predict(units(asked.matrix))
    np.testing.assert_allclose(predicted.values, theirs, rtol=1e-12)


def test_several_classes_at_once_are_voted_on_one_by_one() -> None:
    rng = np.random.default_rng(0)
    marks = rng.integers(0, 2, (60, 3))
    matrix, asked = marks @ rng.standard_normal((3, 5)) + 0.5 * rng.standard_normal((60, 5)), np.eye(5)
    split = LabelledFeatures(Features(matrix), Labels(LabelKind.MULTILABEL, marks, ("a", "b", "c")))

    predicted = KNN(k=5).fit(split, none_of(split), MacroF1()).predictor(asked)

    theirs = KNeighborsClassifier(5).fit(units(matrix), marks)
    np.testing.assert_array_equal(predicted.values, theirs.predict(units(asked)))
    shares = np.stack([probs[:, 1] for probs in theirs.predict_proba(units(asked))], axis=1)
    np.testing.assert_allclose(predicted.probs, shares)


def test_several_numbers_are_the_means_of_the_neighbours() -> None:
    rng = np.random.default_rng(0)
    matrix, numbers, asked = rng.standard_normal((60, 5)), rng.standard_normal((60, 2)), np.eye(5)
    split = LabelledFeatures(Features(matrix), Labels(LabelKind.REGRESSION, numbers))

    predicted = KNN(k=4).fit(split, none_of(split), R2()).predictor(asked)

    theirs = KNeighborsRegressor(4).fit(units(matrix), numbers).predict(units(asked))
    np.testing.assert_allclose(predicted.values, theirs, rtol=1e-12)


def test_k_is_the_best_on_val_and_the_smallest_of_equals() -> None:
    train, val = blobs(80, 0.6, 0, classes=4), blobs(60, 0.6, 1, classes=4)
    values = [answer(KNN(k=k), train, none_of(val), val.features, Accuracy()).values for k in CHOICES]
    accuracies = [Accuracy()(val.labels, predicted) for predicted in values]

    tuned = answer(KNN(), train, val, val.features, Accuracy()).tuned
    clean = answer(KNN(), blobs(80, 0.0, 0), blobs(60, 0.0, 1), val.features, Accuracy()).tuned

    assert tuned["k"] == CHOICES[int(np.argmax(accuracies))] > 1
    assert clean == {"k": 1.0}


def test_no_more_neighbours_are_tried_than_there_are_examples() -> None:
    train, val, test = blobs(4, 0.5, 0), blobs(4, 0.5, 1), blobs(5, 0.5, 2)

    assert answer(KNN(), train, val, test.features, Accuracy()).tuned["k"] in CHOICES[:2]


def test_val_answers_for_test_as_train_does() -> None:
    train, val = blobs(20, 0.0, 0, classes=2), blobs(20, 0.0, 1, classes=3)
    labels = Labels(LabelKind.CLASSIFICATION, train.labels.values, ("0", "1", "2"))
    stranger = Features(np.eye(6)[[2]])

    predicted = answer(KNN(k=1), LabelledFeatures(train.features, labels), val, stranger, Accuracy())

    assert predicted.values.tolist() == [2]


def test_without_val_k_must_be_given() -> None:
    train = blobs(20, 0.5, 0)

    with pytest.raises(NotApplicable, match="Write knn"):
        answer(KNN(), train, none_of(train), train.features, Accuracy())


def test_no_neighbours_are_refused() -> None:
    with pytest.raises(UsageError, match="k=5"):
        KNN(k=0)
