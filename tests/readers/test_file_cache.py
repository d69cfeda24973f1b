from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.readers import checking
from assay.readers.cache_database import memory_path
from assay.readers.checking import Checked, check, reading_again, watched
from assay.readers.files import Files, FileState, FolderFiles
from assay.readers.images import StoredImages


@dataclass(frozen=True, slots=True)
class Counted(Files):
    """Files that count how often they are read."""

    files: FolderFiles
    reads: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.files)

    def content(self, row: int) -> bytes:
        self.reads.append(self.files.names[row])
        return self.files.content(row)

    def name(self, row: int) -> str:
        return self.files.name(row)

    def state(self, row: int) -> FileState | None:
        return self.files.state(row)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Images of several kinds, which are a minute old when they are read."""
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(checking, "since_now", lambda: time.time_ns() + 60 * 10**9)
    folder = tmp_path / "images"
    folder.mkdir()
    rng = np.random.default_rng(0)
    Image.fromarray(rng.integers(0, 256, (40, 30, 3), np.uint8)).save(folder / "a.jpg")
    Image.fromarray(rng.integers(0, 60_000, (20, 20)).astype(np.uint16)).save(folder / "deep.png")
    Image.fromarray(rng.normal(size=(9, 9)).astype(np.float32)).save(folder / "float.tiff")
    frames = [Image.fromarray(rng.integers(0, 256, (9, 9), np.uint8)) for _ in range(2)]
    frames[0].save(folder / "moving.gif", save_all=True, append_images=frames[1:])
    return folder


def look(folder: Path) -> tuple[Checked, list[str]]:
    """Check all files, and return what was found and the files that were read."""
    files = Counted(FolderFiles(folder, tuple(sorted(path.name for path in folder.iterdir()))))
    return check(StoredImages(files), np.arange(len(files))), sorted(files.reads)


def test_files_that_did_not_change_are_not_read_again_and_give_the_same(folder: Path):
    first, read = look(folder)

    again, reread = look(folder)

    assert set(read) == {"a.jpg", "deep.png", "float.tiff", "moving.gif"}
    assert reread == []
    np.testing.assert_array_equal(again.digests, first.digests)
    np.testing.assert_array_equal(again.thumbnails, first.thumbnails)
    assert again.special == first.special
    assert len(first.special) == 3


def test_added_changed_and_removed_files_are_noticed(folder: Path):
    look(folder)

    (folder / "a.jpg").rename(folder / "b.jpg")
    Image.new("L", (9, 9)).save(folder / "float.tiff")
    (folder / "moving.gif").unlink()
    _, read = look(folder)

    assert set(read) == {"b.jpg", "float.tiff"}


def test_a_change_that_keeps_size_and_time_is_noticed(folder: Path):
    path, first = folder / "a.jpg", look(folder)[0]
    status = path.stat()

    content = bytearray(path.read_bytes())
    content[-20] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    again, read = look(folder)

    assert path.stat().st_mtime_ns == status.st_mtime_ns
    assert read == ["a.jpg"]
    assert again.digests[0] != first.digests[0]


def test_files_as_new_as_the_resolution_of_their_times_are_read_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(checking, "since_now", time.time_ns)
    look(folder)

    _, read = look(folder)

    assert len(read) >= 4


def test_files_from_the_future_are_read_again(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(
        checking, "since_now", lambda: time.time_ns() - 3600 * 10**9
    )  # the clock was set back
    look(folder)

    _, read = look(folder)

    assert len(read) >= 4


def test_unreadable_files_are_looked_at_again(folder: Path):
    (folder / "broken.png").write_bytes(b"no image")
    first, _ = look(folder)

    again, read = look(folder)

    assert read == ["broken.png"]
    assert again.unreadable == first.unreadable == {1: "not an image"}


def test_rescan_reads_all_and_remembers_it(folder: Path):
    look(folder)

    with reading_again():
        _, read = look(folder)
    _, after = look(folder)

    assert len(read) >= 4
    assert after == []


def test_a_damaged_memory_is_made_anew(folder: Path):
    memory_path().parent.mkdir()
    memory_path().write_bytes(b"no database" * 1000)

    first, _ = look(folder)
    again, read = look(folder)

    assert read == []
    np.testing.assert_array_equal(again.digests, first.digests)


def test_without_a_cache_everything_is_read(folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("ASSAY_CACHE", str(folder / "a.jpg"))
    look(folder)

    checked, read = look(folder)

    assert len(read) >= 4
    assert not checked.unreadable


def test_progress_counts_the_files(folder: Path):
    told: list[tuple[str, int, int]] = []

    with watched(lambda *progress: told.append(progress)):
        look(folder)

    assert told == [("Reading images", 0, 4), ("Reading images", 4, 4)]
