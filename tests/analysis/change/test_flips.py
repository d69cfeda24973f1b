import numpy as np
import pytest
from scipy import stats

from assay.analysis.change.flips import flips
from assay.core.task import LabelKind, Labels
from assay.findings.change import Flip

TRUTH = Labels(LabelKind.CLASSIFICATION, np.array([0, 0, 0, 1, 1, 2]), ("cat", "dog", "owl"))
NAMES = ("a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg", "f.jpg")


def test_flips_are_counted_and_named():
    result = flips(TRUTH, np.array([[0, 0, 1, 1, 0, 0]]), np.array([[0, 2, 0, 1, 1, 1]]), NAMES)

    assert (result.examples, result.negative, result.positive, result.both_wrong) == (6, 1, 2, 1)
    assert result.regressed == (Flip("b.jpg", "cat", "cat", "owl"),)
    assert [flip.example for flip in result.improved] == ["c.jpg", "e.jpg"]


def test_classes_come_with_the_largest_loss_first():
    result = flips(TRUTH, np.array([[0, 0, 0, 1, 0, 2]]), np.array([[0, 0, 1, 1, 1, 0]]), NAMES)

    assert [(each.name, each.before, each.after) for each in result.classes] == [
        ("owl", 1.0, 0.0),
        ("cat", 1.0, pytest.approx(2 / 3)),
        ("dog", 0.5, 1.0),
    ]


def test_a_class_that_surely_loses_has_mcnemars_p_value_corrected_for_the_classes():
    truth = Labels(LabelKind.CLASSIFICATION, np.repeat([0, 1], 20), ("cat", "dog"))
    before = np.repeat([[0, 1]], 20, axis=1)
    after = before.copy()
    after[0, :9] = 1

    result = flips(truth, before, after, [str(row) for row in range(40)])

    assert result.classes[0].p_value == pytest.approx(2 * stats.binomtest(9, 9).pvalue)
    assert result.classes[1].p_value == 1.0


def test_of_several_seeds_what_most_say_counts():
    right, wrong = TRUTH.values, (TRUTH.values + 1) % 3

    result = flips(TRUTH, np.stack([right, right, wrong]), np.stack([wrong, wrong, right]), NAMES)

    assert (result.negative, result.positive) == (6, 0)
    assert result.classes[0].before == pytest.approx(2 / 3)


def test_words_are_named_by_their_text():
    words = Labels(LabelKind.CLASSIFICATION, np.array([0, 1, 1]), ("O", "B"), lengths=np.array([2, 1]))

    result = flips(words, np.array([[0, 1, 1]]), np.array([[0, 0, 1]]), ("first", "second"))

    assert result.regressed[0].example == "first, word 2"


def test_where_names_are_lost_examples_have_numbers():
    result = flips(TRUTH, TRUTH.values[None], (TRUTH.values[None] + 1) % 3, ())

    assert result.regressed[0].example == "example 1"


def test_numbers_are_neither_right_nor_wrong():
    numbers = Labels(LabelKind.REGRESSION, np.arange(4.0))

    assert flips(numbers, np.zeros((1, 4)), np.ones((1, 4)), ()) is None
