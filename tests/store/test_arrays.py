"""Arrays and JSON by key, with checksums."""

from __future__ import annotations

import json
import os
import shutil
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pytest

from assay.store.array_format import _HEAD, _MAGIC, BLOCK, NpyHeader
from assay.store.arrays import Arrays
from assay.store.files import DIGEST, digest
from assay.store.verification import files_of

ARRAYS = [
    np.arange(2000).reshape(1000, 2),
    np.asfortranarray(np.random.default_rng(0).normal(size=(7, 5))),
    np.arange(1537)[::-1],
    np.array(["a", "größe"]),
    np.array([True, False]),
    np.empty((0, 7), np.float32),
    np.empty((5, 0), np.float32),
    np.array(3.5),
]


@pytest.fixture
def arrays(tmp_path: Path) -> Arrays:
    return Arrays(tmp_path)


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}{array.shape}")
def test_an_array_comes_back_as_it_went_in(arrays, tmp_path, array):
    arrays.write("predictions", "a1", array)

    for read in (arrays.read("predictions", "a1"), np.load(tmp_path / "predictions" / "a1.npy")):
        np.testing.assert_array_equal(read, array)
        assert read.dtype == array.dtype
    assert not arrays.damaged
    assert not arrays.unchecked


@pytest.mark.parametrize("array", ARRAYS, ids=lambda array: f"{array.dtype}{array.shape}")
def test_no_bit_of_an_array_changes_unseen(arrays, tmp_path, array):
    arrays.write("predictions", "a1", array)
    path = tmp_path / "predictions" / "a1.npy"
    content = path.read_bytes()
    step = max(1, len(content) // 300)

    for position in range(0, len(content), step):
        changed = bytearray(content)
        changed[position] ^= 1 << position % 8
        path.write_bytes(changed)
        assert Arrays(tmp_path).read("predictions", "a1") is None, position


def test_a_file_is_verified_again_when_it_has_changed(arrays, tmp_path):
    arrays.write("predictions", "a1", np.arange(2000))
    first = arrays.read("predictions", "a1")
    path = tmp_path / "predictions" / "a1.npy"
    with path.open("r+b") as file:
        file.seek(900)
        file.write(bytes(500))

    assert first is not None
    assert arrays.read("predictions", "a1") is None
    assert arrays.damaged == {"predictions/a1.npy": "1 of 4 blocks do not match their checksums"}


@pytest.mark.parametrize(
    ("shape", "count", "row_map"),
    [
        ((3, 1), 1, [0, 7, 0]),
        ((3, 1), 1, [0, 2**32 - 1, 0]),
        ((1000, 1), 1, []),
        ((2**50, 0), 0, []),
        ((), 0, []),
    ],
)
def test_an_array_of_which_rows_have_no_checksum_counts_as_damaged(arrays, tmp_path, shape, count, row_map):
    header, positions = NpyHeader.of(np.dtype("<f4"), shape), np.array(row_map, dtype="<u4").tobytes()
    head = _HEAD.pack(_MAGIC, count, 0 if row_map else BLOCK)
    data, checksums = bytes(header.end - len(header.content)), bytes(DIGEST * count)
    named = digest(header.content + head + positions + b"predictions/a1.npy")
    content = header.content + data + head + named + positions + checksums
    (tmp_path / "predictions").mkdir()
    (tmp_path / "predictions" / "a1.npy").write_bytes(content)

    assert arrays.read("predictions", "a1") is None
    assert not arrays.blocks("predictions", "a1", [np.arange(3)], 1).present.any()
    assert "checksums, fewer than" in arrays.damaged["predictions/a1.npy"]


def test_an_array_of_an_earlier_version_is_used(arrays, tmp_path):
    (tmp_path / "predictions").mkdir()
    np.save(tmp_path / "predictions" / "a1.npy", ARRAYS[1])

    np.testing.assert_array_equal(arrays.read("predictions", "a1"), ARRAYS[1])
    assert arrays.unchecked == {"predictions/a1.npy"}


@pytest.mark.parametrize("text", ['{"a": [1, 2]}', '["größe", "\\n"]', "{}", "0"])
def test_json_comes_back_as_it_went_in_and_stays_json(arrays, tmp_path, text):
    arrays.write_text("splits", "a1", text)

    assert arrays.read_text("splits", "a1") == text
    assert json.loads((tmp_path / "splits" / "a1.json").read_text("utf-8")) == json.loads(text)
    assert not arrays.unchecked


def test_no_bit_of_json_changes_unseen(arrays, tmp_path):
    arrays.write_text("splits", "a1", '{"test": ["photo 1", "photo 2"]}')
    path = tmp_path / "splits" / "a1.json"
    content = path.read_bytes()

    for position in range(len(content)):
        changed = bytearray(content)
        changed[position] ^= 1
        path.write_bytes(changed)
        assert arrays.read_text("splits", "a1") is None, position
    assert arrays.damaged == {"splits/a1.json": "it does not match its checksum"}


@pytest.mark.parametrize(("shelf", "rows"), [("predictions", 3), ("predictions", 90_000), ("features", 3)])
def test_an_array_that_is_a_copy_of_another_is_not_used(arrays, tmp_path, shelf, rows):
    for key in ("a1-train", "b2-train"):
        arrays.write(shelf, key, np.ones((rows, 2), np.float32))
    copied = shutil.copy(tmp_path / shelf / "a1-train.npy", tmp_path / shelf / "b2-train.npy")

    assert arrays.read(shelf, "a1-train") is not None
    assert arrays.read(shelf, "b2-train") is None
    assert not arrays.blocks(shelf, "b2-train", [np.arange(rows)], None).present.any()
    assert list(arrays.damaged) == [f"{shelf}/{copied.name}"]
    assert [file.key for file in files_of(tmp_path) if file.damage] == ["b2-train"]


def test_an_array_of_another_folder_of_the_store_is_not_used(arrays, tmp_path):
    arrays.write("predictions", "a1", np.arange(3))
    arrays.write("truths", "a1", np.arange(3))
    shutil.copy(tmp_path / "predictions" / "a1.npy", tmp_path / "truths" / "a1.npy")

    assert arrays.read("truths", "a1") is None


def test_json_that_is_a_copy_of_another_is_not_used(arrays, tmp_path):
    for key in ("a1", "b2"):
        arrays.write_text("splits", key, "[1]")
    shutil.copy(tmp_path / "splits" / "a1.json", tmp_path / "splits" / "b2.json")

    assert arrays.read_text("splits", "a1") == "[1]"
    assert arrays.read_text("splits", "b2") is None
    assert [file.key for file in files_of(tmp_path) if file.damage] == ["b2"]


@pytest.mark.parametrize("rows", [3, 90_000])
def test_a_store_that_was_moved_is_read(arrays, tmp_path, rows):
    arrays.write("predictions", "a1", np.arange(rows))
    arrays.write_text("splits", "a1", "[1]")

    moved = Arrays(shutil.copytree(tmp_path, tmp_path / "moved"))
    assert np.array_equal(moved.read("predictions", "a1"), np.arange(rows))
    assert moved.read_text("splits", "a1") == "[1]"


@pytest.mark.parametrize("rows", [3, 90_000])
def test_an_array_whose_checksum_leaves_out_its_name_is_used(arrays, tmp_path, rows):
    array = np.arange(rows)
    arrays.write("predictions", "a1", array)
    path = tmp_path / "predictions" / "a1.npy"
    content, data = path.read_bytes(), array.tobytes()
    before, sums = content[: content.index(data)], content[content.index(data) + len(data) + 32 :]
    head = struct.pack("<8sII", b"assay\0\x001", -(-rows // 512), 512)
    path.write_bytes(before + data + head + blake2b(before + head, digest_size=16).digest() + sums)

    assert np.array_equal(Arrays(tmp_path).read("predictions", "a1"), array)


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_json_that_is_none_counts_as_absent(arrays, tmp_path, content):
    (tmp_path / "splits").mkdir()
    (tmp_path / "splits" / "a1.json").write_bytes(content)

    assert arrays.read_text("splits", "a1") is None
    assert list(arrays.damaged) == ["splits/a1.json"]


def test_json_of_an_earlier_version_is_used(arrays, tmp_path):
    (tmp_path / "splits").mkdir()
    (tmp_path / "splits" / "a1.json").write_text("[1]")

    assert arrays.read_text("splits", "a1") == "[1]"
    assert arrays.unchecked == {"splits/a1.json"}


def test_a_file_that_may_not_be_read_counts_as_absent(arrays, tmp_path):
    arrays.write("predictions", "a1", np.arange(3))
    arrays.write_text("splits", "a1", "[]")
    for name in ("predictions/a1.npy", "splits/a1.json"):
        (tmp_path / name).chmod(0)

    with as_a_user():
        assert arrays.read("predictions", "a1") is None
        assert arrays.read_text("splits", "a1") is None
        assert not arrays.blocks("predictions", "a1", [np.arange(3)], 1).present.any()
    assert set(arrays.damaged.values()) == {"it cannot be read: Permission denied"}


@pytest.mark.parametrize("content", ["{}", "[1]", "null", "7"])
def test_json_of_another_form_counts_as_damaged(arrays, content):
    arrays.write_text("features", "a1", content)

    assert arrays.read_json("features", "a1", lambda stored: stored["name"][0]) is None
    assert arrays.damaged == {"features/a1.json": "it does not hold what is expected"}


@contextmanager
def as_a_user() -> Iterator[None]:
    """Become another user meanwhile if this is the superuser, who may read everything."""
    is_superuser = os.geteuid() == 0
    if is_superuser:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_superuser:
            os.seteuid(0)
