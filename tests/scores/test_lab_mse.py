"""LabMSE against scikit-learn, and cases where it has no value."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LinearRegression, Ridge

import assay
from assay.core.errors import NotApplicable, UsageError
from assay.scores.lab_mse import LabMSE

SHAPES = [(200, 12), (40, 96), (50, 2)]


def heads(count: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Source probabilities, and numbers that they half explain."""
    rng = np.random.default_rng(count + classes)
    votes = np.exp(2 * rng.standard_normal((count, classes)))
    probs = votes / votes.sum(axis=1, keepdims=True)
    return probs, 3 * probs[:, 0] - probs[:, 1] + rng.standard_normal(count) / 2


@pytest.mark.parametrize("shape", [(200, 12), (50, 2), (9000, 3)])
def test_least_squares_equal_scikit_learn(shape: tuple[int, int]) -> None:
    probs, numbers = heads(*shape)
    residual = numbers - LinearRegression().fit(probs[:, 1:], numbers).predict(probs[:, 1:])

    assert assay.score(probs, numbers, "lab_mse") == pytest.approx(-np.square(residual).mean(), rel=1e-9)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("penalty", [1e-4, 1.0])
def test_ridge_equals_scikit_learn(shape: tuple[int, int], penalty: float) -> None:
    probs, numbers = heads(*shape)
    model = Ridge(alpha=len(numbers) * penalty).fit(probs, numbers)
    error = np.square(numbers - model.predict(probs)).mean()

    assert assay.score(probs, numbers, LabMSE(penalty, add_penalty=False)) == pytest.approx(-error, rel=1e-9)
    assert assay.score(probs, numbers, LabMSE(penalty)) == pytest.approx(
        -error - penalty * np.square(model.coef_).sum(), rel=1e-9
    )


def test_classes_are_one_hot_columns() -> None:
    probs, numbers = heads(200, 12)
    labels = np.digitize(numbers, [-0.5, 0.5])
    hot = np.eye(3)[labels]
    residual = hot - LinearRegression().fit(probs[:, 1:], hot).predict(probs[:, 1:])

    assert assay.score(probs, labels, "lab_mse") == pytest.approx(-np.square(residual).mean(), rel=1e-9)


def test_single_precision_gives_no_direction_of_its_own() -> None:
    probs, numbers = heads(200, 12)

    assert assay.score(probs.astype(np.float32), numbers, "lab_mse") == pytest.approx(
        assay.score(probs, numbers, "lab_mse"), rel=1e-6
    )


def test_a_fit_that_any_head_would_have_is_skipped_with_the_reason() -> None:
    with pytest.raises(NotApplicable, match="39 independent source classes fit any labels of 40 examples"):
        assay.score(*heads(40, 96), "lab_mse")


def test_a_head_that_says_the_same_of_all_is_skipped_with_the_reason() -> None:
    with pytest.raises(NotApplicable, match="the same of every example"):
        assay.score(np.full((60, 4), 0.25), np.arange(60.0), "lab_mse")


def test_a_negative_penalty_stops() -> None:
    with pytest.raises(UsageError, match="penalty"):
        LabMSE(penalty=-1.0)
