"""LinMSE against published code, scikit-learn, and cases where it has no value."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge

import assay
from assay.core.errors import NotApplicable, UsageError

TALL, WIDE = (200, 12, 4), (40, 96, 3)


def arrays(count: int, width: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Features that are not negative, as after ReLU; the last class is the largest by far."""
    rng = np.random.default_rng(count + width)
    labels = rng.permutation(np.minimum(np.arange(count) % (2 * classes), classes - 1))
    means = rng.standard_normal((classes, width))
    return np.maximum(rng.standard_normal((count, width)) + means[labels], 0.0), labels


def numbers_of(features: np.ndarray) -> np.ndarray:
    return np.asarray(features[:, 0] + features[:, 1] ** 2)


@pytest.mark.parametrize(
    ("shape", "score", "published"),
    [
        (TALL, "lin_mse", -1.7354104515352113),
        (TALL, "lin_mse(penalty=0.1, add_penalty=False)", -1.9323204888940944),
        (TALL, "lin_mse(penalty=1.0, add_penalty=False)", -5.451240750979009),
        (WIDE, "lin_mse(penalty=0.1, add_penalty=False)", -0.008786111601540345),
        (WIDE, "lin_mse(penalty=1.0, add_penalty=False)", -0.1643623235222786),
    ],
)
def test_numbers_equal_published_code(shape: tuple[int, int, int], score: str, published: float) -> None:
    """CuongNN218/regression_transferability reg_score.py at b494b4e, transferability_score and _ridge."""
    features = arrays(*shape)[0]

    assert assay.score(features, numbers_of(features), score) == pytest.approx(published, rel=1e-9)


def test_classes_equal_published_code_on_one_hot_columns() -> None:
    """The same, with numpy.eye(4)[labels] for y_target."""
    assert assay.score(*arrays(*TALL), "lin_mse") == pytest.approx(-0.034894390033567646, rel=1e-9)


@pytest.mark.parametrize("shape", [TALL, WIDE, (50, 50, 2)])
@pytest.mark.parametrize("penalty", [1e-6, 0.03, 1.0, 1e6])
def test_the_error_includes_the_penalty_as_in_the_paper(shape: tuple[int, int, int], penalty: float) -> None:
    features, labels = arrays(*shape)
    numbers = np.column_stack([numbers_of(features), 3.0 * labels])
    model = Ridge(alpha=len(labels) * penalty).fit(features, numbers)
    squares = np.square(numbers - model.predict(features)).mean(axis=0)
    expected = -np.mean(squares + penalty * np.square(model.coef_).sum(axis=1))

    value = assay.score(features, numbers, f"lin_mse(penalty={penalty})")

    assert value == pytest.approx(expected, rel=1e-8)


def test_least_squares_equal_scikit_learn_where_features_repeat() -> None:
    features = arrays(60, 8, 3)[0]
    features = np.hstack([features, features @ np.random.default_rng(0).standard_normal((8, 80))])
    numbers = np.sin(np.arange(60))
    residual = numbers - LinearRegression().fit(features, numbers).predict(features)

    assert assay.score(features, numbers, "lin_mse") == pytest.approx(-np.square(residual).mean(), rel=1e-9)


def test_a_number_that_never_changes_counts_among_the_columns() -> None:
    features = arrays(*TALL)[0]
    numbers = numbers_of(features)
    with_zero = np.column_stack([numbers, np.zeros(len(numbers))])

    assert assay.score(features, with_zero, "lin_mse") == pytest.approx(
        assay.score(features, numbers, "lin_mse") / 2, rel=1e-12
    )


@pytest.mark.parametrize("shape", [WIDE, (30, 40, 3)])
def test_a_fit_that_any_model_would_have_is_skipped_with_the_reason(shape: tuple[int, int, int]) -> None:
    features = arrays(*shape)[0]

    with pytest.raises(NotApplicable, match="fit any labels of"):
        assay.score(features, numbers_of(features), "lin_mse")


def test_labels_that_are_all_the_same_are_skipped_with_the_reason() -> None:
    with pytest.raises(NotApplicable, match="the same"):
        assay.score(arrays(*TALL)[0], np.full(200, 0.1), "lin_mse")


@pytest.mark.parametrize("penalty", ["-1.0", "1e999"])
def test_a_penalty_without_a_minimum_stops(penalty: str) -> None:
    features, labels = arrays(*TALL)

    with pytest.raises(UsageError, match="penalty"):
        assay.score(features, labels, f"lin_mse(penalty={penalty})")
