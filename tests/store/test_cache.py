"""What can be made again goes by last use, within a disk budget."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
import pytest

from assay.store.arrays import Arrays
from assay.store.cache import cached_files, make_room

MATRIX = np.ones((1000, 100), np.float32)


@pytest.fixture
def arrays(tmp_path: Path) -> Arrays:
    """A store with features of three models, the first used longest ago, and predictions."""
    arrays = Arrays(tmp_path)
    arrays.write("predictions", "p", MATRIX)
    for age, key in enumerate(("c", "b", "a")):
        for split in ("train", "train-source", "test"):
            arrays.write("features", f"{key}-{split}", MATRIX)
        arrays.write_text("features", f"{key}-train", "[]")
        for path in (tmp_path / "features").glob(f"{key}-*"):
            os.utime(path, (time.time() - 1000 * age - 1000,) * 2)
    return arrays


def left(root: Path) -> list[str]:
    return [files.key for files in cached_files(root)]


def test_the_least_recently_used_goes_first_with_all_its_files(arrays, tmp_path):
    (first, *_) = cached_files(tmp_path)
    assert [path.name for path in first.paths] == [
        "a-test.npy", "a-train.npy", "a-train-source.npy", "a-train.json"
    ]  # fmt: skip
    assert first.bytes >= 3 * MATRIX.nbytes

    removed = make_room(tmp_path, 2 * first.bytes, time.time())

    assert [files.key for files in removed] == ["a"]
    assert left(tmp_path) == ["b", "c"]
    assert not list((tmp_path / "features").glob("a-*"))


def test_reading_is_use(arrays, tmp_path):
    arrays.read("features", "a-test")
    rows = [np.arange(1000)]
    arrays.blocks("features", "b-train", rows, 100)

    assert left(tmp_path) == ["c", "a", "b"]


def test_what_was_used_since_a_time_stays_whatever_the_budget(arrays, tmp_path):
    start = time.time()
    arrays.read("features", "b-test")

    make_room(tmp_path, 0, start)

    assert left(tmp_path) == ["b"]


def test_only_what_can_be_made_again_is_removed(arrays, tmp_path):
    make_room(tmp_path, 0, float("inf"))

    assert left(tmp_path) == []
    np.testing.assert_array_equal(arrays.read("predictions", "p"), MATRIX)


def test_what_is_being_read_goes_on_being_read(arrays, tmp_path):
    read = arrays.read("features", "a-test")
    file = arrays.blocks("features", "b-test", [np.arange(500), np.arange(500, 1000)], 100)

    make_room(tmp_path, 0, float("inf"))

    np.testing.assert_array_equal(read, MATRIX)
    np.testing.assert_array_equal(file.matrix, MATRIX)


def test_a_file_that_is_not_full_takes_the_space_of_its_blocks(tmp_path):
    rows = np.split(np.arange(100_000), 100)
    file = Arrays(tmp_path).blocks("features", "a", rows, 100)
    file.write(7, np.ones((1000, 100)))

    (files,) = cached_files(tmp_path)
    assert 400_000 <= files.bytes < 4_000_000


def test_the_folders_of_a_store_are_their_owners_alone(arrays, tmp_path):
    store = tmp_path / "made" / "store"
    Arrays(store).write("features", "a", MATRIX)
    Arrays(store).blocks("moments", "a", [np.arange(2)], 1).write(0, np.ones((2, 1)))

    for folder in (store, store / "features", store / "moments"):
        assert folder.stat().st_mode & 0o777 == 0o700
