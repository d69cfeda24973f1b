from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from assay.core.errors import UnreadableTask, UsageError
from assay.core.task import Split, Task
from assay.testing.tasks import load_task


@pytest.fixture(scope="module")
def task() -> Task:
    return load_task("docstrings:numpy+scipy+sklearn(per_class=50)")


def list_files(split: Split) -> set[str]:
    return {split.examples.name(row).partition(":")[0] for row in range(len(split))}


def list_texts(task: Task) -> list[str]:
    splits = (task.train, task.val, task.test)
    return [str(split.examples.read(row)) for split in splits for row in range(len(split))]


def test_each_library_has_its_share_of_each_split(task: Task) -> None:
    assert task.classes == ("numpy", "scipy", "sklearn")
    assert np.bincount(task.train.labels.values).tolist() == [30] * 3
    assert np.bincount(task.test.labels.values).tolist() == [10] * 3


def test_splits_come_from_different_files(task: Task) -> None:
    assert not list_files(task.train) & list_files(task.test)
    assert not list_files(task.train) & list_files(task.val)


def test_no_text_stands_twice(task: Task) -> None:
    assert len(set(list_texts(task))) == 150


def test_no_text_names_a_library(task: Task) -> None:
    assert not [
        text for text in list_texts(task) if re.search(r"\b(numpy|scipy|sklearn|np)\b", text, re.IGNORECASE)
    ]


def test_texts_are_short_paragraphs(task: Task) -> None:
    assert all(40 <= len(text) <= 300 and "\n" not in text for text in list_texts(task))


def test_packages_are_read_without_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("aardvark_lib", "badger_lib"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise ImportError('read me, do not run me')")
        for number in range(6):
            doc = f"Return the {name[0]}-number {number} of this file, aardvark_lib.thing."
            (tmp_path / name / f"m{number}.py").write_text(f'def f():\n    """{doc}"""\n')
    monkeypatch.syspath_prepend(tmp_path)

    task = load_task("docstrings:aardvark_lib+badger_lib(per_class=5)")

    assert [len(task.train), len(task.val), len(task.test)] == [6, 2, 2]
    assert all("the library" in text for text in list_texts(task))


def test_a_library_with_few_docstrings_says_what_to_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "civet_lib").mkdir()
    (tmp_path / "civet_lib" / "__init__.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(
        UnreadableTask, match=r"'civet_lib' has 0 docstrings of 40 to 300 characters; 300 are wanted"
    ):
        load_task("docstrings:civet_lib+numpy")


def test_a_missing_package_is_named() -> None:
    with pytest.raises(UnreadableTask, match="There is no installed package 'numpie'"):
        load_task("docstrings:numpie+scipy")


def test_one_library_is_no_task() -> None:
    with pytest.raises(UsageError, match=r"'numpy' is one library\. Write two or more"):
        load_task("docstrings:numpy")


def test_too_few_docstrings_are_refused() -> None:
    with pytest.raises(UsageError, match="per_class=2 leaves a split empty"):
        load_task("docstrings:numpy+scipy(per_class=2)")
