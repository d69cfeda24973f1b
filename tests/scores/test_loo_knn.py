"""Leave-one-out k-NN against a loop."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from assay.core.errors import UsageError
from assay.core.features import Features, LabelledFeatures
from assay.core.task import LabelKind, Labels
from assay.scores.loo_knn import LooKNN

PUBLISHED = [
    (300, 16, 5, 0, 37.0, 81.38888888888889),
    (200, 64, 4, 1, 54.0, 91.5),
    (60, 96, 3, 2, 76.66666666666667, 88.88888888888889),
]


def labelled(matrix: np.ndarray, labels: Labels) -> LabelledFeatures:
    return LabelledFeatures(Features(matrix), labels)


def left_out(model: KNeighborsClassifier | KNeighborsRegressor, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    units = x / np.linalg.norm(x, axis=1, keepdims=True)
    rows = np.arange(len(y))
    return np.array([model.fit(units[rows != row], y[rows != row]).predict(units[[row]])[0] for row in rows])


def test_accuracy_equals_a_loop() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2, 40)  # two classes and odd k: no ties
    matrix = rng.standard_normal((40, 6)) + values[:, None]
    expected = (left_out(KNeighborsClassifier(5), matrix, values) == values).mean()

    assert LooKNN(k=5)(labelled(matrix, Labels(LabelKind.CLASSIFICATION, values, ("a", "b")))) == expected


def test_regression_equals_a_loop() -> None:
    rng = np.random.default_rng(0)
    values = rng.standard_normal(60)
    matrix = rng.standard_normal((60, 4)) + values[:, None]
    others = np.array([np.delete(values, row).mean() for row in range(60)])
    error = np.square(values - left_out(KNeighborsRegressor(3), matrix, values)).sum()
    expected = 1 - error / np.square(values - others).sum()

    assert LooKNN(k=3)(labelled(matrix, Labels(LabelKind.REGRESSION, values))) == pytest.approx(
        expected, rel=1e-9
    )


def dense_votes(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    distances = np.array([np.linalg.norm(x - row, axis=1) for row in x])
    np.fill_diagonal(distances, np.inf)
    return np.asarray(y[distances.argmin(axis=1)])


@pytest.mark.parametrize(("count", "width"), [(120, 6), (50, 200)])
def test_euclidean_neighbours_equal_a_loop(count: int, width: int) -> None:
    rng = np.random.default_rng(count)
    values = rng.integers(0, 3, count)
    matrix = 7 + np.exp(rng.standard_normal((count, width)) + 0.2 * values[:, None])  # lengths differ much
    labels = Labels(LabelKind.CLASSIFICATION, values, ("a", "b", "c"))
    expected = (dense_votes(matrix, values) == values).mean()

    assert LooKNN(k=1, distance="euclidean")(labelled(matrix, labels)) == expected
    assert LooKNN(k=1)(labelled(matrix, labels)) != expected


def test_several_labels_are_voted_on_one_by_one() -> None:
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2, (90, 4))
    matrix = rng.standard_normal((90, 8)) + values @ rng.standard_normal((4, 8))
    labels = Labels(LabelKind.MULTILABEL, values, ("a", "b", "c", "d"))
    columns = [Labels(LabelKind.CLASSIFICATION, column, ("no", "yes")) for column in values.T]
    alone = [LooKNN(k=3)(labelled(matrix, column)) for column in columns]

    assert LooKNN(k=3)(labelled(matrix, labels)) == pytest.approx(np.mean(alone), rel=1e-12)


@pytest.mark.parametrize(("count", "width", "classes", "seed", "one_label", "several"), PUBLISHED)
def test_one_euclidean_neighbour_gives_the_published_code(
    count: int, width: int, classes: int, seed: int, one_label: float, several: float
) -> None:
    """dbolya/parc methods.py @ ddfca43a, kNN(k=1), in percent there."""
    rng = np.random.default_rng(seed)
    values, hot = rng.integers(0, classes, count), rng.integers(0, 2, (count, 6))
    matrix = np.maximum(
        rng.standard_normal((count, width)) + 0.5 * rng.standard_normal((classes, width))[values], 0
    )
    matrix += 0.5 * hot @ rng.standard_normal((6, width))
    score = LooKNN(k=1, distance="euclidean")

    value = score(labelled(matrix, Labels(LabelKind.CLASSIFICATION, values, tuple(map(str, range(classes))))))
    found_several = score(labelled(matrix, Labels(LabelKind.MULTILABEL, hot, tuple("abcdef"))))

    assert (100 * value, 100 * found_several) == pytest.approx((one_label, several), rel=1e-12)


def test_several_numbers_are_pooled() -> None:
    rng = np.random.default_rng(0)
    matrix, values = rng.standard_normal((60, 4)), rng.standard_normal((60, 2)) + np.array([0, 50])
    error = sum(
        np.square(column - left_out(KNeighborsRegressor(3), matrix, column)).sum() for column in values.T
    )
    others = np.array([np.delete(values, row, axis=0).mean(axis=0) for row in range(60)])

    value = LooKNN(k=3)(labelled(matrix, Labels(LabelKind.REGRESSION, values)))

    assert value == pytest.approx(1 - error / np.square(values - others).sum(), rel=1e-9)


def test_an_unknown_distance_is_refused() -> None:
    with pytest.raises(UsageError, match="'euclidean'"):
        LooKNN(distance="l2")


def test_more_neighbours_than_examples_are_all_the_others() -> None:
    labels = Labels(LabelKind.CLASSIFICATION, [0, 0, 0, 1, 1], ("a", "b"))
    matrix = np.random.default_rng(0).standard_normal((5, 3))

    assert LooKNN(k=50)(labelled(matrix, labels)) == LooKNN(k=4)(labelled(matrix, labels))


def test_no_neighbours_are_refused() -> None:
    with pytest.raises(UsageError, match="k=5"):
        LooKNN(k=0)
