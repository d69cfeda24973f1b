from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from assay.analysis.across_tasks.similarity import MOST_MODELS, best_models, similarity
from assay.analysis.compare import compare
from assay.analysis.per_task.model_similarity import (
    ModelPairs,
    cka_matrix,
    error_consistency,
    error_pairs,
    feature_pairs,
    linear_cka,
)
from assay.core.task import LabelKind, Labels
from assay.findings.matrix import Matrix


def matrix(values: np.ndarray) -> Matrix:
    models, tasks = values.shape
    return Matrix(tuple(f"m{row}" for row in range(models)), tuple("abcdefg"[:tasks]), values)


@pytest.fixture
def values():
    rng = np.random.default_rng(0)
    skill, other = rng.normal(size=(2, 12, 1))
    noise = rng.normal(size=(12, 5))
    return np.hstack([skill + 0.01 * noise[:, :3], other + 0.01 * noise[:, 3:4], -skill])


def test_tasks_that_order_models_alike_are_one_group(values):
    result = similarity(matrix(values))

    assert [set(group) for group in result.tasks.groups] == [{"a", "b", "c"}]
    assert "rank correlation 0." in result.remarks[0] or "rank correlation 1.00" in result.remarks[0]
    assert "Ranking models unlike other tasks" in result.remarks[-1]
    assert ": e (−" in result.remarks[-1]


def test_the_correlation_is_spearmans_over_models_with_both(values):
    holed = values.copy()
    holed[:4, 0] = np.nan
    result = similarity(matrix(holed)).tasks
    position = {name: row for row, name in enumerate(result.names)}

    expected = stats.spearmanr(values[4:, 0], values[4:, 3]).statistic

    assert result.values[position["a"]][position["d"]] == pytest.approx(expected)


def test_the_order_of_models_and_tasks_changes_nothing(values):
    result, turned = similarity(matrix(values)), similarity(matrix(values).take(tasks="edcba"))

    assert turned.fits == pytest.approx(result.fits)
    assert {frozenset(group) for group in turned.tasks.groups} == {
        frozenset(group) for group in result.tasks.groups
    }


def test_few_models_say_nothing_of_tasks():
    assert similarity(matrix(np.random.default_rng(0).normal(size=(4, 3)))).tasks is None


def test_errors_agree_by_cohens_kappa():
    rng = np.random.default_rng(0)
    truth = Labels(LabelKind.CLASSIFICATION, rng.integers(3, size=300), tuple("abc"))
    decided = {
        name: np.where(rng.uniform(size=300) < share, truth.values, rng.integers(3, size=300))[None]
        for name, share in (("x", 0.5), ("y", 0.8))
    }
    right = [value[0] == truth.values for value in decided.values()]

    result = error_pairs(truth, decided)

    assert result.values[0, 1] == pytest.approx(cohen_kappa_score(*right))
    assert result.values[0, 0] == pytest.approx(1.0)


def test_of_numbers_the_residuals_correlate():
    rng = np.random.default_rng(0)
    truth = Labels(LabelKind.REGRESSION, rng.normal(size=50))
    predicted = rng.normal(size=(2, 3, 50))

    result = error_pairs(truth, {"x": predicted[0], "y": predicted[1]})

    residuals = predicted.mean(axis=1) - truth.values
    assert result.values[0, 1] == pytest.approx(stats.pearsonr(*residuals).statistic)


def test_models_that_are_always_right_have_no_errors_to_compare():
    truth = Labels(LabelKind.CLASSIFICATION, np.zeros(9, dtype=int), ("a", "b"))
    right = np.zeros((1, 9), dtype=int)

    result = similarity(matrix(np.ones((2, 1))), errors=[error_pairs(truth, {"x": right, "y": right})])

    assert result.errors.values == ((None, None), (None, None))
    assert result.errors.groups == ()


@pytest.mark.parametrize("constant", [True, False])
def test_with_a_model_that_is_always_right_or_always_wrong_no_error_can_be_shared(constant):
    right = np.array([[constant] * 9, [True] * 6 + [False] * 3, [True] * 5 + [False] * 4])

    kappa = error_consistency(right)

    assert np.isnan(kappa[0]).all()
    assert np.isnan(kappa[:, 0]).all()
    assert kappa[1, 2] == pytest.approx(cohen_kappa_score(right[1], right[2]))


def test_all_pairs_have_the_cka_of_each_pair():
    rng = np.random.default_rng(0)
    features = [rng.normal(size=(60, width)) * scale for width, scale in ((5, 1), (30, 1e3), (90, 1e-3))]
    features.append(features[0] @ rng.normal(size=(5, 8)))

    result = cka_matrix(features)

    pairs = [[linear_cka(first, second) for second in features] for first in features]
    assert result == pytest.approx(np.array(pairs))


def test_the_same_examples_are_taken_of_every_model():
    features = {"a": np.random.default_rng(0).normal(size=(400, 6))}
    features["b"] = features["a"] @ np.diag([1, 1, 1, 1, 1, -1])
    features["short"] = features["a"][:50]

    result = feature_pairs(["a", "b", "short", "lost"], features.get, seed=0)

    assert result.models == ("a", "b")
    assert result.values[0, 1] == pytest.approx(1.0)


def test_the_mean_is_over_the_tasks_that_two_models_share():
    pairs = [
        ModelPairs(("a", "b"), np.array([[1, 0.9], [0.9, 1]])),
        ModelPairs(("a", "b", "c"), np.array([[1, 0.7, np.nan], [0.7, 1, 0.2], [np.nan, 0.2, 1]])),
    ]
    result = similarity(matrix(np.ones((2, 1))), errors=pairs).errors
    position = {name: row for row, name in enumerate(result.names)}

    assert result.values[position["a"]][position["b"]] == pytest.approx(0.8)
    assert result.values[position["a"]][position["c"]] is None
    assert set(result.groups[0]) == {"a", "b"}


def test_a_comparison_says_which_models_are_alike(study, comparison):
    images = next(part for part in comparison.similarities if part.modality == "image")
    twins = {"packaged:efficientnet_lite0", "timm:tf_efficientnet_lite0.in1k"}

    assert any(twins <= set(group) for group in images.errors.groups)
    assert images.features is None
    features = np.random.default_rng(0).normal(size=(80, 6))
    kept = compare(replace(study, features=lambda row, task: features), ranked_by=None, seed=0)
    assert np.array(kept.similarities[0].features.values) == pytest.approx(1.0)


def test_a_comparison_teaches_of_every_task_of_classes(comparison):
    for task in comparison.tasks:
        assert (task.error_analysis is None) == (not task.task.classes)
        if task.error_analysis is not None:
            assert task.error_analysis.confusion.model == task.recommended
            classes = {
                name: of_class[task.recommended] for name, of_class in task.error_analysis.classes.items()
            }
            assert task.class_accuracy == pytest.approx(classes)


def test_only_the_best_of_many_models_are_compared_and_the_rest_is_counted(values):
    skill = np.arange(MOST_MODELS + 3.0)
    many = matrix(np.column_stack([skill, skill + 0.5]))
    best = best_models(many)
    pairs = ModelPairs(tuple(sorted(best)), np.eye(MOST_MODELS))

    assert best == {f"m{row}" for row in range(3, MOST_MODELS + 3)}
    assert similarity(many, errors=[pairs]).remarks[-1] == (
        "Errors and features of 3 models with lower ranks were not compared."
    )
    assert best_models(matrix(values)) == set(matrix(values).models)


def test_tasks_with_other_models_are_compared_by_those_they_share():
    values = np.random.default_rng(1).normal(size=(9, 4))
    values[0, 1], values[8, 2] = np.nan, np.nan

    found = similarity(matrix(values)).tasks

    for row, first in enumerate(found.names):
        for column, second in enumerate(found.names):
            sides = values[:, ["abcd".index(first), "abcd".index(second)]]
            known = sides[np.isfinite(sides).all(axis=1)]
            assert found.values[row][column] == pytest.approx(stats.spearmanr(*known.T).statistic)
