"""LogME against dense formulas."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from assay.core.errors import NotApplicable, UsageError
from assay.core.task import LabelKind, Labels
from assay.moments.folded import FoldedMoments
from assay.moments.stream import moments_of, stratified_folds
from assay.scores.logme import LogME, log_evidence

SHAPES = [(60, 5), (60, 60), (40, 41), (30, 100)]


def dense_largest(features: np.ndarray, target: np.ndarray) -> float:
    """The largest evidence of one column: its density, maximised on a grid and then locally by SciPy."""
    count = len(target)
    left, roots, _ = np.linalg.svd(features, full_matrices=False)
    values, inside = np.square(roots), np.square(left.T @ target)
    outside = (target @ target - inside.sum()) * (len(roots) < count) + 1e-10 * (target @ target)

    def loss(log_ratio: float) -> float:
        ratio = np.exp(log_ratio) * values.mean()
        variance = ((inside * ratio / (values + ratio)).sum() + outside) / count  # 1 / the best beta
        density = np.log(2 * np.pi * variance) + 1 + np.log1p(values / ratio).sum() / count
        return float(density / 2)

    grid = np.linspace(-45, 30, 301)
    losses = [loss(point) for point in grid]
    local = [
        optimize.minimize_scalar(
            loss, bounds=(grid[place] - 0.3, grid[place] + 0.3), method="bounded", options={"xatol": 1e-10}
        ).fun
        for place in np.argsort(losses)[:5]
    ]
    return -float(min(*losses, *local))


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
def test_the_published_iteration_on_classes_equals_the_dense_formula(count: int, width: int) -> None:
    features, labels = noisy_classes(count, width)
    expected = np.mean([dense_logme(features, column) for column in labels.targets().T])

    assert LogME(optimiser="published")(folded(features, labels)) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(("count", "width"), SHAPES)
def test_the_published_iteration_on_numbers_equals_the_dense_formula(count: int, width: int) -> None:
    features, labels = noisy_classes(count, width)
    numbers = Labels(LabelKind.REGRESSION, features[:, 0] + 0.3 * labels.values)

    assert LogME(optimiser="published")(folded(features, numbers)) == pytest.approx(
        dense_logme(features, numbers.values), rel=1e-6
    )


@pytest.mark.parametrize("kind", ["noise", "signal", "uneven", "strong signal", "large mean"])
@pytest.mark.parametrize(("count", "width"), [*SHAPES, (200, 50), (120, 500)])
def test_the_value_is_the_largest_evidence_of_all(count: int, width: int, kind: str) -> None:
    features, labels = noisy_classes(count, width)
    rng = np.random.default_rng(1)
    if kind == "noise":
        features = rng.standard_normal((count, width))
    if kind == "uneven":
        features = features * np.exp(rng.normal(0, 2, width))
    if kind == "strong signal":
        features = features + 300 * labels.targets() @ rng.standard_normal((3, width))
    if kind == "large mean":
        features = features + 1000
    expected = np.mean([dense_largest(features, column) for column in labels.targets().T])

    value = LogME()(folded(features, labels))

    assert value == pytest.approx(expected, abs=1e-6)
    assert value >= LogME(optimiser="published")(folded(features, labels)) - 1e-8


@pytest.mark.parametrize("scale", [1e-3, 1e-2, 1.0, 1e2, 1e4])
@pytest.mark.parametrize(("count", "width"), SHAPES)
def test_the_scale_of_the_features_changes_nothing(count: int, width: int, scale: float) -> None:
    features, labels = noisy_classes(count, width)

    value = LogME()(folded(scale * features, labels))

    assert value == pytest.approx(LogME()(folded(features, labels)), abs=1e-8)


def test_the_scale_of_the_numbers_to_predict_is_a_change_of_units() -> None:
    features, labels = noisy_classes(60, 5)
    metres = Labels(LabelKind.REGRESSION, features[:, 0] + 0.3 * labels.values)
    millimetres = Labels(LabelKind.REGRESSION, 1000 * metres.values)

    difference = LogME()(folded(features, metres)) - LogME()(folded(features, millimetres))

    assert difference == pytest.approx(np.log(1000), abs=1e-8)


def test_features_that_fit_the_labels_exactly_have_a_finite_value() -> None:
    labels = Labels(LabelKind.CLASSIFICATION, np.arange(60) % 2, ("a", "b"))
    exact = labels.targets()
    noisy = exact + 0.01 * np.random.default_rng(0).standard_normal(exact.shape)

    value = LogME()(folded(exact, labels))

    assert np.isfinite(value)
    assert value == pytest.approx(LogME()(folded(1000 * exact, labels)), abs=1e-4)
    assert value > LogME()(folded(noisy, labels))


def test_the_higher_of_two_peaks_counts() -> None:
    # a strong direction that fits a little, and weak ones that fit all: small steps from 1 end at the first
    rng = np.random.default_rng(3)
    target = rng.standard_normal(200)
    weak = 1e-3 * (target[:, None] + 0.01 * rng.standard_normal((200, 3)))
    features = np.column_stack([100 * (0.2 * target + rng.standard_normal(200)), weak])
    numbers = Labels(LabelKind.REGRESSION, target)

    value = LogME()(folded(features, numbers))

    assert value == pytest.approx(dense_largest(features, target), abs=1e-6)
    assert value > LogME(optimiser="published")(folded(features, numbers)) + 0.1


def test_an_unknown_optimiser_is_refused() -> None:
    with pytest.raises(UsageError, match="Write 'global' or 'published'"):
        LogME(optimiser="best")


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

    assert LogME(optimiser="published")(folded(features, labels)) == pytest.approx(expected, rel=1e-7)


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
