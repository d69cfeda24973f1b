"""Files of models x tasks, as people have them."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from assay.core.errors import UsageError
from assay.findings.matrix import Matrix
from assay.tables.matrices import RowKind, read_matrices, read_matrix

LIST = "model,dataset,accuracy\nr18,digits,.9\nr50,digits,.8\nr18,photos,.7\nr50,photos,.75\n"
LINES = '{"model": "r18", "digits": 0.9, "photos": 0.7}\n{"model": "r50", "digits": 0.8, "photos": 0.75}\n'
VALUES = {"digits": {"r18": 0.9, "r50": 0.8}, "photos": {"r18": 0.7, "r50": 0.75}}


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(text)
    return path


def as_table(matrix: Matrix) -> dict[str, dict[str, float]]:
    return {task: matrix.column(task) for task in matrix.tasks}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("rows_are_models.csv", "model,digits,photos\nr18,0.9,0.7\nr50,0.8,0.75\n"),
        ("rows_are_tasks.csv", "dataset,r18,r50\ndigits,0.9,0.8\nphotos,0.7,0.75\n"),
        ("semicolons.csv", "Model;digits;photos\nr18;0.9;0.7\nr50;0.8;0.75\n"),
        ("tabs.tsv", "task\tr18\tr50\ndigits\t0.9\t0.8\nphotos\t0.7\t0.75\n"),
        ("one_cell_a_row.csv", LIST),
        ("lines.jsonl", LINES),
        ("nested.json", json.dumps({"orientation": "dataset->model", "table": VALUES})),
        ("lines.json", LINES),
        ("records.json", f"[{LINES.strip().replace(chr(10), ',')}]"),
    ],
)
def test_each_form_of_a_table_is_the_same_matrix(tmp_path, name, text):
    assert as_table(read_matrix(write(tmp_path, name, text))) == VALUES


def test_parquet_with_one_cell_a_row_is_parted_by_method(tmp_path):
    rows = [
        {"model": model, "task": task, "method": method, "value": value + shift, "seconds": 3.0}
        for task, row in VALUES.items()
        for model, value in row.items()
        for method, shift in (("linear_probe", 0.0), ("logme", 1.0))
    ]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "results.parquet")

    file = read_matrices(tmp_path / "results.parquet")

    assert list(file.matrices) == ["linear_probe", "logme"]
    assert as_table(file.matrices["linear_probe"]) == VALUES
    assert file.notes == (
        "results.parquet: one cell a row, values from the column 'value', one matrix for each 'method'",
    )


def test_a_file_of_several_scores_is_one_matrix_for_each(tmp_path):
    path = write(tmp_path, "scores.json", json.dumps({"logme": VALUES, "knn": VALUES}))

    assert list(read_matrices(path, rows=RowKind.TASKS).matrices) == ["logme", "knn"]
    assert as_table(read_matrix(path, rows=RowKind.TASKS, name="knn")) == VALUES
    with pytest.raises(UsageError, match="has 2 matrices: knn, logme. Name one"):
        read_matrix(path)
    with pytest.raises(UsageError, match="no matrix called 'parc'. It has: knn, logme"):
        read_matrix(path, name="parc")


def test_words_in_place_of_a_number_are_the_reason(tmp_path):
    path = write(tmp_path, "m.csv", "model,digits,photos\nr18,0.9,out of memory\nr50,n/a,75 %\n")

    matrix = read_matrix(path)

    assert matrix.missing("r18") == {"photos": "out of memory"}
    assert matrix.missing("r50") == {"digits": "there is no value"}
    assert matrix.column("photos") == {"r50": 75.0}


def test_a_row_of_a_list_may_give_its_reason_in_a_column_of_its_own(tmp_path):
    path = write(tmp_path, "m.csv", "model,task,value,reason\nr18,a,,crashed\nr50,a,1,\n")

    assert read_matrix(path).missing("r18") == {"a": "crashed"}


def test_repeats_with_seeds_are_averaged(tmp_path):
    path = write(tmp_path, "m.csv", "model,task,seed,value\nr18,a,0,1\nr18,a,1,2\nr18,a,2,\nr50,a,0,4\n")

    assert as_table(read_matrix(path)) == {"a": {"r18": 1.5, "r50": 4.0}}


@pytest.mark.parametrize(
    ("models", "rows", "reason"),
    [
        ((), RowKind.MODELS, "a guess: models are the longer side; if not, write --rows tasks"),
        (("digits", "photos"), RowKind.TASKS, "by the names of the models"),
    ],
)
def test_what_the_file_does_not_say_is_guessed_and_said(tmp_path, models, rows, reason):
    path = write(tmp_path, "m.csv", "x,digits,photos\nr18,1,2\nr50,3,4\nr101,5,6\n")

    file = read_matrices(path, models=models)

    assert reason in file.notes[0]
    assert f"rows are {rows}" in file.notes[0]
    assert ("r18" in next(iter(file.matrices.values())).models) == (rows is RowKind.MODELS)


def test_what_is_written_is_not_guessed(tmp_path):
    path = write(tmp_path, "m.csv", "model,digits,photos\nr18,1,2\n")

    assert read_matrix(path, rows=RowKind.TASKS).models == ("digits", "photos")


def test_columns_without_numbers_are_left_out_and_said(tmp_path):
    path = write(tmp_path, "m.csv", "model,licence,digits\nr18,mit,1\n")

    assert read_matrices(path).notes[1] == "m.csv: column 'licence' holds no numbers: left out"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1,2\n3,4\n", "does not say what its rows are. Let a column called 'model'"),
        ("model,a\nr18,1\nr18,2\n", "has two rows called 'r18'. Rename one"),
        ("model,a\nr18,inf\n", "holds 'inf' for r18 on a"),
        (
            "model,task,value\nr18,a,1\nr18,a,2\n",
            "2 values of 'r18' on 'a'. Number repeats in a column 'seed'",
        ),
        ("model,task,first,second\nr18,a,1,2\n", "2 columns of numbers. Call the column of values 'value'"),
        ("", "is empty"),
    ],
)
def test_what_cannot_be_read_says_what_to_write(tmp_path, text, message):
    with pytest.raises(UsageError, match=message):
        read_matrices(write(tmp_path, "m.csv", text))


def test_a_missing_file_and_an_unknown_format_are_reported(tmp_path):
    with pytest.raises(UsageError, match="There is no file"):
        read_matrices(tmp_path / "nothing.csv")
    with pytest.raises(UsageError, match="must end in one of .csv"):
        read_matrices(write(tmp_path, "m.doc", "?"))


def test_a_task_that_mixes_percent_and_plain_numbers_is_refused(tmp_path):
    (tmp_path / "mixed.csv").write_text("model,t1,t2\na,0.9,0.6\nb,0.8,0.5\nc,0.7,45%\n")

    with pytest.raises(UsageError, match="has '45%' for c on t2, where other cells are plain numbers"):
        read_matrices(tmp_path / "mixed.csv")


def test_a_file_of_rows_without_a_column_is_refused(tmp_path):
    (tmp_path / "rows.json").write_text("[{}]")

    with pytest.raises(UsageError, match="has no columns"):
        read_matrices(tmp_path / "rows.json")
