"""SFDA against its published code, and against its formula written out example by example."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import eigh

from assay.core.errors import NotApplicable
from assay.core.features import Features, LabelledFeatures
from assay.core.task import LabelKind, Labels
from assay.plugins.method import Score
from assay.scores.sfda import SFDA
from assay.testing.scores import ScoreContract

# TencentARC/SFDA metrics.py at 3b7edf7, SFDA_Score, on the arrays of ``examples``
PUBLISHED = [
    ((0, 200, 16, 5, 1.0), 0.43667344692726173),
    ((1, 300, 80, 12, 0.3), 0.5613918874500632),
    ((2, 60, 90, 4, 0.1), 0.8662955798395848),
    ((3, 90, 89, 3, 0.05), 0.8270142113085587),
]
SHAPES = [(40, 6, 3, 1.0), (40, 60, 3, 0.05), (30, 30, 4, 0.2), (61, 12, 2, 3.0), (25, 200, 3, 0.001)]


class TestNormalised(ScoreContract):
    @pytest.fixture
    def score(self) -> Score:
        return SFDA(normalise=True)


def examples(seed: int, count: int, width: int, classes: int, scale: float) -> LabelledFeatures:
    """Rectified features of unbalanced classes, some of one example."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, classes, count - classes) ** 2 // classes
    own = rng.permutation(np.concatenate([np.arange(classes), drawn]))
    noise, means = rng.standard_normal((count, width)), rng.standard_normal((classes, width))
    return labelled(np.maximum(noise + means[own] / 3, 0) * scale, own)


def labelled(matrix: np.ndarray, own: np.ndarray) -> LabelledFeatures:
    names = tuple(f"class {number}" for number in range(own.max() + 1))
    return LabelledFeatures(Features(matrix), Labels(LabelKind.CLASSIFICATION, own, names))


def dense_probabilities(x: np.ndarray, own: np.ndarray, shrinkage: float | None) -> tuple[np.ndarray, float]:
    """Discriminant analysis by the generalised eigenproblem of the paper."""
    share = np.bincount(own) / len(own)
    means = np.stack([x[own == label].mean(axis=0) for label in range(len(share))])
    within = sum(
        share[label] * np.cov(x[own == label], rowvar=False, bias=True) for label in range(len(share))
    )
    if shrinkage is None:
        powers = [np.linalg.matrix_power(within / np.trace(within), power).sum(axis=1) for power in (6, 7)]
        y, z = (power / np.linalg.norm(power) for power in powers)
        shrinkage = max(np.exp(-5 * (z @ within @ y)), 1e-10)

    def shrunk(scatter: np.ndarray) -> np.ndarray:
        return (1 - shrinkage) * scatter + shrinkage * np.trace(scatter) / len(scatter) * np.eye(len(scatter))

    vectors = eigh(shrunk(np.cov(x, rowvar=False, bias=True)) - shrunk(within), shrunk(within))[1]
    weights = vectors @ vectors.T @ means.T
    logits = x @ weights - np.diag(means @ weights) / 2 + np.log(share)
    exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponents / exponents.sum(axis=1, keepdims=True), shrinkage


def dense(train: LabelledFeatures) -> float:
    x, own = train.matrix, train.labels.values
    probs, shrinkage = dense_probabilities(x, own, None)
    soft = np.exp(probs) / np.exp(probs).sum(axis=1, keepdims=True)
    means = [x[own == label].mean(axis=0) for label in range(probs.shape[1])]
    mixed = np.empty_like(x)
    for row, label in enumerate(own):
        others = np.mean([mean for number, mean in enumerate(means) if number != label], axis=0)
        mixed[row] = soft[row, label] * x[row] + (1 - soft[row, label]) * others
    return float(dense_probabilities(mixed, own, shrinkage)[0][np.arange(len(own)), own].mean())


@pytest.mark.parametrize(("array", "published"), PUBLISHED)
def test_it_is_the_published_value(array: tuple[int, int, int, int, float], published: float) -> None:
    assert SFDA()(examples(*array)) == pytest.approx(published, rel=1e-9)


@pytest.mark.parametrize(("count", "width", "classes", "scale"), SHAPES)
def test_it_is_the_formula_written_out(count: int, width: int, classes: int, scale: float) -> None:
    rng = np.random.default_rng(count * width)
    own = rng.permutation(np.arange(count) % classes)
    train = labelled((rng.standard_normal((count, width)) + own[:, None] / 2) * scale, own)

    assert SFDA()(train) == pytest.approx(dense(train), rel=1e-8)


def test_unregularised_wide_features_are_skipped_as_they_say_nothing() -> None:
    rng = np.random.default_rng(0)

    with pytest.raises(NotApplicable, match="60 examples of 80 features give 1 to every model"):
        SFDA()(labelled(rng.standard_normal((60, 80)), np.arange(60) % 3))


def test_wide_features_that_classify_without_error_keep_their_value_among_dead_ones() -> None:
    rng = np.random.default_rng(0)
    own = np.arange(60) % 3
    alive = rng.standard_normal((60, 5)) + 50 * np.eye(5)[own]

    assert SFDA()(labelled(np.hstack([alive, np.zeros((60, 90))]), own)) == pytest.approx(1.0)


@pytest.mark.parametrize("factor", [1e-3, 2.0, 1e4])
def test_scale_matters_unless_it_is_taken_out(factor: float) -> None:
    train = examples(1, 300, 80, 12, 0.3)
    scaled = labelled(train.matrix * factor, train.labels.values)

    assert SFDA(normalise=True)(scaled) == pytest.approx(SFDA(normalise=True)(train), rel=1e-9)
    assert abs(SFDA()(scaled) - SFDA()(train)) > 0.01


def test_normalised_is_the_published_value_of_scaled_features() -> None:
    train = examples(0, 200, 16, 5, 1.0)
    own, x = train.labels.values, train.matrix
    inside = sum(np.square(x[own == label] - x[own == label].mean(axis=0)).sum() for label in range(5))
    scaled = labelled(x / np.sqrt(inside / len(x)), own)

    assert SFDA(normalise=True)(train) == pytest.approx(SFDA()(scaled), rel=1e-9)


def test_rows_that_sum_to_one_number_have_a_value_that_their_order_does_not_change() -> None:
    rng = np.random.default_rng(0)
    own = np.arange(90) % 3
    x = rng.standard_normal((90, 7)) / 4 + np.eye(7)[own] / 3
    x -= x.mean(axis=1, keepdims=True)
    order = rng.permutation(90)

    assert SFDA()(labelled(x[order], own[order])) == pytest.approx(SFDA()(labelled(x, own)), rel=1e-9)


@pytest.mark.parametrize("width", [2, 9])
def test_classes_that_do_not_vary_are_skipped_with_the_reason(width: int) -> None:
    own = np.arange(6) % 2
    matrix = np.random.default_rng(0).standard_normal((2, width))[own] + 0.1

    with pytest.raises(NotApplicable, match="do not vary"):
        SFDA()(labelled(matrix, own))


def test_one_class_is_skipped_with_the_reason() -> None:
    with pytest.raises(NotApplicable, match="two classes"):
        SFDA()(labelled(np.random.default_rng(0).standard_normal((9, 2)), np.zeros(9, dtype=np.int64)))
