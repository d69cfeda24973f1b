"""A file is there whole, or as it was before."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.environment.atomic_file import replacing, replacing_text, written_whole


@pytest.mark.parametrize("fsync", [False, True])
def test_a_file_appears_when_it_is_complete(tmp_path: Path, fsync: bool) -> None:
    path = tmp_path / "new" / "a.npy"

    with written_whole(path, fsync=fsync) as file:
        file.write(b"content")
        assert [entry.name for entry in path.parent.iterdir()] == [f".a.npy.{os.getpid()}"]

    assert path.read_bytes() == b"content"
    assert list(path.parent.iterdir()) == [path]


def test_a_failure_keeps_the_old_file_and_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    path.write_bytes(b"old")

    with pytest.raises(TypeError), written_whole(path) as file:
        file.writelines([b"new", "text"])  # type: ignore[list-item]  # on purpose

    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_of_the_user_stays_and_its_target_is_replaced(tmp_path: Path) -> None:
    target, link = tmp_path / "target.csv", tmp_path / "link.csv"
    target.write_text("old")
    link.symlink_to(target)

    with replacing_text(link) as file:
        file.write("new \ud800\n")

    assert link.is_symlink()
    assert target.read_bytes() == b"new \\ud800\n"


def test_a_pipe_is_written_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)

    with replacing(tmp_path / "pipe") as file:
        file.write(b"rows")

    assert os.read(reader, 10) == b"rows"
    assert (tmp_path / "pipe").is_fifo()
    os.close(reader)
