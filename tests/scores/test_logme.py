"""LogME against dense formulas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import NotApplicable, UsageError
from assay.core.task import LabelKind, Labels
from assay.moments.folded import FoldedMoments
from assay.moments.stream import moments_of, stratified_folds
from assay.scores.logme import LogME, log_evidence

SHAPES = [(60, 5), (60, 60), (40, 41), (30, 100)]


def dense_logme(features: np.ndarray, target: np.ndarray) -> float:
    """The evidence of You et al., 2021, for one column, with all D singular directions written out."""
    count, width = features.shape
    _, values, vectors = np.linalg.svd(features.T @ features, full_matrices=True)
    projected = vectors @ (features.T @ target)
    alpha, beta = 1.0, 1.0
    for _ in range(11):
        ratio = alpha / beta
        gamma = (values / (values + ratio)).sum()
        weights = vectors.T @ (beta * projected / (alpha + beta * values))
        square, residual = weights @ weights, np.square(target - features @ weights).sum()
        alpha, beta = gamma / (square + 1e-5), (count - gamma) / (residual + 1e-5)
        evidence = width / 2 * np.log(alpha) + count / 2 * np.log(beta) - count / 2 * np.log(2 * np.pi)
        evidence -= np.log(alpha + beta * values).sum() / 2 + beta / 2 * residual + alpha / 2 * square
        if abs(alpha / beta - ratio) / ratio <= 1e-3:
            break
    return float(evidence / count)


def evidence_by_svd(left: np.ndarray, roots: np.ndarray, target: np.ndarray) -> float:
    """The same without cancellation: by the singular values of the features, and their left vectors."""
    values, seen = np.square(roots), np.square(left.T @ target)
    count, outside = len(target), max(target @ target - seen.sum(), 0.0) * (len(roots) < len(target))
    ratio = 1.0
    for _ in range(11):
        shrunk = ratio / (values + ratio)
        square, residual = (
            (values * seen / np.square(values + ratio)).sum(),
            (seen * shrunk**2).sum() + outside,
        )
        gamma, free = (values / (values + ratio)).sum(), count - len(roots) + shrunk.sum()
        alpha, beta = gamma / (square + 1e-5), free / (residual + 1e-5)
        volume = np.log1p(beta / alpha * values).sum()
        evidence = (count * np.log(beta / 2 / np.pi) - beta * residual - volume - alpha * square) / 2
        before, ratio = ratio, alpha / beta
        if abs(ratio - before) / before <= 1e-3:
            break
    return float(evidence / count)


def folded(features: np.ndarray, labels: Labels) -> FoldedMoments:
    return moments_of(features, labels, stratified_folds(labels, 5, seed=0))


def noisy_classes(count: int, width: int, classes: int = 3) -> tuple[np.ndarray, Labels]:
    rng = np.random.default_rng(count + width)
    labels = Labels(
        LabelKind.CLASSIFICATION, rng.permutation(np.arange(count) % classes), tuple(map(str, range(classes)))
    )
    return rng.standard_normal((count, width)) + 2 + labels.targets() @ rng.standard_normal(
        (classes, width)
    ), labels


@pytest.mark.parametrize(("count", "width"), SHAPES)
def test_classes_equal_the_dense_formula(count: int, width: int) -> None:
    features, labels = noisy_classes(count, width)
    expected = np.mean([dense_logme(features, column) for column in labels.targets().T])

    assert LogME()(folded(features, labels)) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(("count", "width"), SHAPES)
def test_numbers_equal_the_dense_formula(count: int, width: int) -> None:
    features, labels = noisy_classes(count, width)
    numbers = Labels(LabelKind.REGRESSION, features[:, 0] + 0.3 * labels.values)

    assert LogME()(folded(features, numbers)) == pytest.approx(
        dense_logme(features, numbers.values), rel=1e-6
    )


@settings(deadline=None, max_examples=40)
@given(
    count=st.integers(1, 20),
    width=st.integers(1, 20),
    alpha=st.floats(1e-3, 1e3),
    beta=st.floats(1e-3, 1e3),
    seed=st.integers(0, 1000),
)
def test_evidence_is_the_density_of_the_labels(
    count: int, width: int, alpha: float, beta: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x, y = rng.standard_normal((count, width)), rng.standard_normal(count)
    covariance = np.eye(count) / beta + x @ x.T / alpha
    density = -(np.linalg.slogdet(2 * np.pi * covariance)[1] + y @ np.linalg.solve(covariance, y)) / 2
    weights = np.linalg.solve(alpha * np.eye(width) + beta * x.T @ x, beta * x.T @ y)
    squares = (np.array([weights @ weights]), np.array([np.square(y - x @ weights).sum()]))
    values = folded(x, Labels(LabelKind.REGRESSION, y)).uncentred.values

    evidence = log_evidence(values, np.array([alpha]), np.array([beta]), squares, count)

    assert evidence[0] == pytest.approx(density, rel=1e-8, abs=1e-8)


@pytest.mark.parametrize("mean", [0.0, 20.0, 200.0, 1000.0])
@pytest.mark.parametrize(("count", "width"), [(300, 1024), (100, 768), (400, 96)])
def test_a_large_mean_costs_no_digits(count: int, width: int, mean: float) -> None:
    rng = np.random.default_rng(0)
    labels = Labels(LabelKind.CLASSIFICATION, np.arange(count) % 10, tuple("abcdefghij"))
    features = np.maximum(rng.standard_normal((count, width)), 0) + mean
    left, roots, _ = np.linalg.svd(features, full_matrices=False)
    expected = np.mean([evidence_by_svd(left, roots, column) for column in labels.targets().T])

    assert LogME()(folded(features, labels)) == pytest.approx(expected, rel=1e-7)


def test_wide_noise_is_below_narrow_signal() -> None:
    # the published fixed-point code ranks the wider features first whatever they are, where N < D
    rng = np.random.default_rng(0)
    labels = Labels(LabelKind.CLASSIFICATION, np.arange(300) % 2, ("a", "b"))
    noise = rng.standard_normal((300, 768))
    signal = rng.standard_normal((300, 128)) + labels.values[:, None]

    assert LogME()(folded(noise, labels)) < LogME()(folded(signal, labels))


@pytest.mark.parametrize("width", [300, 600, 1200])
def test_the_value_of_noise_does_not_grow_with_width(width: int) -> None:
    labels = Labels(LabelKind.CLASSIFICATION, np.arange(200) % 2, ("a", "b"))
    noise = np.random.default_rng(0).standard_normal((200, width))
    constant = -0.5 * np.log(2 * np.pi * 0.25) - 0.5  # of labels that are half and half, without features

    assert LogME()(folded(noise, labels)) < constant + 0.05


def test_an_empty_column_among_the_features_changes_nothing() -> None:
    features, labels = noisy_classes(40, 10)
    padded = np.column_stack([features, np.zeros((40, 50))])

    assert LogME()(folded(padded, labels)) == pytest.approx(LogME()(folded(features, labels)), rel=1e-9)


def test_features_that_are_all_zero_are_skipped_with_the_reason() -> None:
    labels = noisy_classes(40, 10)[1]

    with pytest.raises(NotApplicable, match="zero"):
        LogME()(folded(np.zeros((40, 10)), labels))


def test_no_steps_are_refused() -> None:
    with pytest.raises(UsageError, match="max_steps=11"):
        LogME(max_steps=0)
