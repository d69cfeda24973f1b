import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, recall_score

from assay.analysis.per_task.error_analysis import error_analysis
from assay.core.task import LabelKind, Labels
from assay.findings.error_analysis import ConfusedClasses

TRUTH = Labels(LabelKind.CLASSIFICATION, np.array([0, 0, 1, 1, 2, 2]), ("cat", "dog", "owl"))
DECIDED = {
    "a": np.array([[0, 0, 1, 2, 1, 2]]),
    "b": np.array([[0, 1, 1, 2, 1, 0]]),
    "c": np.array([[0, 1, 1, 0, 0, 0]]),
}
NAMES = ("1.jpg", "2.jpg", "3.jpg", "4.jpg", "5.jpg", "6.jpg")


@pytest.fixture
def found():
    return error_analysis(TRUTH, DECIDED, NAMES, "a", 0.5)


def test_examples_that_all_miss_and_that_one_gets_are_counted_and_named(found):
    assert (found.examples, found.right_in_all, found.missed_by_all, found.by_one) == (6, 2, 2, 2)
    assert [(row.example, row.truth, row.predicted) for row in found.hardest] == [
        ("4.jpg", "dog", "owl"),
        ("5.jpg", "owl", "dog"),
    ]
    assert [(row.example, row.right) for row in found.correct_by_one] == [
        ("2.jpg", ("a",)),
        ("6.jpg", ("a",)),
    ]


def test_classes_and_confusion_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    truth = Labels(LabelKind.CLASSIFICATION, rng.integers(4, size=200), tuple("abcd"))
    predicted = np.where(rng.uniform(size=200) < 0.6, truth.values, rng.integers(4, size=200))

    result = error_analysis(truth, {"m": predicted[None]}, (), "m", None)

    assert result.confusion.counts == tuple(
        tuple(map(float, row)) for row in confusion_matrix(truth.values, predicted)
    )
    recalls = recall_score(truth.values, predicted, average=None)
    assert [of_class["m"] for of_class in result.classes.values()] == pytest.approx(recalls.tolist())


def test_the_commonest_mistake_comes_first_and_of_seeds_the_mean_counts():
    seeds = np.stack([DECIDED["a"][0], DECIDED["c"][0]])

    result = error_analysis(TRUTH, {"m": seeds}, NAMES, "m", None)

    assert result.confusion.most[0] == ConfusedClasses("owl", "cat", 1.0)
    assert result.classes["owl"] == {"m": 0.25}


def test_one_model_alone_has_no_hardest_examples():
    result = error_analysis(TRUTH, {"a": DECIDED["a"]}, NAMES, "a", None)

    assert (result.missed_by_all, result.by_one, result.hardest) == (0, 0, ())


def test_a_confusion_of_very_many_classes_is_its_commonest_mistakes_only():
    names = tuple(f"class {position}" for position in range(60))
    truth = Labels(LabelKind.CLASSIFICATION, np.arange(60), names)

    result = error_analysis(truth, {"m": (np.arange(60)[None] + 1) % 60}, (), "m", None).confusion

    assert result.counts is None
    assert len(result.most) == 20


def test_numbers_teach_no_classes():
    assert (
        error_analysis(Labels(LabelKind.REGRESSION, np.arange(3.0)), {"m": np.zeros((1, 3))}, (), "m", None)
        is None
    )
