"""Cross-validated ridge regression from moments against scikit-learn on the rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from assay.core.errors import NotApplicable
from assay.core.moments import FoldedMoments, stratified_folds
from assay.core.task import Kind, Labels
from assay.scores.ridge_cv import PENALTIES, RidgeCV

SHAPES = [(120, 10), (60, 50), (50, 60), (40, 200)]


def dense(features: np.ndarray, targets: np.ndarray, folds: np.ndarray) -> float:
    errors, baseline = np.zeros(len(PENALTIES)), 0.0
    for fold in np.unique(folds):
        x, y = features[folds != fold], targets[folds != fold]
        out, truth = features[folds == fold], targets[folds == fold]
        unit = np.square(x - x.mean(axis=0)).sum() / min(x.shape)
        models = [Ridge(alpha=penalty * unit, solver="svd").fit(x, y) for penalty in PENALTIES]
        errors += [np.square(model.predict(out).reshape(truth.shape) - truth).sum() for model in models]
        baseline += np.square(truth - y.mean(axis=0)).sum()
    return float(1 - errors.min() / baseline)


def draw(
    kind: Kind, count: int, width: int, strength: float = 1.0, seed: int = 0
) -> tuple[np.ndarray, Labels, np.ndarray]:
    rng = np.random.default_rng(seed)
    if kind is Kind.REGRESSION:
        labels = Labels(kind, rng.standard_normal(count) * 3 + 50)
        signal = np.outer(labels.values - 50, rng.standard_normal(width))
    else:
        labels = Labels(kind, rng.permutation(np.arange(count) % 3), ("a", "b", "c"))
        signal = labels.targets() @ rng.standard_normal((3, width))
    features = rng.standard_normal((count, width)) * 3 + 5 + strength * signal
    return features, labels, stratified_folds(labels, 5, seed=0)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize(("count", "width"), SHAPES)
def test_it_equals_ridge_on_the_rows(kind: Kind, count: int, width: int) -> None:
    features, labels, folds = draw(kind, count, width)

    value = RidgeCV()(FoldedMoments.of(features, labels, folds))

    assert value == pytest.approx(dense(features, labels.targets(), folds), rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize(("count", "width"), SHAPES)
def test_noise_is_near_zero_for_every_shape(kind: Kind, count: int, width: int) -> None:
    draws = [draw(kind, count, width, strength=0.0, seed=seed) for seed in range(8)]
    values = [RidgeCV()(FoldedMoments.of(features, labels, folds)) for features, labels, folds in draws]

    assert -0.01 < np.mean(values) < 0.05


def test_what_is_linear_is_explained() -> None:
    features, _, folds = draw(Kind.REGRESSION, 120, 10)
    linear = Labels(Kind.REGRESSION, features @ np.arange(10.0))

    assert RidgeCV()(FoldedMoments.of(features, linear, folds)) == pytest.approx(1.0, abs=1e-6)


def test_one_fold_is_skipped_with_the_reason() -> None:
    features, labels, _ = draw(Kind.REGRESSION, 20, 3)

    with pytest.raises(NotApplicable, match="two folds"):
        RidgeCV()(FoldedMoments.of(features, labels, np.zeros(20, dtype=int)))
