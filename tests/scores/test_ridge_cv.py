"""Cross-validated ridge regression from moments against scikit-learn on the rows."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import Ridge

import assay
from assay.actions.score import estimate, resolve_score
from assay.core.errors import NotApplicable
from assay.core.task import LabelKind, Labels
from assay.moments.ridge import PENALTIES, choose_penalty
from assay.moments.stream import moments_of
from assay.plugins.array_view import ArrayView
from assay.plugins.method import EVERY_KIND
from assay.scores.ridge_cv import explained

SHAPES = [(120, 10), (60, 50), (50, 60), (40, 200)]


def draw(kind: LabelKind, count: int, width: int, strength: float = 1.0, seed: int = 0) -> ArrayView:
    rng = np.random.default_rng(seed)
    if kind is LabelKind.REGRESSION:
        labels = Labels(kind, rng.standard_normal(count) * 3 + 50)
        signal = np.outer(labels.values - 50, rng.standard_normal(width))
    elif kind is LabelKind.MULTILABEL:
        labels = Labels(kind, rng.integers(0, 2, (count, 3)), ("a", "b", "c"))
        signal = labels.targets() @ rng.standard_normal((3, width))
    else:
        labels = Labels(kind, rng.permutation(np.arange(count) % 3), ("a", "b", "c"))
        signal = labels.targets() @ rng.standard_normal((3, width))
    return ArrayView(labels, rng.standard_normal((count, width)) * 3 + 5 + strength * signal)


def predictions(view: ArrayView) -> np.ndarray:
    predicted = np.empty_like(view.labels.targets())
    for number, rule in enumerate(view.moments().left_out):
        predicted[view.folds == number] = rule.predict(view.matrix[view.folds == number])
    return predicted


@pytest.mark.parametrize("kind", sorted(EVERY_KIND))
@pytest.mark.parametrize(("count", "width"), SHAPES)
def test_each_fold_is_predicted_as_ridge_on_the_other_rows_does(
    kind: LabelKind, count: int, width: int
) -> None:
    view = draw(kind, count, width)
    targets = view.labels.targets()
    expected = np.empty_like(targets)
    for fold in range(5):
        inside, outside = view.folds != fold, view.folds == fold
        penalty = view.moments().left_out[fold].penalty
        model = Ridge(alpha=penalty, solver="svd").fit(view.matrix[inside], targets[inside])
        expected[outside] = model.predict(view.matrix[outside]).reshape(-1, targets.shape[1])

    value = predictions(view)

    np.testing.assert_allclose(value, expected, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("kind", sorted(EVERY_KIND))
@pytest.mark.parametrize(("count", "width"), SHAPES)
def test_the_explained_share_is_that_of_all_rows(kind: LabelKind, count: int, width: int) -> None:
    view = draw(kind, count, width)
    targets, folds = view.labels.targets(), view.folds
    means = np.stack([targets[folds != fold].mean(axis=0) for fold in range(5)])
    error = np.square(targets - predictions(view)).sum()

    expected = 1 - error / np.square(targets - means[folds]).sum()

    assert explained(view.moments()) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize(("count", "width"), SHAPES)
def test_the_penalty_is_that_of_least_generalised_cross_validation(count: int, width: int) -> None:
    view = draw(LabelKind.REGRESSION, count, width)
    x, y = view.matrix - view.matrix.mean(axis=0), view.labels.values - view.labels.values.mean()
    unit = np.square(x).sum() / min(count, width)

    def error(penalty: float) -> float:
        hat = x @ np.linalg.solve(x.T @ x + penalty * np.eye(width), x.T) + 1 / count
        free = count - np.trace(hat)
        if free < 0.1 * (count - 1):
            return np.inf
        return float(np.square(y - (hat - 1 / count) @ y).sum() / free**2)

    best = min((factor * unit for factor in PENALTIES), key=error)

    assert choose_penalty(view.moments().total, view.moments().spectrum) == pytest.approx(best, rel=1e-9)


@pytest.mark.parametrize(("count", "width"), SHAPES)
def test_of_the_labels_of_a_fold_its_rule_has_the_penalty_alone(count: int, width: int) -> None:
    view = draw(LabelKind.REGRESSION, count, width)
    inside = view.folds == 2
    changed = Labels(LabelKind.REGRESSION, np.where(inside, view.labels.values + 0.01, view.labels.values))
    second = ArrayView(
        changed, view.matrix, gathered=(moments_of(view.matrix, changed, view.folds), view.folds)
    )

    before, after = (one.moments().left_out[2] for one in (view, second))

    assert after.penalty == before.penalty
    np.testing.assert_allclose(after.solution, before.solution, rtol=1e-6)


@pytest.mark.parametrize(("count", "width"), SHAPES)
def test_rules_of_pairs_and_of_all_folds_are_ridge_on_their_rows(count: int, width: int) -> None:
    view = draw(LabelKind.CLASSIFICATION, count, width)
    rules, targets = view.moments().rules, view.labels.targets()
    assert rules.pairs == ((0, 1), (2, 3))

    for folds, rule in [*zip(rules.pairs, rules.on_pairs, strict=True), (range(5), view.moments().on_all)]:
        rows = np.isin(view.folds, folds)
        model = Ridge(alpha=rule.penalty, solver="svd").fit(view.matrix[rows], targets[rows])
        np.testing.assert_allclose(
            rule.predict(view.matrix), model.predict(view.matrix), rtol=1e-6, atol=1e-8
        )


@pytest.mark.parametrize("name", ["ridge_cv", "lda_cv"])
@pytest.mark.parametrize("count", [300, 320, 340, 400])
def test_about_as_many_examples_as_features_are_no_reason_to_fail(name: str, count: int) -> None:
    view = draw(LabelKind.CLASSIFICATION, count, 256, strength=0.6)

    assert estimate(view, resolve_score(name)) > 0.9


@pytest.mark.parametrize("name", ["ridge_cv", "lda_cv"])
@pytest.mark.parametrize(("count", "width"), SHAPES)
def test_noise_of_any_width_is_guessing(name: str, count: int, width: int) -> None:
    views = [draw(LabelKind.CLASSIFICATION, count, width, strength=0.0, seed=seed) for seed in range(20)]

    values = [float(estimate(view, resolve_score(name))) for view in views]

    assert np.mean(values) < 1 / 3 + 0.05


def test_numbers_of_noise_are_not_explained() -> None:
    values = [
        float(estimate(draw(LabelKind.REGRESSION, 60, 50, 0.0, s), resolve_score("ridge_cv")))
        for s in range(8)
    ]

    assert -0.5 < np.mean(values) < 0.1


def test_the_interval_holds_the_value_and_narrows_with_examples() -> None:
    few, many = (
        estimate(draw(LabelKind.CLASSIFICATION, count, 10, 0.2), resolve_score("ridge_cv"))
        for count in (60, 3000)
    )

    assert few.interval.low < few < few.interval.high
    assert many.interval.high - many.interval.low < (few.interval.high - few.interval.low) / 2.5


def test_the_metric_may_be_another() -> None:
    view = draw(LabelKind.CLASSIFICATION, 120, 10)

    assert estimate(view, resolve_score("ridge_cv"), "macro_f1").metric == "macro_f1"


def test_what_is_linear_is_explained() -> None:
    features = draw(LabelKind.REGRESSION, 120, 10).matrix

    assert assay.score(features, features @ np.arange(10.0), "ridge_cv") == pytest.approx(1.0, abs=1e-6)


def test_one_fold_is_skipped_with_the_reason() -> None:
    with pytest.raises(NotApplicable, match="two folds"):
        assay.score(np.ones((1, 3)), np.array([0]), "ridge_cv")
