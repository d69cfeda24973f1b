from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from assay.analysis.across_tasks.similarity import similarity
from assay.analysis.compare import compare
from assay.analysis.per_task.model_similarity import (
    ModelPairs,
    cka_matrix,
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
    found = similarity(matrix(values))

    assert [set(group) for group in found.tasks.groups] == [{"a", "b", "c"}]
    assert "rank correlation 0." in found.remarks[0] or "rank correlation 1.00" in found.remarks[0]
    assert found.remarks[-1].startswith("e ")
    assert found.remarks[-1].endswith("against all other tasks.")


def test_the_correlation_is_spearmans_over_models_with_both(values):
    holed = values.copy()
    holed[:4, 0] = np.nan
    found = similarity(matrix(holed)).tasks
    place = {name: row for row, name in enumerate(found.names)}

    expected = stats.spearmanr(values[4:, 0], values[4:, 3]).statistic

    assert found.values[place["a"]][place["d"]] == pytest.approx(expected)


def test_the_order_of_models_and_tasks_changes_nothing(values):
    found, turned = similarity(matrix(values)), similarity(matrix(values).take(tasks="edcba"))

    assert turned.fits == pytest.approx(found.fits)
    assert {frozenset(group) for group in turned.tasks.groups} == {
        frozenset(group) for group in found.tasks.groups
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
    right = [one[0] == truth.values for one in decided.values()]

    found = error_pairs(truth, decided)

    assert found.values[0, 1] == pytest.approx(cohen_kappa_score(*right))
    assert found.values[0, 0] == pytest.approx(1.0)


def test_of_numbers_the_residuals_correlate():
    rng = np.random.default_rng(0)
    truth = Labels(LabelKind.REGRESSION, rng.normal(size=50))
    said = rng.normal(size=(2, 3, 50))

    found = error_pairs(truth, {"x": said[0], "y": said[1]})

    residuals = said.mean(axis=1) - truth.values
    assert found.values[0, 1] == pytest.approx(stats.pearsonr(*residuals).statistic)


def test_models_that_are_always_right_have_no_errors_to_compare():
    truth = Labels(LabelKind.CLASSIFICATION, np.zeros(9, dtype=int), ("a", "b"))
    right = np.zeros((1, 9), dtype=int)

    found = similarity(matrix(np.ones((2, 1))), errors=[error_pairs(truth, {"x": right, "y": right})])

    assert found.errors.values == ((None, None), (None, None))
    assert found.errors.groups == ()


def test_all_pairs_have_the_cka_of_each_pair():
    rng = np.random.default_rng(0)
    features = [rng.normal(size=(60, width)) * scale for width, scale in ((5, 1), (30, 1e3), (90, 1e-3))]
    features.append(features[0] @ rng.normal(size=(5, 8)))

    found = cka_matrix(features)

    pairs = [[linear_cka(first, second) for second in features] for first in features]
    assert found == pytest.approx(np.array(pairs))


def test_the_same_examples_are_taken_of_every_model():
    features = {"a": np.random.default_rng(0).normal(size=(400, 6))}
    features["b"] = features["a"] @ np.diag([1, 1, 1, 1, 1, -1])
    features["short"] = features["a"][:50]

    found = feature_pairs(["a", "b", "short", "lost"], features.get, seed=0)

    assert found.models == ("a", "b")
    assert found.values[0, 1] == pytest.approx(1.0)


def test_the_mean_is_over_the_tasks_that_two_models_share():
    pairs = [
        ModelPairs(("a", "b"), np.array([[1, 0.9], [0.9, 1]])),
        ModelPairs(("a", "b", "c"), np.array([[1, 0.7, np.nan], [0.7, 1, 0.2], [np.nan, 0.2, 1]])),
    ]
    found = similarity(matrix(np.ones((2, 1))), errors=pairs).errors
    place = {name: row for row, name in enumerate(found.names)}

    assert found.values[place["a"]][place["b"]] == pytest.approx(0.8)
    assert found.values[place["a"]][place["c"]] is None
    assert set(found.groups[0]) == {"a", "b"}


def test_a_comparison_says_which_models_are_alike(study, comparison):
    images = next(one for one in comparison.likeness if one.modality == "image")
    twins = {"packaged:efficientnet_lite0", "timm:tf_efficientnet_lite0.in1k"}

    assert any(twins <= set(group) for group in images.errors.groups)
    assert images.features is None
    features = np.random.default_rng(0).normal(size=(80, 6))
    kept = compare(replace(study, features=lambda row, task: features), ranked_by=None, seed=0)
    assert np.array(kept.likeness[0].features.values) == pytest.approx(1.0)


def test_a_comparison_teaches_of_every_task_of_classes(comparison):
    for one in comparison.tasks:
        assert (one.lesson is None) == (not one.task.classes)
        if one.lesson is not None:
            assert one.lesson.confusion.model == one.recommended
            classes = {name: of_class[one.recommended] for name, of_class in one.lesson.classes.items()}
            assert one.class_accuracy == pytest.approx(classes)
