from __future__ import annotations

import pytest

from assay.core.errors import UnknownName, UnreadableTask, UsageError
from assay.core.task import TaskKind
from assay.readers.guess import choose_columns, guess_kind
from assay.readers.named_columns import NamedColumns

TEXTS = ["a fine film indeed", "a dull film", "it was fine", "so dull"]


def test_text_label_and_split_are_known_by_name() -> None:
    head = {"split": ["train", "dev"] * 2, "Label": ["0", "1"] * 2, "source": ["x"] * 4, "Text": TEXTS}

    columns = choose_columns("a.csv", head, NamedColumns())

    assert (columns.split, columns.labels, columns.texts, columns.notes) == (
        "split",
        ("Label",),
        ("Text",),
        (),
    )


def test_sentence_pairs_are_known_by_name() -> None:
    head = {"score": ["1", "2"], "sentence1": TEXTS[:2], "sentence2": TEXTS[2:]}

    assert choose_columns("a.csv", head, NamedColumns()).texts == ("sentence1", "sentence2")


@pytest.mark.parametrize(
    ("one", "two"), [("premise", "hypothesis"), ("question1", "question2"), ("question", "sentence")]
)
def test_other_pairs_are_known_by_name(one: str, two: str) -> None:
    columns = choose_columns("a.csv", {"label": ["1", "2"], two: TEXTS[:2], one: TEXTS[2:]}, NamedColumns())

    assert columns.texts == (one, two)


def test_image_paths_are_known_by_their_suffixes() -> None:
    head = {"file": ["a.jpg", "b/c.PNG"], "label": ["x", "y"]}

    assert choose_columns("a.csv", head, NamedColumns()).image == "file"


def test_a_file_column_without_image_suffixes_is_no_image() -> None:
    head = {"file": ["a.txt", "b.txt"], "label": ["x", "y"], "text": TEXTS[:2]}

    columns = choose_columns("a.csv", head, NamedColumns())

    assert (columns.image, columns.texts) == (None, ("text",))


def test_folds_by_number_are_no_split() -> None:
    head = {"fold": ["1", "2"], "label": ["x", "y"], "text": TEXTS[:2]}

    assert choose_columns("a.csv", head, NamedColumns()).split is None


def test_a_second_candidate_is_said_in_the_notes() -> None:
    head = {"text": TEXTS, "title": TEXTS, "label": ["1", "2"] * 2, "stars": ["1", "2"] * 2}

    assert choose_columns("a.csv", head, NamedColumns()).notes == (
        "'label' is taken as the label; stars could be it too: write label='...'.",
        "'text' is taken as the text; title could be it too: write text='...'.",
    )


def test_unnamed_columns_are_known_by_their_contents() -> None:
    columns = choose_columns("a.csv", {"was": TEXTS, "ist": ["ja", "nein"] * 2}, NamedColumns())

    assert (columns.labels, columns.texts) == (("ist",), ("was",))
    assert columns.notes == (
        "'ist' is taken as the label, because its values repeat: write label='...' if not.",
        "'was' is taken as the text, because it has the most words.",
    )


def test_decimal_commas_may_be_the_label_but_running_numbers_may_not() -> None:
    head = {
        "Nr": ["0", "1", "2", "3"],
        "Größe": ["44", "45"] * 2,
        "Bewertung": ["2,75", "5,01", "4,42", ""],
        "Kundentext": TEXTS,
    }

    assert choose_columns("a.csv", head, NamedColumns()).notes[0] == (
        "'Größe' is taken as the label, because its values repeat; Bewertung could be it "
        "too: write label='...'."
    )


def test_the_only_column_of_numbers_beside_a_text_is_the_label() -> None:
    columns = choose_columns(
        "a.csv", {"text": TEXTS, "weight": ["1.5 kg", "2 kg", "3 kg", "4 kg"]}, NamedColumns()
    )

    assert columns.labels == ("weight",)
    assert columns.notes == ("'weight' is taken as the label: it is the only column of numbers.",)


def test_what_the_user_wrote_wins() -> None:
    head = {"text": TEXTS, "title": TEXTS, "label": ["1", "2"] * 2, "stars": ["1", "2"] * 2}

    columns = choose_columns("a.csv", head, NamedColumns(text="title", text2="text", label="stars"))

    assert (columns.texts, columns.labels, columns.notes) == (("title", "text"), ("stars",), ())


def test_a_wrong_column_names_those_there_are() -> None:
    with pytest.raises(UnknownName) as caught:
        choose_columns("a.csv", {"review": TEXTS, "label": TEXTS}, NamedColumns(text="reviews"))

    assert str(caught.value) == (
        "No column in a.csv (which has review, label) called 'reviews'. Did you mean: review?"
    )


def test_a_table_without_a_label_says_what_to_write() -> None:
    with pytest.raises(UnreadableTask) as caught:
        choose_columns("a.csv", {"text": TEXTS, "id": ["1", "2", "3", "4"]}, NamedColumns())

    assert str(caught.value) == (
        "Cannot tell which column of a.csv is the label: it has text, id. "
        "Write for example (text='...', label='id') after its name."
    )


def test_a_table_without_texts_says_what_to_write() -> None:
    with pytest.raises(
        UnreadableTask,
        match=r"No column of a\.csv holds texts, .*: id holds numbers\. .* write assay score features\.npz",
    ):
        choose_columns("a.csv", {"id": ["1", "2"], "label": ["x", "y"]}, NamedColumns())


@pytest.mark.parametrize("chosen", [NamedColumns(), NamedColumns(label="c")])
def test_a_table_of_numbers_is_refused_at_once_whatever_its_split_column_says(chosen) -> None:
    numbers = {name: ["0.5", "1.25", "2", "3"] for name in "abc"}
    table = {**numbers, "split": ["train", "train", "val", "test"]}

    with pytest.raises(UnreadableTask, match=r"No column of a\.csv holds texts, .*: a, b and c hold numbers"):
        choose_columns("a.csv", table, chosen)


def test_a_column_has_one_use() -> None:
    with pytest.raises(UsageError, match="The column 'a' is named twice"):
        choose_columns("a.csv", {"a": TEXTS, "label": TEXTS}, NamedColumns(text="a", label="a"))


def test_a_first_line_that_seems_a_row_is_named() -> None:
    with pytest.raises(
        UnreadableTask, match=r"The first line of a\.csv seems to be a row: it has 0, so dull"
    ):
        choose_columns("a.csv", {"0": ["1", "0"] * 2, "so dull": TEXTS}, NamedColumns())


def test_a_second_text_needs_a_first() -> None:
    with pytest.raises(UsageError, match=r"needs text='\.\.\.' as well"):
        choose_columns("a.csv", {"a": TEXTS, "label": TEXTS}, NamedColumns(text2="a"))


def test_texts_and_images_exclude_each_other() -> None:
    with pytest.raises(UsageError, match="not two of them"):
        choose_columns("a.csv", {"a": TEXTS, "b": TEXTS}, NamedColumns(text="a", image="b"))


@pytest.mark.parametrize(
    ("names", "rows", "kind"),
    [
        (["1", "2", "3", "4", "5"], 1000, TaskKind.CLASSIFICATION),
        (["0", "1"], 10, TaskKind.CLASSIFICATION),
        (["1", "1.0", "a"], 3, TaskKind.CLASSIFICATION),
        (["0.5", "1.0"], 100, TaskKind.CLASSIFICATION),
        (["0", "0.2", "3.75"], 100, TaskKind.REGRESSION),
        ([str(number) for number in range(40)], 200, TaskKind.REGRESSION),
        ([str(number) for number in range(40)], 4000, TaskKind.CLASSIFICATION),
    ],
)
def test_the_kind_is_guessed_from_the_labels(names: list[str], rows: int, kind: TaskKind) -> None:
    assert guess_kind("label", names, rows)[0] is kind


def test_a_guess_of_regression_says_how_to_refuse_it() -> None:
    assert guess_kind("score", ["0", "0.2", "3.75"], 9)[1] == (
        "'score' holds 3 different numbers: the task is regression. "
        "Write kind='classification' if they are names of classes."
    )


def test_many_whole_numbers_that_repeat_are_doubtful() -> None:
    assert "Write kind='regression'" in guess_kind("age", [str(age) for age in range(40)], 4000)[1]
