"""LFC against published code, the formula over all pairs, and cases where it has no value."""

from __future__ import annotations

import numpy as np
import pytest

import assay
from assay.core.errors import NotApplicable

SHAPES = [(200, 12, 4), (40, 96, 3), (50, 50, 2), (30, 29, 5), (20, 1, 2)]


def arrays(count: int, width: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Features that are not negative, as after ReLU; the last class is the largest by far."""
    rng = np.random.default_rng(count + width)
    labels = rng.permutation(np.minimum(np.arange(count) % (2 * classes), classes - 1))
    means = rng.standard_normal((classes, width))
    return np.maximum(rng.standard_normal((count, width)) + means[labels], 0.0), labels


def over_pairs(features: np.ndarray, labels: np.ndarray) -> float:
    """The formula as it is written: two matrices of all pairs, centred, and their cosine."""
    alike = features @ features.T
    same = np.where(labels[:, None] == labels, 1.0, -1.0)
    alike, same = alike - alike.mean(), same - same.mean()
    return float((alike * same).sum() / np.sqrt(np.square(alike).sum() * np.square(same).sum()))


@pytest.mark.parametrize(
    ("shape", "published"), [((200, 12, 4), 0.4794318451661958), ((40, 96, 3), 0.814018016513904)]
)
def test_it_equals_published_code(shape: tuple[int, int, int], published: float) -> None:
    """zhangyikaii/Model-Spider mptms/LFC.py at d2a53e4, LFC; its labels are in single precision."""
    assert assay.score(*arrays(*shape), "lfc") == pytest.approx(published, rel=2e-7)


@pytest.mark.parametrize("shape", SHAPES)
def test_it_equals_the_formula_over_all_pairs(shape: tuple[int, int, int]) -> None:
    features, labels = arrays(*shape)

    assert assay.score(features, labels, "lfc") == pytest.approx(over_pairs(features, labels), rel=1e-9)


@pytest.mark.parametrize("shape", [(200, 12, 4), (40, 96, 3)])
def test_a_large_mean_costs_no_digits(shape: tuple[int, int, int]) -> None:
    features, labels = arrays(*shape)
    features += 1000.0
    exact = over_pairs(features.astype(np.longdouble), labels)

    assert assay.score(features, labels, "lfc") == pytest.approx(exact, rel=1e-9)


def test_features_that_are_the_labels_give_one() -> None:
    labels = np.arange(60) % 2

    assert assay.score(1.0 - 2.0 * labels[:, None], labels, "lfc") == pytest.approx(1.0, rel=1e-12)


def test_constant_features_are_skipped_with_the_reason() -> None:
    with pytest.raises(NotApplicable, match="constant"):
        assay.score(np.full((60, 5), 0.1), np.arange(60) % 3, "lfc")


def test_one_class_is_skipped_with_the_reason() -> None:
    with pytest.raises(NotApplicable, match="two classes"):
        assay.score(arrays(60, 5, 3)[0], np.zeros(60, dtype=int), "lfc")
