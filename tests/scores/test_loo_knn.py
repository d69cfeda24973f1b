"""Leave-one-out k-NN against a loop."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from assay.core.errors import UsageError
from assay.core.features import Features, LabelledFeatures
from assay.core.task import Kind, Labels
from assay.scores.loo_knn import LooKNN


def labelled(matrix: np.ndarray, labels: Labels) -> LabelledFeatures:
    return LabelledFeatures(Features(matrix), labels)


def left_out(model: KNeighborsClassifier | KNeighborsRegressor, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    units = x / np.linalg.norm(x, axis=1, keepdims=True)
    rows = np.arange(len(y))
    return np.array([model.fit(units[rows != row], y[rows != row]).predict(units[[row]])[0] for row in rows])


def test_accuracy_equals_a_loop() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2, 80)  # two classes and odd k: no ties
    matrix = rng.standard_normal((80, 6)) + values[:, None]
    expected = (left_out(KNeighborsClassifier(5), matrix, values) == values).mean()

    assert LooKNN(k=5)(labelled(matrix, Labels(Kind.CLASSIFICATION, values, ("a", "b")))) == expected


def test_regression_equals_a_loop() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal(60)
    matrix = rng.standard_normal((60, 4)) + values[:, None]
    others = np.array([np.delete(values, row).mean() for row in range(60)])
    error = np.square(values - left_out(KNeighborsRegressor(3), matrix, values)).sum()
    expected = 1 - error / np.square(values - others).sum()

    assert LooKNN(k=3)(labelled(matrix, Labels(Kind.REGRESSION, values))) == pytest.approx(expected, rel=1e-9)


def test_more_neighbours_than_examples_are_all_the_others() -> None:
    labels = Labels(Kind.CLASSIFICATION, [0, 0, 0, 1, 1], ("a", "b"))
    matrix = np.random.default_rng(0).standard_normal((5, 3))

    assert LooKNN(k=50)(labelled(matrix, labels)) == LooKNN(k=4)(labelled(matrix, labels))


def test_no_neighbours_are_refused() -> None:
    with pytest.raises(UsageError, match="k=5"):
        LooKNN(k=0)
