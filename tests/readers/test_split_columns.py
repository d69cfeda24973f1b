"""Columns of tables that tell splits."""

from __future__ import annotations

import pytest

from assay.readers.guess import choose_columns
from assay.readers.named_columns import NamedColumns
from assay.readers.split_columns import split_values
from assay.readers.splits import Part
from assay.readers.table_columns import TableColumns


def chosen(column: str, cells: list[str]) -> TableColumns:
    count = len(cells)
    head = {"text": [f"some words {row}" for row in range(count)], "label": ["a", "b"] * (count // 2)}
    return choose_columns("t.csv", {**head, column: cells}, NamedColumns())


@pytest.mark.parametrize(
    ("column", "cells", "parts"),
    [
        ("is_test", ["True", "False"], [Part.TEST, Part.TRAIN]),
        ("is_train", ["1", "0"], [Part.TRAIN, Part.TEST]),
        ("split", ["train", "holdout"], [Part.TRAIN, Part.TEST]),
        ("Usage", ["Training", "PublicTest", "PrivateTest"], [Part.TRAIN, Part.VAL, Part.TEST]),
        ("set", ["trn", "dev", "tst"], [Part.TRAIN, Part.VAL, Part.TEST]),
    ],
)
def test_what_names_splits_is_read_and_noted(column: str, cells: list[str], parts: list[Part]) -> None:
    assert list(split_values(column, cells).values()) == parts

    columns = chosen(column, cells * 4)

    assert columns.split == column
    assert columns.notes[0].startswith(f"'{column}' is read as the official splits: ")


def test_a_column_of_any_name_that_holds_train_and_test_is_the_split() -> None:
    assert chosen("part", ["train", "test"] * 4).split == "part"


def test_usual_splits_need_no_note() -> None:
    assert chosen("Split", ["TRAIN", "test"] * 4) == TableColumns(("label",), ("text",), split="Split")


@pytest.mark.parametrize(
    ("column", "cells", "because"),
    [
        ("fold", ["0", "1", "2"], "because '0' is none"),
        ("split", ["train", "extra"], "because 'extra' is none"),
        ("is_valid", ["True", "False"], "Write split='is_valid'"),
    ],
)
def test_what_may_be_splits_and_is_not_read_is_noted(column: str, cells: list[str], because: str) -> None:
    columns = chosen(column, cells * 4)

    assert columns.split is None
    assert because in columns.notes[0]


def test_a_label_of_train_and_test_is_no_split() -> None:
    head = {"text": ["some words"] * 8, "set": ["train", "test"] * 4}

    columns = choose_columns("t.csv", head, NamedColumns(label="set"))

    assert columns.split is None
    assert not columns.notes
