from __future__ import annotations

import numpy as np
import pytest

from assay.core.errors import UnreadableTask, UsageError
from assay.core.task import TaskKind
from assay.readers.labelling import Cells, Labelled, label_rows, parse_kind


def label(cells: list[str], kind: TaskKind | None = None) -> Labelled:
    names = list(dict.fromkeys(cells))
    codes = np.array([names.index(cell) for cell in cells])
    return label_rows(Cells("label", names, codes, lambda row: f"row {row + 1}"), kind)


def test_classes_are_sorted() -> None:
    labels = label(["pear", "apple", "pear"]).labels

    assert labels.classes == ("apple", "pear")
    assert labels.values.tolist() == [1, 0, 1]


def test_labels_in_any_script_are_kept() -> None:
    assert label(["猫", "собака", "höher"]).labels.classes == ("höher", "собака", "猫")


def test_whole_numbers_are_one_class_however_they_are_written() -> None:
    assert label(["1", "1.0", "0", "0.00"]).labels.classes == ("0", "1")


def test_numbers_among_words_are_kept_as_written_and_noted() -> None:
    labelled = label(["1", "1.0", "a"])

    assert labelled.labels.classes == ("1", "1.0", "a")
    assert labelled.notes == (
        "The labels '1' and '1.0' in 'label' count as two classes, because other labels are words.",
    )


def test_rows_without_a_label_are_left_out_and_noted() -> None:
    labelled = label(["a", "", "b", "a"])

    assert labelled.kept.tolist() == [0, 2, 3]
    assert labelled.notes == ("1 of 4 rows have an empty cell in 'label' (first: row 2) and are left out.",)


def test_nan_among_numbers_is_no_label() -> None:
    assert label(["0.5", "nan", "1.5", "2.5"]).labels.values.tolist() == [0.5, 1.5, 2.5]


def test_nan_among_words_is_a_word() -> None:
    assert label(["nan", "naan"]).labels.classes == ("naan", "nan")


def test_more_than_half_without_a_label_stops() -> None:
    with pytest.raises(UnreadableTask) as caught:
        label(["a", "", "", "", "b"])

    assert str(caught.value) == (
        "3 of 5 rows have an empty cell in 'label' (first: row 2): more than half. "
        "Name another column, as in label='...'."
    )


def test_a_word_among_numbers_stops_regression() -> None:
    with pytest.raises(UnreadableTask, match="Column 'label', row 2: the label 'high' is not a number"):
        label(["0.5", "high"], TaskKind.REGRESSION)


def test_an_unknown_kind_lists_the_known_ones() -> None:
    with pytest.raises(UsageError, match="Write one of kind='classification', kind='multilabel'"):
        parse_kind("ranking")
