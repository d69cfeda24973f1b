"""What arrays of labels mean."""

from __future__ import annotations

import numpy as np
import pytest

from assay.actions.label_arrays import flat_tokens, labels_of, matrix_of
from assay.core.errors import UsageError
from assay.core.task import LabelKind


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([3, 1, 3], LabelKind.CLASSIFICATION),
        (["cat", "dog", "cat"], LabelKind.CLASSIFICATION),
        (["größe", "写真", "größe"], LabelKind.CLASSIFICATION),
        ([True, False, True], LabelKind.CLASSIFICATION),
        ([0.5, 1.25, 2.0], LabelKind.REGRESSION),
        ([[0, 1], [1, 1], [0, 0]], LabelKind.MULTILABEL),
        ([[0.5, 1.0], [1.0, 1.0], [0.0, 0.2]], LabelKind.REGRESSION),
        ([["cat"], ["dog"], ["cat"]], LabelKind.CLASSIFICATION),
        ([[3], [1], [3]], LabelKind.CLASSIFICATION),
        (np.array(["cat", 1, "dog"], dtype=object), LabelKind.CLASSIFICATION),
        (np.arange(100.0), LabelKind.REGRESSION),
    ],
)
def test_the_kind_follows_from_the_values(values, kind):
    assert labels_of(values).kind is kind


def test_classes_keep_their_names_and_need_not_be_consecutive():
    labels = labels_of([7, 2, 7])

    assert (labels.classes, labels.values.tolist()) == (("2", "7"), [1, 0, 1])


@pytest.mark.parametrize("values", [[[0.0, 1.0], [1.0, 0.0]], [[1, 2], [3, 4]], [[2.0, 0.0], [1.0, 3.0]]])
def test_columns_of_whole_numbers_are_asked_about(values):
    with pytest.raises(UsageError, match="classes or numbers"):
        labels_of(values)

    assert labels_of(values, LabelKind.REGRESSION).values.shape == (2, 2)


def test_floats_that_may_be_classes_are_asked_about():
    with pytest.raises(UsageError, match=r"Write kind='classification' or kind='regression'"):
        labels_of([0.0, 1.0, 1.0])

    assert labels_of([0.0, 1.0, 1.0], LabelKind.CLASSIFICATION).classes == ("0.0", "1.0")


@pytest.mark.parametrize(
    ("values", "kind", "message"),
    [
        ([0.5, np.nan], None, "NaN"),
        (["a", "b"], LabelKind.REGRESSION, "these are texts"),
        ([[0, 2], [1, 1]], LabelKind.MULTILABEL, "1 where a class applies"),
        ([[1, 2], [3, 4]], LabelKind.CLASSIFICATION, "one for each example"),
        (["cat", None], None, "Leave None out"),
        ([[1, 2], [3]], None, "not an array"),
        (np.ma.masked_array([1, 2], [True, False]), None, "masked"),
        (np.zeros((2, 2, 2)), None, "shape"),
    ],
)
def test_labels_that_cannot_be_are_refused_with_what_to_write(values, kind, message):
    with pytest.raises(UsageError, match=message):
        labels_of(values, kind)


def test_tokens_are_examples_but_those_that_do_not_count():
    features = np.arange(12.0).reshape(2, 3, 2)

    flat, labels = flat_tokens(features, [[0, -100, 1], [1, 0, -100]])

    assert flat.tolist() == [[0, 1], [4, 5], [6, 7], [8, 9]]
    assert labels.tolist() == [0, 1, 1, 0]


@pytest.mark.parametrize(
    "features", [np.ones(3), np.ones((0, 3)), [["a"]], [[np.nan]], [[1e200]], [[1e-200]], [[1, 2], [3]]]
)
def test_features_that_are_no_matrix_are_refused(features):
    with pytest.raises(UsageError):
        matrix_of(features)
