from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.core.errors import UnreadableTask, UsageError
from assay.readers.formats.delimited import sniff
from assay.readers.formats.table_file import TableFormat
from assay.readers.rows import stream


def read_rows(path: Path, content: str | bytes, delimiter: str | None = None) -> list[dict[str, str | None]]:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return [row for batch in stream(path, TableFormat(delimiter)) for row in batch.to_pylist()]


def read_error(path: Path, content: str | bytes) -> str:
    with pytest.raises(UnreadableTask) as caught:
        read_rows(path, content)
    return str(caught.value)


@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t"])
def test_the_delimiter_is_found_out(tmp_path: Path, delimiter: str) -> None:
    content = "\n".join(
        delimiter.join(cells) for cells in (("text", "label"), ("so, so", "1"), ("a; b", "2"))
    )

    rows = read_rows(tmp_path / "a.csv", content.replace("so, so", '"so, so"').replace("a; b", '"a; b"'))

    assert rows == [{"text": "so, so", "label": "1"}, {"text": "a; b", "label": "2"}]


@pytest.mark.parametrize(
    "cells",
    [('He said "yes", and left', "1"), ("['a', 'b', 'c']", "['O', 'O', 'B']")],
    ids=["quotes in a text", "lists of words"],
)
def test_quotes_and_lists_in_texts_do_not_hide_the_delimiter(tmp_path: Path, cells: tuple[str, str]) -> None:
    path = tmp_path / "a.csv"
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter=";").writerows([("text", "label"), *[cells] * 40])

    assert sniff(path).delimiter == ";"
    assert csv.Sniffer().sniff(path.read_text(), delimiters=",\t;|").delimiter == ","


def test_a_byte_order_mark_is_no_part_of_the_header(tmp_path: Path) -> None:
    assert read_rows(tmp_path / "a.csv", b"\xef\xbb\xbftext,label\na,1\n") == [{"text": "a", "label": "1"}]


def test_utf_16_is_known_by_its_mark(tmp_path: Path) -> None:
    assert read_rows(tmp_path / "a.csv", "text,label\nö,1\n".encode("utf-16")) == [
        {"text": "ö", "label": "1"}
    ]


def test_a_quoted_cell_may_span_lines(tmp_path: Path) -> None:
    rows = read_rows(tmp_path / "a.csv", 'text,label\n"one\ntwo, ""three""",1\n')

    assert rows == [{"text": 'one\ntwo, "three"', "label": "1"}]


def test_blank_lines_are_passed_over(tmp_path: Path) -> None:
    assert len(read_rows(tmp_path / "a.csv", "text,label\na,1\n\nb,2\n\n")) == 2


def test_numbers_and_words_in_a_column_stay_as_written(tmp_path: Path) -> None:
    rows = read_rows(tmp_path / "a.csv", "text,label\na,1\nb,1.0\nc,a\nd,007\n")

    assert [row["label"] for row in rows] == ["1", "1.0", "a", "007"]


def test_a_cell_may_be_a_long_document(tmp_path: Path) -> None:
    rows = read_rows(tmp_path / "a.csv", f"text,label\n{'x' * 300_000},1\n")

    assert len(rows[0]["text"] or "") == 300_000


def test_quotation_marks_in_tab_separated_text_are_letters(tmp_path: Path) -> None:
    rows = read_rows(tmp_path / "a.tsv", 'label\ttext\n0\t"a bad film\n1\tgood\n')

    assert [row["text"] for row in rows] == ['"a bad film', "good"]


def test_well_formed_quotes_in_tab_separated_text_quote(tmp_path: Path) -> None:
    rows = read_rows(tmp_path / "a.tsv", 'label\ttext\n0\t"a ""bad""\nfilm"\n1\t"good"\n')

    assert [row["text"] for row in rows] == ['a "bad"\nfilm', "good"]


def test_a_given_delimiter_is_taken(tmp_path: Path) -> None:
    assert read_rows(tmp_path / "a.csv", "text~label\na, b~1\n", "~") == [{"text": "a, b", "label": "1"}]


def test_a_delimiter_is_one_character(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not one character"):
        read_rows(tmp_path / "a.csv", "a,b\n1,2\n", "::")


def test_long_rows_come_in_small_batches(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\n" + f"{'x' * 1_000_000}\n" * 7)

    assert [batch.num_rows for batch in stream(tmp_path / "a.csv")] == [3, 3, 1]


def test_one_column_needs_no_delimiter(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("text\nabc\n")

    assert sniff(tmp_path / "a.csv").delimiter == ","


def test_rows_with_a_wrong_number_of_cells_stop_beyond_the_limit(tmp_path: Path) -> None:
    assert read_error(tmp_path / "a.csv", 'text,label\n"a\nb",1\nc,2,3\nd,1,1\n') == (
        "a.csv, row 2 (line 4) has 3 cells; the header has 2 (2 such rows). "
        "Put quotation marks around cells that hold ',', or write another delimiter='...'."
    )


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "a.csv is empty."),
        ("text,label\n", "a.csv has a header and no rows."),
        (",,\na,b,c\n", "a.csv has no names of columns. Write them in its first line."),
    ],
)
def test_a_broken_csv_file_says_what_is_wrong(tmp_path: Path, content: str | bytes, message: str) -> None:
    assert message in read_error(tmp_path / "a.csv", content)


def test_json_lines_may_lack_keys_and_hold_numbers(tmp_path: Path) -> None:
    content = '{"text": "a", "label": 1}\n\n{"text": "b"}\n{"text": "ä", "label": true}\n'

    assert read_rows(tmp_path / "a.jsonl", content) == [
        {"text": "a", "label": "1"},
        {"text": "b", "label": None},
        {"text": "ä", "label": "true"},
    ]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text": ', "a.jsonl, line 2 is not JSON:"),
        ("[1, 2]", "a.jsonl, line 2 is not an object. Write one object a line"),
    ],
)
def test_a_bad_line_of_json_is_named(tmp_path: Path, line: str, message: str) -> None:
    assert message in read_error(tmp_path / "a.jsonl", json.dumps({"text": "a"}) + "\n" + line)


def test_parquet_is_read_as_texts(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": ["a", "b"],
            "label": [1, None],
            "word": pa.array(["x", "y"]).dictionary_encode(),
            "tags": [["N", "V"], []],
            "embedding": [[0.5], [2.5]],
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")

    rows = [row for batch in stream(tmp_path / "a.parquet") for row in batch.to_pylist()]

    assert rows == [
        {"text": "a", "label": "1", "word": "x", "tags": '["N", "V"]'},
        {"text": "b", "label": None, "word": "y", "tags": "[]"},
    ]


@pytest.mark.parametrize("new", [pa.ipc.new_file, pa.ipc.new_stream], ids=["Feather", "stream"])
def test_arrow_is_read_as_texts(tmp_path: Path, new: Callable[..., pa.ipc.RecordBatchFileWriter]) -> None:
    table = pa.table({"text": ["a", "b"], "label": [1, None], "embedding": [[0.5], [2.5]]})
    with new(tmp_path / "a.feather", table.schema) as writer:
        writer.write_table(table)

    rows = [row for batch in stream(tmp_path / "a.feather") for row in batch.to_pylist()]

    assert rows == [{"text": "a", "label": "1"}, {"text": "b", "label": None}]
    assert "a.arrow as an Arrow file" in read_error(tmp_path / "a.arrow", b"ARROW1 and then nothing")


def test_a_broken_parquet_file_is_named(tmp_path: Path) -> None:
    assert "a.parquet as Parquet" in read_error(tmp_path / "a.parquet", b"PAR1 and then nothing")


def test_an_unknown_suffix_lists_the_known_ones(tmp_path: Path) -> None:
    assert "its name must end in one of .csv, .tsv" in read_error(tmp_path / "a.doc", b"PK")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableTask, match=r"There is no file .*prices\.csv\. Check the path\.$"):
        list(stream(tmp_path / "prices.csv"))
    (tmp_path / "price.csv").touch()
    with pytest.raises(
        UnreadableTask, match=r"There is no file .*prices\.csv\. Did you mean: .*price\.csv\?$"
    ):
        list(stream(tmp_path / "prices.csv"))
