from __future__ import annotations

import gc
import pickle
import tracemalloc
from pathlib import Path

import pyarrow as pa
import pytest

from assay.core.errors import UnreadableTask
from assay.readers.formats.table_file import TableFormat
from assay.readers.tables import TableTexts, read_table, text_digests


@pytest.fixture
def small(tmp_path: Path) -> Path:
    (tmp_path / "a.csv").write_text("text,label\n one ,x\ntwo,\nthree, x\n")
    return tmp_path / "a.csv"


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.csv"
    words = "all work and no play makes a dull reader " * 40
    with path.open("w") as file:
        file.write("text,label\n")
        file.writelines(f"{number} {words},{number % 3}\n" for number in range(21_500))
    return path


def test_texts_are_trimmed_and_named_by_row(small: Path) -> None:
    texts = TableTexts(read_table([small]), ("text",))

    assert [texts.read(2), texts.read(0)] == ["three", "one"]
    assert texts.name(2) == "row 3"


def test_two_columns_make_pairs(small: Path) -> None:
    assert TableTexts(read_table([small]), ("text", "label")).read(0) == ("one", "x")


def test_labels_are_coded_without_spaces(small: Path) -> None:
    names, codes = read_table([small]).coded("label")

    assert [names[code] for code in codes] == ["x", "", "x"]


def test_empty_cells_are_found(small: Path) -> None:
    _, empty = text_digests(read_table([small]), ("text", "label"))

    assert empty.tolist() == [False, True, False]


def test_files_are_joined_by_their_common_columns(small: Path, tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("label,text,more\ny,four,1\n")

    table = read_table([small, tmp_path / "b.csv"])

    assert table.cells.column_names == ["text", "label"]
    assert [table.row_name(0), table.row_name(3)] == ["a.csv row 1", "b.csv row 1"]


def test_files_without_a_common_column_stop(small: Path, tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("p,q\ny,four\n")

    with pytest.raises(UnreadableTask, match=r"a\.csv, b\.csv have no column in common"):
        read_table([small, tmp_path / "b.csv"])


def test_a_large_file_is_streamed_and_mapped(large: Path) -> None:
    size = large.stat().st_size
    before = pa.total_allocated_bytes()
    tracemalloc.start()

    table = read_table([large])
    digests, _ = text_digests(table, ("text",))

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size > 34e6
    assert peak < size / 3
    assert pa.total_allocated_bytes() - before < size / 10
    assert len(set(digests.tolist())) == len(table) == 21_500


def test_the_mapped_copy_outlives_the_source_and_leaves_nothing(
    large: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))

    texts = TableTexts(read_table([large]), ("text",))
    large.unlink()

    assert str(texts.read(21_499)).startswith("21499 all work")
    del texts
    gc.collect()
    assert list(scratch.iterdir()) == []


def test_texts_can_be_sent_to_another_process(small: Path) -> None:
    texts = TableTexts(read_table([small]), ("text",))

    assert pickle.loads(pickle.dumps(texts)).read(1) == "two"


def test_a_row_is_named_by_its_number_in_the_file_and_its_line(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text('text,label\na,1\nb,2,3\n"c\nd",4\ne,5\n')

    table = read_table([path], TableFormat(ragged=0.5))

    assert [table.row_name(row) for row in range(len(table))] == ["row 1", "row 3", "row 4 (line 6)"]
