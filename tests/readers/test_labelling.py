from __future__ import annotations

import numpy as np
import pytest

from assay.core.errors import UnreadableTask, UsageError
from assay.core.task import LabelKind, TaskKind
from assay.readers.labelling import Cells, Labelled, label_rows, parse_kind
from assay.readers.several_labels import label_columns, label_sets


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


def cells_of(column: str, cells: list[str | None]) -> Cells:
    names = list(dict.fromkeys(cell for cell in cells if cell is not None))
    codes = np.array([-1 if cell is None else names.index(cell) for cell in cells])
    return Cells(column, names, codes, lambda row: f"row {row + 1}")


def columns(kind: TaskKind | None = None, **given: list[str]) -> Labelled:
    return label_columns([cells_of(name, cells) for name, cells in given.items()], kind)


def test_columns_of_zeros_and_ones_are_classes_in_the_order_of_their_names() -> None:
    found = columns(round=["1", "0", "True"], blue=["0", "no", "1.0"])

    assert (found.labels.kind, found.labels.classes) == (LabelKind.MULTILABEL, ("blue", "round"))
    assert found.labels.values.tolist() == [[0, 1], [0, 0], [1, 1]]
    assert found.notes == (
        "'round' and 'blue' hold 0 and 1: any number of 2 classes may apply to an example (multilabel). "
        "Write kind='regression' if they are numbers to predict.",
    )


def test_columns_of_numbers_are_targets_in_the_order_that_was_written() -> None:
    found = columns(y=["1", "2.5"], x=["-3", "1e3"])

    assert found.labels.kind is LabelKind.REGRESSION
    assert found.labels.values.tolist() == [[1.0, -3.0], [2.5, 1000.0]]
    assert found.notes == ("'y' and 'x' hold numbers: each example has 2 to predict (regression).",)


def test_a_kind_that_is_written_needs_no_note() -> None:
    assert columns(TaskKind.REGRESSION, a=["1", "0"], b=["0", "1"]).notes == ()


def test_rows_without_a_number_are_left_out_and_noted() -> None:
    found = columns(x=["1", "nan", "3", "4", "5"], y=["1.5", "2", "", "4", "5"])

    assert found.kept.tolist() == [0, 3, 4]
    assert found.notes[0] == ("2 of 5 rows have an empty cell in 'x' or 'y' (first: row 2) and are left out.")


def test_a_word_among_the_targets_names_its_row() -> None:
    with pytest.raises(UnreadableTask, match="Column 'y', row 2: 'high' is not a number. Several label"):
        columns(x=["1", "2"], y=["1", "high"])


def test_a_two_among_classes_names_its_row() -> None:
    with pytest.raises(UnreadableTask, match="Column 'b', row 2: 2 is neither 0 nor 1"):
        columns(TaskKind.MULTILABEL, a=["1", "0"], b=["0", "2"])


def test_columns_with_one_1_in_each_row_may_be_one_class() -> None:
    cells = {"dog": ["1", "0", "0"], "cat": ["0", "1", "1"]}

    assert columns(TaskKind.CLASSIFICATION, **cells).labels.classes == ("cat", "dog")
    assert columns(TaskKind.CLASSIFICATION, **cells).labels.values.tolist() == [1, 0, 0]
    assert columns(**cells).notes[0].endswith(", or kind='classification', as every row has one class.")


def test_columns_without_one_1_in_each_row_are_no_classification() -> None:
    with pytest.raises(UsageError, match="not every row has one 1 in 'a' and 'b'. Name one of them"):
        columns(TaskKind.CLASSIFICATION, a=["1", "0"], b=["1", "1"])


def test_a_separator_parts_the_classes_of_a_cell() -> None:
    found = label_sets(cells_of("tags", ["red | round", "round", "red|red|", ""]), "|")

    assert found.labels.classes == ("red", "round")
    assert found.labels.values.tolist() == [[1, 1], [0, 1], [1, 0], [0, 0]]
    assert found.notes == ("1 of 4 rows have an empty 'tags': no class applies to them.",)


@pytest.mark.parametrize(
    "cell",
    [
        '["red", "round"]',
        "['red', 'round']",
        "['red' 'round']",
        "[np.str_('red'), np.str_('round')]",
        "array(['red',\n 'round'], dtype=object)",
        "{'round', 'red'}",
        "('red', 'round')",
    ],
)
def test_a_list_holds_the_classes_of_a_cell(cell: str) -> None:
    found = label_sets(cells_of("tags", [cell, "[]", None, '["red"]']), None, is_guessed=True)

    assert found.labels.values.tolist() == [[1, 1], [0, 0], [1, 0]]
    assert found.kept.tolist() == [0, 1, 3]
    assert found.notes[0] == "1 of 4 rows have an empty cell in 'tags' (first: row 3) and are left out."
    assert found.notes[1].startswith("'tags' holds lists: any number of 2 classes may apply to an example")


def test_a_cell_that_is_no_list_names_its_row() -> None:
    with pytest.raises(UnreadableTask, match=r"Column 'tags', row 2: 'red\|round' is not a list of classes"):
        label_sets(cells_of("tags", ["['red']", "red|round"]), None)


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["[0, 1, 1]", "[1, 0, 0]", "[0 0 0]"], [[0, 1, 1], [1, 0, 0], [0, 0, 0]]),
        (["[0, 1]", "[1, 0]"], [[0, 1], [1, 0]]),  # as names of classes both would be the same
        (["[False, True]", "[True, True]"], [[0, 1], [1, 1]]),
    ],
)
def test_lists_of_zeros_and_ones_mark_the_classes(cells: list[str], values: list[list[int]]) -> None:
    found = label_sets(cells_of("tags", cells), None)

    assert found.labels.values.tolist() == values
    assert found.notes == ("'tags' holds lists of 0 and 1: their positions, from 0, are the classes.",)


def test_a_list_that_repeats_a_class_is_refused() -> None:
    with pytest.raises(UnreadableTask, match="row 1: the list repeats a class"):
        label_sets(cells_of("tags", ["[0, 2, 2]", "[1, 0, 0]"]), None)


@pytest.mark.parametrize(
    "mark", ["NA", "n/a", "-", "?", "None", "null", "inf", "-Infinity", ".", "\\N", "#N/A"]
)
def test_a_mark_of_a_missing_number_is_no_class(mark: str) -> None:
    labelled = label(["1", "0", mark, "0", "1"])

    assert labelled.labels.classes == ("0", "1")
    assert labelled.notes == (
        f"1 of 5 rows have no value in 'label' ('{mark}' 1 times; first: row 3) and are left out.",
    )


def test_a_mark_among_words_is_a_class_and_noted() -> None:
    labelled = label(["neg", "NA", "pos", "NA"])

    assert labelled.labels.classes == ("NA", "neg", "pos")
    assert labelled.notes == (
        "'NA' (2 rows) in 'label' counts as a class, because other labels are words. "
        "Write missing='NA' if it marks a missing label.",
    )


def test_marks_that_the_user_names_are_missing_among_words_and_numbers() -> None:
    words = label_rows(cells_of("label", ["a", "none", "b", "a"]), None, ("none",))
    numbers = label_rows(cells_of("label", ["0.5", "1.5", "unsure", "2.5"]), None, ("unsure",))

    assert (words.labels.classes, words.kept.tolist()) == (("a", "b"), [0, 2, 3])
    assert numbers.labels.values.tolist() == [0.5, 1.5, 2.5]


def test_an_odd_word_among_quantities_names_its_row_and_the_cure() -> None:
    with pytest.raises(UnreadableTask) as caught:
        label(["0.5", "1.5", "n.b.", "2.5", "3.25"])

    assert str(caught.value) == (
        "'label' holds numbers in 4 of 5 rows, and something else in 1: 'n.b.' first (row 3). Write "
        "missing='n.b.' if that marks missing numbers, write the numbers in one way, or "
        "kind='classification' if each is a class."
    )


def test_numbers_as_people_write_them_are_quantities_and_counted() -> None:
    labelled = label(["12,345", "1,000.5", "999", "NA", "0"], TaskKind.REGRESSION)

    assert labelled.labels.values.tolist() == [12345.0, 1000.5, 999.0, 0.0]
    assert labelled.notes[1] == (
        "2 of 5 numbers in 'label' are written like '12,345', which is read as 12345."
    )


def test_decimal_commas_suggest_no_separator_of_classes() -> None:
    notes = label([f"{row},5" for row in range(40)]).notes

    assert "which is read as 0.5" in notes[-1]
    assert not [note for note in notes if "label_separator" in note]


def test_numbers_with_a_unit_are_quantities() -> None:
    labelled = label([f"{row + 0.5} kg" for row in range(40)])

    assert labelled.labels.values[:2].tolist() == [0.5, 1.5]
    assert "'0.5 kg', which is read as 0.5" in labelled.notes[-1]


@pytest.mark.parametrize("mark", ["-999", "9999.0"])
def test_nines_far_from_all_other_numbers_are_noted(mark: str) -> None:
    notes = label([*(f"{row}.5" for row in range(40)), mark, mark]).notes

    assert f"'label' holds '{mark}' in 2 of 42 rows, far from all other numbers (0.5 to 39.5)" in notes[-1]
    assert not [note for note in label([f"{row}.5" for row in range(99)] + ["99"]).notes if "far" in note]


def test_units_in_other_capitals_are_noted_where_they_make_classes() -> None:
    assert "'5 KG' and '5 kg' in 'label' differ only in case" in label(["5 kg", "5 KG", "6 kg"]).notes[-1]


def test_dates_as_labels_are_noted() -> None:
    assert "'label' holds dates: each is a class" in label(["2024-01-05", "2024-01-06"] * 20).notes[-1]


def test_few_formatted_numbers_are_classes_as_written() -> None:
    assert label(["10%", "20%", "10%"]).labels.classes == ("10%", "20%")


@pytest.mark.parametrize("sign", ["|", "||", "#", " "])
def test_cells_that_join_words_suggest_the_separator(sign: str) -> None:
    assert label([f"pos{sign}long", "pos", "long", f"neg{sign}long", "neg"]).notes == (
        f"'pos{sign}long' in 'label' counts as one class. If cells name several classes, write "
        f"label_separator='{sign}'.",
    )


def test_one_class_with_a_sign_inside_suggests_no_separator() -> None:
    assert label(["a,b", "| pipe |", "=1+1|cmd", "rest"]).notes == ()
    assert label(["new york", "new jersey", "york", "old york"]).notes == ()


def test_true_and_false_are_one_class_however_they_are_written() -> None:
    assert label(["True", "FALSE", "true", "false"]).labels.classes == ("False", "True")
    assert label(["TRUE", "FALSE"]).labels.classes == ("FALSE", "TRUE")


@pytest.mark.parametrize(
    ("name", "twin"),
    [("good", "Good"), ("good", "good\u200b"), ("good", "\uff47ood"), ("7", "007"), ("1", "+1")],
)
def test_classes_that_look_alike_are_noted(name: str, twin: str) -> None:
    found = label([name, twin, "bad"])

    assert "differ only in case, spaces, leading zeros or letters that look alike" in found.notes[0]
    assert not label([name, "bad"]).notes


def test_words_and_numbers_for_true_and_false_are_noted() -> None:
    assert "holds both words and numbers for true and false" in label(["True", "1", "False", "0"]).notes[0]


def test_labels_that_name_rows_say_what_to_write() -> None:
    names = [f"id{row}" for row in range(30)]

    with pytest.raises(UnreadableTask, match="30 different values in 30 rows, such as 'id0'.*label='...'"):
        label(names)
    assert len(label(names, TaskKind.CLASSIFICATION).labels.classes) == 30
