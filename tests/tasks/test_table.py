from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from assay.core.errors import UnknownName, UnreadableTask, UsageError
from assay.core.task import Modality, TaskKind
from assay.testing.tasks import load_task

Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write 30 numbered reviews and give the address; lines may be changed by their number."""

    def written(
        name: str = "reviews.csv", header: str = "review,stars", lines: dict[int, str] | None = None
    ) -> str:
        rows = [f"film number {number} was seen,{number % 3}" for number in range(1, 31)]
        for number, line in (lines or {}).items():
            rows[number - 1] = line
        (tmp_path / name).write_text("\n".join([header, *rows]) + "\n", encoding="utf-8")
        return f"table:{tmp_path / name}"

    return written


def load_error(address: str) -> str:
    with pytest.raises(UnreadableTask) as caught:
        load_task(address)
    return str(caught.value)


def test_a_csv_file_needs_no_settings(write: Write) -> None:
    task = load_task(write())

    assert [len(task.train), len(task.val), len(task.test)] == [18, 6, 6]
    assert (task.kind, task.modality, task.classes) == (
        TaskKind.CLASSIFICATION,
        Modality.TEXT,
        ("0", "1", "2"),
    )
    assert task.notes == ()


def test_columns_may_be_named(write: Write) -> None:
    task = load_task(f"{write(header='a,b')}(text='a', label='b')")

    assert str(task.test.examples.read(0)).startswith("film number")


def test_the_order_of_rows_does_not_matter(write: Write, tmp_path: Path) -> None:
    address = write()
    header, *rows = (tmp_path / "reviews.csv").read_text().splitlines()
    (tmp_path / "turned.csv").write_text("\n".join([header, *reversed(rows)]))

    turned = load_task(f"table:{tmp_path / 'turned.csv'}")

    assert turned.fingerprint == load_task(address).fingerprint
    assert turned.test.examples.read(0) == load_task(address).test.examples.read(0)


def test_a_changed_label_is_another_task(write: Write) -> None:
    before = load_task(write()).fingerprint

    assert load_task(write(lines={7: "film number 7 was seen,2"})).fingerprint != before


def test_a_changed_text_is_another_task(write: Write) -> None:
    before = load_task(write()).fingerprint

    assert load_task(write(lines={7: "film number 7 was liked,1"})).fingerprint != before


def test_json_lines_and_parquet_are_the_same_task(write: Write, tmp_path: Path) -> None:
    expected = load_task(write()).fingerprint
    rows = [{"review": f"film number {n} was seen", "stars": n % 3} for n in range(1, 31)]
    (tmp_path / "a.ndjson").write_text("\n".join(json.dumps(row) for row in rows))
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "a.parquet")

    assert load_task(f"table:{tmp_path / 'a.ndjson'}").fingerprint == expected
    assert load_task(f"table:{tmp_path / 'a.parquet'}").fingerprint == expected


def test_numbers_are_regression_on_pairs(write: Write, tmp_path: Path) -> None:
    rows = [f"one {number},other {number},{number / 4}" for number in range(30)]
    (tmp_path / "pairs.csv").write_text("\n".join(["sentence1,sentence2,score", *rows]))

    task = load_task(f"table:{tmp_path / 'pairs.csv'}")

    assert (task.kind, task.metric, task.classes) == (TaskKind.REGRESSION, "spearman", ())
    assert task.train.examples.read(0)[0].startswith("one")


def test_the_kind_may_be_named(write: Write) -> None:
    task = load_task(f"{write()}(kind='regression')")

    assert sorted(set(task.train.labels.values)) == [0.0, 1.0, 2.0]


def test_a_split_column_is_kept(tmp_path: Path) -> None:
    rows = [f"text {number},{number % 2},{part}" for part in ("train", "dev", "test") for number in range(8)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label,split", *rows]))

    task = load_task(f"table:{tmp_path / 'a.csv'}")

    assert [len(task.train), len(task.val), len(task.test)] == [8, 8, 8]
    assert task.notes == (
        "8 test examples are also in train (first: row 17).",
        "8 test examples are also in val (first: row 17).",
        "8 val examples are also in train (first: row 9).",
    )


def test_an_unknown_split_names_its_row(tmp_path: Path) -> None:
    rows = [f"text {number},{number % 2},{'extra' if number == 3 else 'train'}" for number in range(8)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label,part", *rows]))

    assert load_error(f"table:{tmp_path / 'a.csv'}(split='part')").startswith(
        "a.csv, row 4: 'extra' in 'part' is not a split. Write one of train, training, val"
    )


def test_a_folder_of_tables_is_one_task(tmp_path: Path) -> None:
    for part, count in (("train", 20), ("test", 6)):
        rows = [f"{part} text {number},{number % 2}" for number in range(count)]
        (tmp_path / f"{part}.csv").write_text("\n".join(["text,label", *rows]))

    task = load_task(f"table:{tmp_path}")

    assert [len(task.train), len(task.val), len(task.test)] == [16, 4, 6]
    assert task.test.examples.name(0).startswith("test.csv row ")


def test_a_folder_without_tables_says_what_to_write(tmp_path: Path) -> None:
    assert "has no tables called train, val or test. Name a file" in load_error(f"table:{tmp_path}")


def test_image_paths_are_relative_to_the_table(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    (tmp_path / "pictures").mkdir()
    for number in range(10):
        pixels = rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "pictures" / f"{number}.png")
    rows = [f"pictures/{number}.png,{number % 2}" for number in range(11)]
    (tmp_path / "a.csv").write_text("\n".join(["path,label", *rows]))

    task = load_task(f"table:{tmp_path / 'a.csv'}")

    assert task.modality is Modality.IMAGE
    assert task.train.examples.read(0).shape == (6, 5, 3)  # type: ignore[union-attr]
    assert task.notes == ("1 of 11 images cannot be read and is left out: pictures/10.png (no such file).",)
    assert sum(len(s) for s in (task.train, task.val, task.test)) == 10


def test_images_beside_a_table_come_before_those_of_the_same_names_above(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    for row in range(10):
        Image.new("RGB", (4, 4), (row, 0, 0)).save(tmp_path / f"{row}.png")
        Image.new("RGB", (5, 5), (row, 0, 0)).save(tmp_path / "here" / f"{row}.png")
    rows = [f"{row}.png,{'ab'[row % 2]}" for row in range(10)]
    (tmp_path / "here" / "list.csv").write_text("\n".join(["image,label", *rows]))

    task = load_task(f"table:{tmp_path / 'here' / 'list.csv'}")

    assert task.train.examples.read(0).shape == (5, 5, 3)


def test_images_can_be_limited(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for number in range(20):
        Image.fromarray(rng.integers(0, 256, (6, 5, 3), dtype=np.uint8)).save(tmp_path / f"{number}.png")
    (tmp_path / "a.csv").write_text("\n".join(["file,label", *(f"{n}.png,{n % 2}" for n in range(20))]))

    task = load_task(f"table:{tmp_path / 'a.csv'}(limit=10)")

    assert len(task.train) + len(task.val) + len(task.test) == 10


def test_a_limit_keeps_the_shares_of_classes(write: Write) -> None:
    task = load_task(f"{write()}(limit=15)")

    assert [len(task.train), len(task.val), len(task.test)] == [9, 3, 3]


def test_a_semicolon_parts_cells_too(write: Write, tmp_path: Path) -> None:
    expected = load_task(write()).fingerprint
    text = (tmp_path / "reviews.csv").read_text()
    (tmp_path / "excel.csv").write_text(text.replace(",", ";"), encoding="utf-8-sig")

    assert load_task(f"table:{tmp_path / 'excel.csv'}").fingerprint == expected


def test_empty_cells_are_left_out_and_counted(write: Write) -> None:
    task = load_task(write(lines={2: "film,", 5: ",1", 6: " ,2"}))

    assert task.notes == (
        "1 of 30 rows have an empty cell in 'stars' (first: row 2) and are left out.",
        "2 of 29 rows have an empty cell in 'review' (first: row 5) and are left out.",
    )
    assert len(task.train) + len(task.val) + len(task.test) == 27


def test_mostly_empty_labels_stop(write: Write) -> None:
    message = load_error(f"{write(lines=dict.fromkeys(range(1, 20), 'film,'))}(label='stars')")

    assert message.startswith("19 of 30 rows have an empty cell in 'stars' (first: row 1): more than half.")


def test_mostly_empty_texts_stop(write: Write) -> None:
    message = load_error(write(lines={number: f",{number % 3}" for number in range(1, 20)}))

    assert message.startswith("19 of 30 rows have an empty cell in 'review' (first: row 1): more than half.")


def test_mixed_labels_are_classes_as_written(write: Write) -> None:
    task = load_task(write(lines={1: "x,1.0", 2: "y,a"}))

    assert task.classes == ("0", "1", "1.0", "2", "a")
    assert "count as two classes, because other labels are words" in task.notes[0]


def test_labels_in_any_script_are_read(write: Write) -> None:
    lines = {number: f"text {number},{'сад' if number % 2 else '庭'}" for number in range(1, 31)}

    assert load_task(write("отзывы.csv", lines=lines)).classes == ("сад", "庭")


def test_a_missing_column_is_named_with_those_there_are(write: Write) -> None:
    with pytest.raises(UnknownName) as caught:
        load_task(f"{write()}(label='star')")

    assert str(caught.value) == (
        "No column in reviews.csv (which has review, stars) called 'star'. Did you mean: stars?"
    )


def test_a_ragged_row_is_named(write: Write) -> None:
    lines = {3: "a, b, c,1", 7: "a, b, c,1"}

    assert load_error(write(lines=lines)).startswith("reviews.csv, row 3 (line 4) has 4 cells;")


def test_one_class_is_no_task(write: Write) -> None:
    message = load_error(write(lines={number: f"text {number},5" for number in range(1, 31)}))

    assert message.startswith("All 30 examples have the label '5'. A task needs two classes or more")


def test_equal_numbers_are_no_task(write: Write) -> None:
    lines = {number: f"text {number},5" for number in range(1, 31)}

    assert load_error(f"{write(lines=lines)}(kind='regression')").startswith("All 30 labels are 5.")


def test_the_same_text_with_two_labels_is_noted(write: Write) -> None:
    task = load_task(write(lines={1: "same,0", 2: "same,1"}))

    assert task.notes == ("1 example occurs more than once with different labels (first: row 2).",)


def test_an_unknown_setting_has_a_suggestion(write: Write) -> None:
    with pytest.raises(UnknownName, match=r"No setting of 'table' called 'lable'\. Did you mean: label"):
        load_task(f"{write()}(lable='stars')")


def test_a_table_without_names_of_columns_is_found(tmp_path: Path) -> None:
    path = tmp_path / "bare.csv"
    rows = (f"{'pos' if row % 2 else 'neg'},film number {row} was seen by many people" for row in range(40))
    path.write_text("\n".join(rows))

    with pytest.raises(UnreadableTask, match="'neg' is in the first line and again below it"):
        load_task(f"table:{path}")


def test_several_label_columns_are_one_task_of_texts(tmp_path: Path) -> None:
    rows = [f"text {number},{number % 2},{number % 3 == 0:d},{number}" for number in range(30)]
    (tmp_path / "a.csv").write_text("\n".join(["text,red,round,size", *rows]))

    several = load_task(f"table:{tmp_path / 'a.csv'}(label=('round', 'red'))")
    numbers = load_task(f"table:{tmp_path / 'a.csv'}(label=('size', 'red'))")

    assert (several.kind, several.metric, several.classes) == (
        TaskKind.MULTILABEL,
        "macro_f1",
        ("red", "round"),
    )
    assert (numbers.kind, numbers.metric, numbers.classes) == (TaskKind.REGRESSION, "spearman", ())
    assert numbers.train.labels.values.shape == (18, 2)


def test_classes_in_one_cell_are_the_same_task_however_they_are_written(tmp_path: Path) -> None:
    sets = [
        [name for name, step in (("blue", 2), ("round", 3)) if number % step == 0] for number in range(30)
    ]
    texts = [f"text {number}" for number in range(30)]
    lines = {
        "a.csv": ["text,labels", *(f"{text},{'|'.join(one)}" for text, one in zip(texts, sets, strict=True))],
        "b.jsonl": [json.dumps({"text": text, "labels": one}) for text, one in zip(texts, sets, strict=True)],
        "c.csv": ["text,blue,round"]
        + [f"{text},{'blue' in one:d},{'round' in one:d}" for text, one in zip(texts, sets, strict=True)],
    }
    for name, rows in lines.items():
        (tmp_path / name).write_text("\n".join(rows))
    settings = {"a.csv": "(label_separator='|')", "b.jsonl": "", "c.csv": "(label=('blue', 'round'))"}

    tasks = [load_task(f"table:{tmp_path / name}{written}") for name, written in settings.items()]

    assert {task.kind for task in tasks} == {TaskKind.MULTILABEL}
    assert len({task.fingerprint for task in tasks}) == 1


def test_a_limit_leaves_out_classes_without_an_example(tmp_path: Path) -> None:
    rows = [f"text {number},{'a|b' if number % 2 else 'b' if number else 'c'}" for number in range(40)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label", *rows]))

    task = load_task(f"table:{tmp_path / 'a.csv'}(label_separator='|', limit=20)")

    assert task.classes == ("a", "b", "c")  # the rarest comes first
    assert task.train.labels.values.shape[1] == 3


@pytest.mark.parametrize("label", ["()", "(1, 2)", "('red', 'red')", "('red', 'rund')"])
def test_label_columns_that_are_not_there_say_what_to_write(tmp_path: Path, label: str) -> None:
    (tmp_path / "a.csv").write_text("text,red,round\nx,1,0\n")

    with pytest.raises(UsageError, match="names no column|named twice|Did you mean: round"):
        load_task(f"table:{tmp_path / 'a.csv'}(label={label})")


def test_a_train_split_of_one_class_stops(tmp_path: Path) -> None:
    rows = [
        f"text {number},{'a' if number < 20 else 'b'},{'train' if number < 20 else 'test'}"
        for number in range(30)
    ]
    (tmp_path / "a.csv").write_text("\n".join(["text,label,split", *rows]))

    assert load_error(f"table:{tmp_path / 'a.csv'}").startswith(
        "All 16 examples of train have the label 'a'. A task needs two classes or more"
    )


def test_classes_that_train_or_test_lack_are_named(tmp_path: Path) -> None:
    rows = [f"text {number},{'ab'[number % 2]},train" for number in range(20)]
    rows += [f"test {number},{'ac'[number % 2]},test" for number in range(10)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label,split", *rows]))

    assert load_task(f"table:{tmp_path / 'a.csv'}").notes[-2:] == (
        "The class 'c' is in test and not in train: no model can get these examples right.",
        "The class 'b' is in train but not in test: not tested.",
    )


def test_a_text_of_a_megabyte_is_read_and_an_empty_one_left_out(write: Write) -> None:
    task = load_task(write(lines={1: f"{'word ' * 200_000},1", 2: ",1"}))
    splits = (task.train, task.val, task.test)
    texts = [split.examples.read(row) for split in splits for row in range(len(split))]

    assert max(len(str(text)) for text in texts) == 999_999
    assert task.notes == ("1 of 30 rows have an empty cell in 'review' (first: row 2) and are left out.",)


def _in_languages(write: Write, cells: str = "en,de,fr", name: str = "sliced.csv") -> str:
    languages = cells.split(",")
    rows = {
        number: f"film number {number} was seen,{number % 3},{languages[number % len(languages)]}"
        for number in range(1, 31)
    }
    return write(name, header="review,stars,language", lines=rows)


def test_slices_are_kept_for_the_test_and_change_no_fingerprint(write: Write) -> None:
    address = _in_languages(write, "en,de,fr,it")

    task = load_task(f"{address}(slices='language')")

    assert task.fingerprint == load_task(address).fingerprint
    (language,) = task.slices
    assert (language.column, language.names) == ("language", ("de", "en", "fr", "it"))
    numbers = [int(str(task.test.examples.read(row)).split()[2]) for row in range(len(task.test))]
    told = [language.names[place] for place in language.positions]
    assert told == [["en", "de", "fr", "it"][number % 4] for number in numbers]


def test_a_column_of_slices_is_not_guessed_to_be_something_else(write: Write) -> None:
    rows = {n: f"film number {n} was seen,{n % 3},{'xy'[n % 2]}" for n in range(1, 31)}
    address = write(header="review,kind of film,label", lines=rows)

    task = load_task(f"{address}(slices='label')")

    assert task.classes == ("0", "1", "2")


def test_rows_without_a_slice_are_in_none_and_said(write: Write) -> None:
    task = load_task(f"{_in_languages(write, 'en,,fr')}(slices='language')")

    assert set(task.slices[0].positions.tolist()) <= {-1, 0, 1}
    assert task.notes[0] == (
        "10 of 30 rows have an empty cell in 'language' (first: row 1): they are in none of its slices."
    )


def test_a_column_of_slices_must_be_there_and_hold_few_values(write: Write, tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="langage.*Did you mean: language"):
        load_task(f"{_in_languages(write)}(slices='langage')")
    rows = "\n".join(f"film number {row} was seen,{row % 3},{row}" for row in range(120))
    (tmp_path / "ids.csv").write_text(f"review,stars,id\n{rows}\n")

    assert load_error(f"table:{tmp_path / 'ids.csv'}(slices='id')") == (
        "'id' holds 120 different values; a column of slices holds 1 to 100. "
        "Name another, or write ranges into it, as in 'short' and 'long'."
    )


def test_a_limit_and_empty_texts_leave_each_example_its_slice(write: Write) -> None:
    rows = {n: f"{'' if n == 4 else f'film number {n}'},{n % 3},{'xy'[n % 2]}" for n in range(1, 31)}
    address = write(header="review,stars,source", lines=rows)

    task = load_task(f"{address}(slices='source', limit=24)")

    numbers = [int(str(task.test.examples.read(row)).split()[2]) for row in range(len(task.test))]
    assert task.slices[0].positions.tolist() == [number % 2 for number in numbers]


def test_texts_that_say_nan_are_noted_and_left_out_if_the_user_says_so(write: Write) -> None:
    path = write(lines={row: f"nan,{row % 3}" for row in (1, 4, 7)})

    task = load_task(path)
    named = load_task(f"{path}(missing='nan')")

    assert any("3 rows have a text such as 'nan'" in note for note in task.notes)
    assert len(task.train) + len(task.val) + len(task.test) == 30
    assert len(named.train) + len(named.val) + len(named.test) == 27


@pytest.mark.parametrize("hidden", ["-1", "unknown"])
def test_a_test_of_hidden_labels_says_what_to_write(tmp_path: Path, hidden: str) -> None:
    rows = [
        f"some words {row},{hidden if row % 4 == 0 else row % 2},{'train' if row % 4 else 'test'}"
        for row in range(40)
    ]
    path = tmp_path / "a.csv"
    path.write_text("\n".join(["text,label,split", *rows]))

    with pytest.raises(UnreadableTask, match=f"Test has only labels that train does not have: '{hidden}'"):
        load_task(f"table:{path}")
    assert load_task(f"table:{path}(missing='{hidden}')").classes == ("0", "1")


@pytest.mark.parametrize("twin", ["Sea lion", "sea_lion", "sea-lion", "SEA LION"])
def test_a_class_that_splits_spell_differently_is_one(tmp_path: Path, twin: str) -> None:
    for part, name, header in (("train", "sea lion", "text,label"), ("test", twin, "Text,Label")):
        rows = [f"{part} text {row},{name if row % 2 else 'dog'}" for row in range(20)]
        (tmp_path / f"{part}.csv").write_text("\n".join([header, *rows]))

    task = load_task(f"table:{tmp_path}")

    assert task.classes == ("dog", "sea lion")
    assert np.bincount(task.test.labels.values).tolist() == [10, 10]
    assert f"'sea lion' and '{twin}' in different splits are one class (1 such)." in task.notes


def test_classes_that_one_split_spells_in_two_ways_stay_two(tmp_path: Path) -> None:
    rows = [f"text {row},{('Cat', 'cat')[row % 2]},{'test' if row % 4 < 2 else 'train'}" for row in range(40)]
    (tmp_path / "a.csv").write_text("\n".join(["text,label,split", *rows]))

    assert load_task(f"table:{tmp_path / 'a.csv'}").classes == ("Cat", "cat")


@pytest.mark.parametrize("spelled", ["{}", " {}.png ", "{}.PNG"])
def test_paths_without_a_suffix_or_with_other_capitals_are_found(tmp_path: Path, spelled: str) -> None:
    for row in range(20):
        Image.new("RGB", (8, 8), (row * 9, 0, 0)).save(tmp_path / f"i{row}.png")
    rows = [f"{spelled.format(f'i{row}')},{'ab'[row % 2]}" for row in range(20)]
    (tmp_path / "a.csv").write_text("\n".join(["image,label", *rows]))

    task = load_task(f"table:{tmp_path / 'a.csv'}(image='image')")

    assert len(task.train) == 12
    assert {task.train.examples.name(row)[-4:] for row in range(12)} == {".png"}


def test_words_and_tags_that_numpy_wrote_are_lists(tmp_path: Path) -> None:
    rows = [f"\"['film' '{row}' 'seen']\",[0 {row % 2} 0]" for row in range(20)]
    (tmp_path / "a.csv").write_text("\n".join(["tokens,ner_tags", *rows]))

    task = load_task(f"table:{tmp_path / 'a.csv'}")

    assert (task.kind, task.classes, len(task.train.labels)) == (TaskKind.TOKENS, ("0", "1"), 36)


def test_a_column_that_cannot_be_read_is_named_where_it_is_missed(tmp_path: Path) -> None:
    cells = {"text": [f"film {row}" for row in range(20)], "label": [[0.5, 0.5]] * 20}
    pq.write_table(pa.table(cells), tmp_path / "a.parquet")

    assert "left out: 'label' (list<element: double>)" in load_error(f"table:{tmp_path / 'a.parquet'}")
