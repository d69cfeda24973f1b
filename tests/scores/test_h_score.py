"""H-score and its regularised form against dense formulas and scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.covariance import LedoitWolf

from assay.core.errors import NotApplicable
from assay.core.task import LabelKind, Labels
from assay.moments.folded import FoldedMoments
from assay.moments.stream import moments_of, stratified_folds
from assay.scores.h_score import HScore
from assay.scores.h_score_regularised import HScoreRegularised, ledoit_wolf_shrinkage

SHAPES = [(200, 12), (60, 61), (40, 150), (50, 1)]


def classes(count: int, width: int) -> tuple[np.ndarray, Labels]:
    rng = np.random.default_rng(count * width)
    labels = Labels(LabelKind.CLASSIFICATION, rng.permutation(np.arange(count) % 4), ("a", "b", "c", "d"))
    spread = 1 + np.arange(width) / width
    return rng.standard_normal((count, width)) * spread + labels.values[:, None] / 3, labels


def folded(features: np.ndarray, labels: Labels) -> FoldedMoments:
    return moments_of(features, labels, stratified_folds(labels, 5, seed=0))


def class_means(features: np.ndarray, labels: Labels) -> np.ndarray:
    return np.stack([features[labels.values == label].mean(axis=0) for label in labels.values])


def published_regularised(features: np.ndarray, labels: Labels) -> float:
    """The formula of Ibrahim et al., 2021, as in their code: N - 1 for the class means, N for the total."""
    model = LedoitWolf().fit(features)
    between = np.atleast_2d(np.cov(class_means(features, labels), rowvar=False))
    return float((1 - model.shrinkage_) * np.trace(np.linalg.pinv(model.covariance_) @ between))


def test_it_equals_the_published_formula() -> None:
    features, labels = classes(200, 12)
    total, between = np.cov(features, rowvar=False), np.cov(class_means(features, labels), rowvar=False)

    assert HScore()(folded(features, labels)) == pytest.approx(
        np.trace(np.linalg.pinv(total) @ between), rel=1e-9
    )


def test_perfect_separation_gives_the_number_of_classes_less_one() -> None:
    labels = classes(40, 5)[1]

    assert HScore()(folded(labels.targets(), labels)) == pytest.approx(3.0)


@pytest.mark.parametrize(("count", "width"), [(40, 40), (40, 100), (41, 40)])
def test_too_few_examples_point_to_the_regularised_form(count: int, width: int) -> None:
    with pytest.raises(NotApplicable, match="h_score_regularised"):
        HScore()(folded(*classes(count, width)))


@pytest.mark.parametrize(("count", "width"), SHAPES)
def test_shrinkage_is_that_of_scikit_learn(count: int, width: int) -> None:
    features, labels = classes(count, width)
    train = folded(features, labels)

    values = train.spectrum.values
    shrinkage = ledoit_wolf_shrinkage(train.total, values.sum(), np.square(values).sum())

    assert shrinkage == pytest.approx(LedoitWolf().fit(features).shrinkage_, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize(("count", "width"), SHAPES)
def test_the_regularised_form_equals_the_published_formula(count: int, width: int) -> None:
    features, labels = classes(count, width)

    expected = published_regularised(features, labels)

    assert HScoreRegularised()(folded(features, labels)) == pytest.approx(expected, rel=1e-9)


def test_single_precision_with_a_large_mean_keeps_its_digits() -> None:
    features, labels = classes(300, 20)
    shifted = (features + 20).astype(np.float32)
    expected = published_regularised(shifted.astype(np.float64), labels)

    assert HScoreRegularised()(folded(shifted, labels)) == pytest.approx(expected, rel=1e-9)


def test_scaling_all_features_changes_nothing() -> None:
    features, labels = classes(40, 150)
    scaled, plain = folded(features * 1000, labels), folded(features, labels)

    assert HScoreRegularised()(scaled) == pytest.approx(HScoreRegularised()(plain), rel=1e-9)


@pytest.mark.parametrize("score", [HScore(), HScoreRegularised()])
def test_constant_features_are_skipped_with_the_reason(score: HScore | HScoreRegularised) -> None:
    labels = classes(40, 5)[1]

    with pytest.raises(NotApplicable, match="constant"):
        score(folded(np.full((40, 5), 0.1), labels))
