"""EMMS against published code, the alternation over all rows, and cases where it has no value."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import assay
from assay.core.errors import NotApplicable, UsageError
from assay.scores.emms import EMMS, sparsemax

TALL = (200, 12, 4)


def arrays(count: int, width: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Features that are not negative, as after ReLU; the last class is the largest by far."""
    rng = np.random.default_rng(count + width)
    labels = rng.permutation(np.minimum(np.arange(count) % (2 * classes), classes - 1))
    means = rng.standard_normal((classes, width))
    return np.maximum(rng.standard_normal((count, width)) + means[labels], 0.0), labels


def embeddings_of(classes: int, dims: int = 6) -> np.ndarray:
    """What three encoders say of each class; the third nearly repeats the others."""
    vectors = np.random.default_rng(7).standard_normal((3, classes, dims))
    vectors[2] = vectors[1] * 0.5 + vectors[0] * 0.3
    return vectors


@pytest.fixture
def file(tmp_path: Path) -> str:
    return saved(tmp_path, embeddings_of(4))


def saved(folder: Path, vectors: np.ndarray) -> str:
    path = folder / "labels.npz"
    np.savez(path, *vectors)
    return str(path)


def alternated(features: np.ndarray, stacked: np.ndarray, steps: int = 5000) -> float:
    """The alternation as the paper writes it, over all rows: examples x dims x encoders."""
    x = (features - features.mean(axis=0)) / (features.std(axis=0) + 1e-8)
    y = (stacked - stacked.mean(axis=0)) / (stacked.std(axis=0) + 1e-8)
    flat, weights = y.reshape(-1, y.shape[2]), np.full(y.shape[2], 1 / y.shape[2])
    projection, fit = x @ np.linalg.pinv(x), np.linalg.pinv(flat)
    for _ in range(steps):
        before, weights = weights, on_simplex(fit @ (projection @ (y @ weights)).ravel())
        if np.abs(before - weights).max() < 1e-12:
            break
    error = y @ weights - projection @ (y @ weights)
    return float(-np.square(error).mean())


def on_simplex(numbers: np.ndarray) -> np.ndarray:
    """The nearest point of the simplex, by bisection of what is subtracted."""
    low, high = numbers.min() - 1.0, numbers.max()
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.maximum(numbers - middle, 0).sum() > 1 else (low, middle)
    return np.maximum(numbers - high, 0.0)


def test_it_equals_published_code(file: str) -> None:
    """OpenGVLab/Multitask-Model-Selector metrics.py at 24d1008, EMMS."""
    value = assay.score(*arrays(*TALL), EMMS(file, published=True))

    assert value == pytest.approx(-4.476920076881869, rel=1e-9)


def test_one_hot_labels_equal_published_code() -> None:
    """The same, with numpy.eye(4)[labels] for the only embedding."""
    assert assay.score(*arrays(*TALL), "emms(published=True)") == pytest.approx(-4.067735630278734, rel=1e-9)


@pytest.mark.parametrize("shape", [TALL, (150, 10, 3), (60, 24, 5), (80, 60, 4)])
def test_it_equals_the_alternation_over_all_rows(tmp_path: Path, shape: tuple[int, int, int]) -> None:
    features, labels = arrays(*shape)
    vectors = embeddings_of(shape[2])
    stacked = np.stack([encoder[labels] for encoder in vectors], axis=2)
    value = assay.score(features, labels, EMMS(saved(tmp_path, vectors)))

    assert value == pytest.approx(alternated(features, stacked), rel=1e-7)


def test_numbers_are_their_own_embedding() -> None:
    features = arrays(*TALL)[0]
    numbers = np.column_stack([features[:, 0] + features[:, 1] ** 2, 5 + np.sin(np.arange(200))])

    value = assay.score(features, numbers, "emms")

    assert value == pytest.approx(alternated(features, numbers[:, :, None]), rel=1e-9)


@pytest.mark.parametrize("shape", [TALL, (60, 24, 5)])
def test_the_scale_of_a_feature_does_not_matter(shape: tuple[int, int, int]) -> None:
    features, labels = arrays(*shape)
    scales = 10.0 ** np.linspace(-4, 4, shape[1])

    assert assay.score(features * scales, labels, "emms") == pytest.approx(
        assay.score(features, labels, "emms"), rel=1e-8
    )


def test_an_encoder_that_is_given_twice_changes_nothing(tmp_path: Path) -> None:
    features, labels = arrays(*TALL)
    vectors = embeddings_of(4)[:1]
    once = assay.score(features, labels, EMMS(saved(tmp_path, vectors)))

    twice = assay.score(features, labels, EMMS(saved(tmp_path, np.repeat(vectors, 2, axis=0))))

    assert twice == pytest.approx(once, rel=1e-9)


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=8))
def test_sparsemax_is_the_nearest_point_of_the_simplex(numbers: list[float]) -> None:
    value = sparsemax(np.array(numbers))

    np.testing.assert_allclose(value, on_simplex(np.array(numbers)), atol=1e-9)


def test_another_file_is_another_score(tmp_path: Path) -> None:
    before = EMMS(saved(tmp_path, embeddings_of(4))).content()

    after = EMMS(saved(tmp_path, embeddings_of(4) + 1)).content()

    assert before != after


def test_a_fit_that_any_model_would_have_is_skipped_with_the_reason() -> None:
    with pytest.raises(NotApplicable, match="39 independent features fit any labels of 40 examples"):
        assay.score(*arrays(40, 96, 3), "emms")


def test_embeddings_of_other_classes_are_skipped_with_the_reason(file: str) -> None:
    with pytest.raises(NotApplicable, match="embeddings of 4 classes, the task 5"):
        assay.score(*arrays(200, 12, 5), EMMS(file))


def test_embeddings_for_numbers_are_skipped_with_the_reason(file: str) -> None:
    features = arrays(*TALL)[0]

    with pytest.raises(NotApplicable, match="not of regression labels"):
        assay.score(features, features[:, 0], EMMS(file))


def test_embeddings_that_are_all_alike_are_skipped_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(NotApplicable, match="the same embeddings"):
        assay.score(*arrays(*TALL), EMMS(saved(tmp_path, np.ones((2, 4, 6)))))


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        ({"clip": np.ones((4, 6)), "bert": np.ones((4, 5))}, "shapes"),
        ({"clip": np.ones(4)}, "shapes"),
        ({"clip": np.full((4, 6), np.nan)}, "not finite"),
        ({"clip": np.array([[None]])}, "Cannot read"),
        ({}, "shapes"),
    ],
)
def test_a_file_that_holds_no_embeddings_stops(
    tmp_path: Path, parts: dict[str, np.ndarray], reason: str
) -> None:
    np.savez(tmp_path / "labels.npz", **parts)

    with pytest.raises(UsageError, match=reason):
        EMMS(str(tmp_path / "labels.npz"))


def test_a_file_that_is_not_there_stops(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Cannot read embeddings"):
        EMMS(str(tmp_path / "nothing.npz"))


def test_no_step_stops() -> None:
    with pytest.raises(UsageError, match="max_steps"):
        EMMS(max_steps=0)
