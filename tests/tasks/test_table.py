from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from assay.core.errors import UnknownName, UnreadableTask
from assay.core.task import Kind, Modality
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
    assert (task.kind, task.modality, task.classes) == (Kind.CLASSIFICATION, Modality.TEXT, ("0", "1", "2"))
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

    assert (task.kind, task.metric, task.classes) == (Kind.REGRESSION, "spearman", ())
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
        "8 test examples also stand in train (first: row 17).",
        "8 test examples also stand in val (first: row 17).",
        "8 val examples also stand in train (first: row 9).",
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
    assert load_error(write(lines={3: "a, b, c,1"})).startswith("reviews.csv, row 3 (line 4) has 4 cells;")


def test_one_class_is_no_task(write: Write) -> None:
    message = load_error(write(lines={number: f"text {number},5" for number in range(1, 31)}))

    assert message.startswith("All 30 examples have the label '5'. A task needs two classes or more")


def test_equal_numbers_are_no_task(write: Write) -> None:
    lines = {number: f"text {number},5" for number in range(1, 31)}

    assert load_error(f"{write(lines=lines)}(kind='regression')").startswith("All 30 labels are 5.")


def test_the_same_text_with_two_labels_is_noted(write: Write) -> None:
    task = load_task(write(lines={1: "same,0", 2: "same,1"}))

    assert task.notes == ("1 example stands more than once with different labels (first: row 2).",)


def test_an_unknown_setting_has_a_suggestion(write: Write) -> None:
    with pytest.raises(UnknownName, match=r"No setting of 'table' called 'lable'\. Did you mean: label"):
        load_task(f"{write()}(lable='stars')")


def test_a_table_without_names_of_columns_is_found(tmp_path: Path) -> None:
    path = tmp_path / "bare.csv"
    rows = (f"{'pos' if row % 2 else 'neg'},film number {row} was seen by many people" for row in range(40))
    path.write_text("\n".join(rows))

    with pytest.raises(UnreadableTask, match="'neg' stands in the first line and again below it"):
        load_task(f"table:{path}")
