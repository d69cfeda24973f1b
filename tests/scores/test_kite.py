"""KITE against alignments of whole kernel matrices."""

from __future__ import annotations

import numpy as np
import pytest

import assay
from assay.core.errors import NotApplicable
from assay.scores import kite


def alignment(a: np.ndarray, b: np.ndarray) -> float:
    """CKA as the paper has it: of kernels, centred by H = I - 11'/n on both sides."""
    count = len(a)
    h = np.eye(count) - 1 / count
    first, second = h @ (a @ a.T) @ h, h @ (b @ b.T) @ h
    product = sum(float(first[row] @ second[row]) for row in range(count))
    return product / (np.linalg.norm(first) * np.linalg.norm(second))


def blobs(
    count: int, width: int, drawn_width: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    labels = rng.choice(4, count, p=[0.6, 0.25, 0.1, 0.05])
    means = rng.standard_normal((4, width))
    features = np.maximum(means[labels] + rng.standard_normal((count, width)), 0)
    return features, labels, np.maximum(rng.standard_normal((count, drawn_width)) + 1, 0)


SHAPES = [(60, 8, 8), (60, 8, 100), (40, 96, 96), (40, 96, 5), (300, 64, 32), (30, 500, 700)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_it_is_the_ratio_of_two_alignments_of_classes(shape):
    features, labels, drawn = blobs(*shape)
    hot = (labels[:, None] == np.unique(labels)).astype(float)

    value = assay.score(features, labels, "kite", random_features=drawn)

    assert value == pytest.approx(alignment(features, hot) / alignment(features, drawn), rel=1e-10)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_it_is_the_ratio_of_two_alignments_of_numbers(shape):
    features, _, drawn = blobs(*shape)
    numbers = features[:, :2] @ np.array([1.0, -2.0]) + 5

    value = assay.score(features, numbers, "kite", random_features=drawn, kind="regression")

    expected = alignment(features, numbers[:, None]) / alignment(features, drawn)
    assert value == pytest.approx(expected, rel=1e-10)


def test_blocks_of_rows_change_nothing(monkeypatch):
    features, labels, drawn = blobs(30, 500, 700)
    whole = assay.score(features, labels, "kite", random_features=drawn)

    monkeypatch.setattr(kite, "_BLOCK", 7)

    assert assay.score(features, labels, "kite", random_features=drawn) == pytest.approx(whole, rel=1e-12)


def test_a_model_that_sees_what_random_weights_see_gets_what_those_say_of_the_labels():
    features, labels, _ = blobs(60, 8, 8)
    hot = (labels[:, None] == np.unique(labels)).astype(float)

    value = assay.score(features, labels, "kite", random_features=3 * features + 1)

    assert value == pytest.approx(alignment(features, hot), rel=1e-10)


def test_single_precision_far_from_zero_loses_nothing():
    features, labels, drawn = blobs(200, 16, 16)
    far = (features + 1000).astype(np.float32)
    exact = far.astype(float)
    hot = (labels[:, None] == np.unique(labels)).astype(float)

    value = assay.score(far, labels, "kite", random_features=drawn)

    assert value == pytest.approx(alignment(exact, hot) / alignment(exact, drawn), rel=1e-6)


@pytest.mark.parametrize(
    ("features", "labels", "drawn", "why"),
    [
        (np.full((6, 2), 0.1), [0, 1] * 3, np.eye(6), "All features are constant"),
        (np.eye(6), [0] * 6, np.eye(6), "All labels of train are the same"),
        (np.eye(6), [0, 1] * 3, np.full((6, 2), 0.1), "With random weights"),
        (
            np.array([[1.0], [-1.0], [0.0], [0.0]]),
            [0, 1, 0, 1],
            np.array([[0.0], [0], [1], [-1]]),
            "in common",
        ),
    ],
)
def test_what_cannot_be_compared_has_its_reason(features, labels, drawn, why):
    with pytest.raises(NotApplicable, match=why):
        assay.score(features, labels, "kite", random_features=drawn)


def test_without_random_features_it_says_what_to_give():
    with pytest.raises(NotApplicable, match="give random_features"):
        assay.score(np.eye(4), [0, 1, 0, 1], "kite")
