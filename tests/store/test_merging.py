"""Merging: few files for each shard, also again or from a merged store; and stores that somebody changed."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from assay.core.job import Job
from assay.core.predictor import Predicted
from assay.core.result import Finished, Result, Status
from assay.store.merging import MergedResults, merge_results
from assay.store.results import Store, open_existing


def finish(root: Path, *keys: str) -> None:
    """Add results of jobs to a store, with predictions that depend on the key alone."""
    with closing(Store(root)) as store, store.writing():
        for key in keys:
            job = Job(f"zoo:{key}", "folder:photos", "knn", 0, key, "photos")
            result = Result(job, Status.OK, 0.5, {"accuracy": 0.5})
            probs = np.linspace(0, ord(key[0]) / 128, 4).reshape(2, 2)
            store.add(Finished(result, Predicted(np.array([0, int(key[1])]), probs)))


def merged(root: Path, source: Path) -> MergedResults:
    with closing(Store(root)) as target, target.writing(), closing(open_existing(source)) as opened:
        return merge_results(target, opened)


def files(root: Path) -> dict[str, bytes]:
    """Return the arrays of a store, by shelf and name."""
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in sorted(root.glob("*/*.np?"))}


def predictions(root: Path) -> dict[str, list[object]]:
    with closing(open_existing(root)) as store:
        found = store.predictions(store.keys())
        assert not store.arrays.notes
    return {key: [one.values.tolist(), one.probs.tolist()] for key, one in found.items()}


@pytest.fixture
def source(tmp_path):
    finish(tmp_path / "source", "a1", "b2")
    return tmp_path / "source"


def test_a_shard_leaves_one_file_for_each_kind_of_array_and_nothing_when_it_is_merged_again(source, tmp_path):
    first = merged(tmp_path / "target", source)
    before = files(tmp_path / "target")
    again = merged(tmp_path / "target", source)

    assert (first, again) == (MergedResults(2, 0, ()), MergedResults(0, 2, ()))
    assert sorted(Path(name).parent.name for name in before) == ["predictions", "probs"]
    assert files(tmp_path / "target") == before
    assert predictions(tmp_path / "target") == predictions(source)


def test_what_a_shard_finished_since_comes_in_another_pack(source, tmp_path):
    merged(tmp_path / "target", source)
    before = files(tmp_path / "target")
    finish(source, "c3")

    assert merged(tmp_path / "target", source).copied == 1
    assert before.items() < files(tmp_path / "target").items()
    assert len(files(tmp_path / "target")) == 4
    assert predictions(tmp_path / "target") == predictions(source)


def test_a_merged_store_is_merged_and_so_are_files_next_to_its_packs(source, tmp_path):
    merged(tmp_path / "once", source)
    finish(tmp_path / "once", "c3")

    merged(tmp_path / "twice", tmp_path / "once")

    assert len(files(tmp_path / "twice")) == 2
    assert predictions(tmp_path / "twice") == predictions(tmp_path / "once")
    assert predictions(tmp_path / "twice").keys() == {"a1", "b2", "c3"}


def test_a_merge_that_was_killed_before_its_results_were_kept_copies_no_file_again(source, tmp_path):
    merged(tmp_path / "target", source)
    before = files(tmp_path / "target")
    with closing(sqlite3.connect(tmp_path / "target" / "results.sqlite")) as connection, connection:
        connection.execute("DELETE FROM results")

    assert merged(tmp_path / "target", source).copied == 2
    assert files(tmp_path / "target") == before


def test_a_damaged_member_is_named_and_its_file_comes_with_the_next_merge(source, tmp_path):
    merged(tmp_path / "target", source)
    (pack,) = (tmp_path / "target" / "predictions").iterdir()
    content = bytearray(pack.read_bytes())
    content[content.index(b"NUMPY") + 122] ^= 1
    pack.write_bytes(content)
    before = files(tmp_path / "target")
    with closing(open_existing(tmp_path / "target")) as store:
        assert store.known(["a1", "b2"]) == {"b2"}
        assert list(store.arrays.damaged) == ["predictions/a1.npy"]

    assert merged(tmp_path / "target", source) == MergedResults(1, 1, ())
    assert files(tmp_path / "target").keys() - before.keys() == {"predictions/a1.npy"}
    assert predictions(tmp_path / "target") == predictions(source)


@pytest.mark.parametrize("shelf", ["predictions", "probs"])
@pytest.mark.parametrize("change", ["cut", "gone", "pipe"])
def test_a_pack_that_is_damaged_as_a_whole_is_made_again_by_the_next_merge(source, tmp_path, shelf, change):
    merged(tmp_path / "target", source)
    before = files(tmp_path / "target")
    (pack,) = (tmp_path / "target" / shelf).iterdir()
    content = pack.read_bytes()
    pack.unlink()
    if change == "cut":
        pack.write_bytes(content[:-60])
    elif change == "pipe":
        os.mkfifo(pack)
    with closing(open_existing(tmp_path / "target")) as store:
        known = store.known(["a1", "b2"])
    assert known == ({"a1", "b2"} if (shelf, change) == ("probs", "gone") else set())

    finish(tmp_path / "target")  # nothing, as a command that writes something else
    merged(tmp_path / "target", source)

    if (shelf, change) != ("probs", "gone"):  # which accuracy does not need
        assert files(tmp_path / "target") == before


def test_a_merge_into_a_store_with_damaged_files_of_its_own_replaces_them(source, tmp_path):
    finish(tmp_path / "target", "a1")
    path = tmp_path / "target" / "predictions" / "a1.npy"
    path.write_bytes(path.read_bytes()[:-1])

    assert merged(tmp_path / "target", source).copied == 2
    assert predictions(tmp_path / "target") == predictions(source)
    assert len(files(tmp_path / "target")) == 4  # those of a1, and two packs with b2


def test_a_file_of_an_earlier_version_is_merged_with_checksums(source, tmp_path):
    for path in source.glob("*/*.npy"):
        np.save(path, np.load(path))

    merged(tmp_path / "target", source)

    assert predictions(tmp_path / "target").keys() == {"a1", "b2"}


def test_a_merged_store_that_cannot_be_written_is_read(source, tmp_path):
    merged(tmp_path / "target", source)
    shutil.copytree(tmp_path / "target", tmp_path / "copy")
    for path in (tmp_path / "copy", *(tmp_path / "copy").rglob("*")):
        path.chmod(0o500 if path.is_dir() else 0o400)
    before = sorted(path.stat().st_mtime_ns for path in (tmp_path / "copy").rglob("*"))

    assert predictions(tmp_path / "copy") == predictions(source)
    assert sorted(path.stat().st_mtime_ns for path in (tmp_path / "copy").rglob("*")) == before


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
