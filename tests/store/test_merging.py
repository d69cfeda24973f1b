"""Merging a store that somebody changed: nothing of it makes the other one unreadable."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from assay.core.job import Job
from assay.core.predictor import Predicted
from assay.core.result import Finished, Result, Status
from assay.store.merging import merge_results
from assay.store.results import Store, open_existing


@pytest.fixture
def source(tmp_path):
    with closing(Store(tmp_path / "source")) as store, store.writing():
        for key in ("a1", "b2"):
            job = Job(f"zoo:{key}", "folder:photos", "knn", 0, key, "photos")
            result = Result(job, Status.OK, 0.5, {"accuracy": 0.5})
            store.add(Finished(result, Predicted(np.array([0, 1]))))
    return tmp_path / "source"


@pytest.mark.parametrize("change", ["value = 9e999", "seconds = -1", "metrics = '{'", "status = 'great'"])
def test_a_damaged_row_is_named_and_not_merged(source, tmp_path, change):
    with closing(sqlite3.connect(source / "results.sqlite")) as connection:
        connection.execute("PRAGMA ignore_check_constraints = 1")
        connection.execute(f"UPDATE results SET {change} WHERE key = 'a1'")
        connection.commit()

    with closing(Store(tmp_path / "target")) as target, target.writing():
        with closing(open_existing(source)) as opened:
            merged = merge_results(target, opened)

        assert merged.damaged == ("knn of zoo:a1 on folder:photos",)
        assert [result.job.key for result in target.results(target.keys())] == ["b2"]


@pytest.mark.parametrize("file", ["truths/Not A Key.npy", "splits/Ünï.json", "slices/a b.json"])
def test_a_file_with_a_name_that_is_no_key_is_left_alone(source, tmp_path, file):
    (source / file).parent.mkdir(exist_ok=True)
    (source / file).write_bytes(b"{}")

    with (
        closing(Store(tmp_path / "target")) as target,
        target.writing(),
        closing(open_existing(source)) as opened,
    ):
        assert merge_results(target, opened).copied == 2

    assert not (tmp_path / "target" / file).exists()
