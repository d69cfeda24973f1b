"""Which tables of a folder hold which split."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.core.errors import UnreadableTask
from assay.readers.split_tables import split_tables
from assay.readers.splits import Part


def found(folder: Path, *names: str) -> list[str]:
    """Write tables, and return those that are found with their splits."""
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("text,label\na,b\n")
    tables = split_tables(folder)
    pairs = zip(tables.paths, tables.parts, strict=True)
    return [f"{path.relative_to(folder).as_posix()} {Part(part).name}" for path, part in pairs]


@pytest.mark.parametrize(
    ("expected", "beside"),
    [
        (["dev.csv VAL", "train.csv TRAIN"], "notes.csv"),
        (["test.csv TEST", "train_0.csv TRAIN", "train_1.csv TRAIN"], "notes.csv"),
        (["c4-test.jsonl TEST", "c4-train.00000-of-00001.jsonl TRAIN"], "notes.csv"),
        (["default/test/0000.parquet TEST", "default/train/0000.parquet TRAIN"], "default/README.md"),
        (["data/test-0.csv TEST", "data/train-0.csv TRAIN"], "README.md"),
    ],
    ids=["plain", "numbered", "described", "folders", "in data"],
)
def test_tables_are_found_by_their_names(tmp_path: Path, expected: list[str], beside: str) -> None:
    assert found(tmp_path, *(name.split()[0] for name in expected), beside) == expected


def test_a_split_in_two_formats_is_read_once(tmp_path: Path) -> None:
    assert found(tmp_path, "train.csv", "train.jsonl", "test.csv") == ["test.csv TEST", "train.csv TRAIN"]
    assert split_tables(tmp_path).notes == (
        "The same splits are there in several formats: 'train.jsonl' are not read.",
    )


def test_several_data_sets_in_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(UnreadableTask, match=r"several data sets: 'de', 'en'\. Name one, as in table:.*de"):
        found(tmp_path, "en/train.csv", "de/train.csv")


def test_tables_of_different_things_are_no_splits(tmp_path: Path) -> None:
    with pytest.raises(UnreadableTask, match="no tables called train, val or test"):
        found(tmp_path, "reviews_train.csv", "films_test.csv")
