"""Chooses the task source that reads a bare path."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.core.errors import UsageError
from assay.plugins.address import Address
from assay.run.task_paths import with_source

CARD = "---\nlicense: mit\nconfigs:\n- config_name: default\n---\n"


@pytest.mark.parametrize(
    ("files", "source"),
    [
        (["train.csv", "test.csv"], "table"),
        (["data/train-00000-of-00001.parquet"], "table"),
        (["data/train-00000-of-00001.parquet", "README.md"], "hub"),
        (["dataset_dict.json", "train/state.json"], "hub"),
        (["train.csv", "images/a.png"], "folder"),
        (["cat/a.png", "dog/b.png"], "folder"),
    ],
    ids=["tables", "parts", "a card", "saved to disk", "a list of images", "images"],
)
def test_a_folder_is_read_by_what_it_holds(tmp_path: Path, files: list[str], source: str) -> None:
    pytest.importorskip("datasets")
    for name in files:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(CARD if name == "README.md" else "text,label\n")

    assert with_source(Address.parse(str(tmp_path))).source == source


def test_a_misspelt_folder_is_asked_about_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()

    with pytest.raises(UsageError, match=r"^There is no './photso'\. Did you mean: photos\? Cannot tell"):
        with_source(Address.parse("./photso"))
    with pytest.raises(
        UsageError, match="^Cannot tell what the task 'nowhere/x' is: there is no such folder"
    ):
        with_source(Address.parse("nowhere/x"))
