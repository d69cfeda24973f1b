"""The disk budget while a study runs."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from assay.core.errors import UsageError
from assay.run.full_matrix import FullMatrix
from assay.run.study import Study
from assay.run.within_budget import WithinBudget
from assay.store.arrays import Arrays
from assay.store.cache import cached_files


class Evaluation:
    """An evaluation of a model, whose key is its name."""

    jobs = ()

    def __init__(self, name: str) -> None:
        self.model_key = name


def write(root: Path, key: str, *, used: float) -> None:
    Arrays(root).write("features", f"{key}-train", np.ones((100, 100), np.float32))
    os.utime(root / "features" / f"{key}-train.npy", (used, used))


def left(root: Path) -> set[str]:
    return {files.key for files in cached_files(root)}


def test_nothing_is_removed_that_a_running_evaluation_used(tmp_path):
    scheduler = WithinBudget(FullMatrix(map(Evaluation, "abcd")), tmp_path, 0)
    write(tmp_path, "old", used=time.time() - 100)
    scheduler.ask("worker 1")
    assert left(tmp_path) == set()

    write(tmp_path, "a", used=time.time())
    scheduler.ask("worker 2")
    write(tmp_path, "b", used=time.time())
    scheduler.ask("worker 2")
    assert left(tmp_path) == {"a", "b"}  # worker 1 may use both

    scheduler.ask("worker 1")
    scheduler.ask("worker 2")
    assert left(tmp_path) == set()


def test_a_study_keeps_within_its_budget_and_finds_the_same(photos, tmp_path):
    def study(store: str, cache_size: str) -> Study:
        models = [f"zoo:colours(seed={seed})" for seed in range(3)]
        fields = {"methods": ["knn", "logme"], "control": False, "cache_size": cache_size}
        return Study(models=models, tasks=[str(photos)], store=tmp_path / store, **fields)

    small, large = study("small", "1kB").run(), study("large", "1GB").run()

    assert [cell.value for cell in small.cells] == [cell.value for cell in large.cells]
    assert len({files.key for files in cached_files(tmp_path / "large") if files.shelf == "features"}) == 3
    assert cached_files(tmp_path / "small") == []
    assert not small.warnings


@pytest.mark.parametrize("size", ["lots", "-1GB", "5 apples", True])
def test_a_size_that_is_none_is_refused(size):
    with pytest.raises(UsageError, match="cache_size is .* Write a size, as in 20GB or 500MB"):
        Study(models=["zoo:colours"], tasks=["photos"], cache_size=size)
