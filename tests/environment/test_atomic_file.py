"""A file is there whole, or as it was before."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assay.environment.atomic_file import written_whole


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
