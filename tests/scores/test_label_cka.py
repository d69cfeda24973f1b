"""Label CKA against published code, the dense formula, and cases where it has no value."""

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


def centred(matrix: np.ndarray) -> np.ndarray:
    return np.asarray(matrix - matrix.mean(axis=0))


def dense(features: np.ndarray, targets: np.ndarray) -> float:
    x, y = centred(features), centred(targets)
    both = np.square(x.T @ y).sum()
    return float(both / (np.linalg.norm(x.T @ x) * np.linalg.norm(y.T @ y)))


def unbiased_product(first: np.ndarray, second: np.ndarray) -> float:
    """The estimator of Song et al., 2012, from two similarity matrices: their diagonals do not count."""
    n = len(first)
    first, second = first - np.diag(np.diag(first)), second - np.diag(np.diag(second))
    pairs = first.sum() * second.sum() / ((n - 1) * (n - 2))
    return float((first * second).sum() + pairs - 2 * first.sum(axis=0) @ second.sum(axis=0) / (n - 2))


def dense_debiased(features: np.ndarray, targets: np.ndarray) -> float:
    x, y = features @ features.T, targets @ targets.T
    return unbiased_product(x, y) / np.sqrt(unbiased_product(x, x) * unbiased_product(y, y))


@pytest.mark.parametrize(
    ("shape", "score", "published"),
    [
        ((200, 12, 4), "label_cka", 0.6241609266537914),
        ((40, 96, 3), "label_cka", 0.8127273584989761),
        ((200, 12, 4), "label_cka(debiased=True)", 0.6188247144479039),
        ((40, 96, 3), "label_cka(debiased=True)", 0.8640965816118863),
    ],
)
def test_it_equals_published_code(shape: tuple[int, int, int], score: str, published: float) -> None:
    """dbolya/parc methods.py at ddfca43, DDS.cka, on FF' and YY'."""
    assert assay.score(*arrays(*shape), score) == pytest.approx(published, rel=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_it_equals_the_formula_for_classes(shape: tuple[int, int, int]) -> None:
    features, labels = arrays(*shape)
    hot = np.eye(shape[2])[labels]

    assert assay.score(features, labels, "label_cka") == pytest.approx(dense(features, hot), rel=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_correction_equals_sums_over_all_pairs(shape: tuple[int, int, int]) -> None:
    features, labels = arrays(*shape)
    expected = dense_debiased(features, np.eye(shape[2])[labels])

    assert assay.score(features, labels, "label_cka(debiased=True)") == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
def test_it_equals_the_formula_for_numbers(shape: tuple[int, int, int]) -> None:
    features, labels = arrays(*shape)
    numbers = features[:, 0] + np.sin(np.arange(len(labels)))
    expected = dense(features, numbers[:, None])

    assert assay.score(features, numbers, "label_cka") == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("shape", SHAPES[:4])
def test_it_equals_the_formula_for_several_columns(shape: tuple[int, int, int]) -> None:
    features = arrays(*shape)[0]
    columns = (features[:, :4] > 0.5).astype(int)
    numbers = features[:, :2] ** 2

    assert assay.score(features, columns, "label_cka") == pytest.approx(dense(features, columns), rel=1e-9)
    assert assay.score(features, numbers, "label_cka(debiased=True)") == pytest.approx(
        dense_debiased(features, numbers), rel=1e-9
    )


def test_covariances_of_labels_from_a_sample_are_noted() -> None:
    features = np.random.default_rng(0).standard_normal((6000, 3))
    columns = (features[:, :2] + features[:, 1:] > 0).astype(int)

    value = assay.score(features, columns, "label_cka")

    assert value == pytest.approx(dense(features, columns), rel=0.01)
    assert "5000 of 6000 examples" in value.notes[0]
    with pytest.raises(NotApplicable, match="all 6000 rows"):
        assay.score(features, columns, "label_cka(debiased=True)")


def test_the_correction_takes_wide_noise_to_zero() -> None:
    noise = np.random.default_rng(0).standard_normal((60, 2000))
    labels = np.arange(60) % 20

    assert assay.score(noise, labels, "label_cka") > 0.4
    assert abs(assay.score(noise, labels, "label_cka(debiased=True)")) < 0.05


def test_one_rare_example_costs_no_digits() -> None:
    labels = np.zeros(100_000, dtype=int)
    labels[3] = 1
    features = np.random.default_rng(0).standard_normal((100_000, 2)) + 9 * labels[:, None]
    expected = dense(features, labels[:, None])

    assert assay.score(features, labels, "label_cka") == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("features", "labels", "reason"),
    [
        (np.full((60, 5), 0.1), np.arange(60) % 3, "constant"),
        (np.eye(60)[:, :5], np.zeros(60, dtype=int), "two classes"),
        (np.eye(60)[:, :5], np.full(60, 0.5), "the same"),
    ],
)
def test_what_has_no_value_is_skipped_with_the_reason(
    features: np.ndarray, labels: np.ndarray, reason: str
) -> None:
    with pytest.raises(NotApplicable, match=reason):
        assay.score(features, labels, "label_cka")


def test_the_correction_needs_four_examples() -> None:
    with pytest.raises(NotApplicable, match="at least 4 examples; there are 3"):
        assay.score(np.eye(3), np.array([0, 0, 1]), "label_cka(debiased=True)")
