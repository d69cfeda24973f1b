"""Writes a file completely or not at all: to a temporary file that is renamed at the end."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def written_whole(path: Path, *, fsync: bool = False) -> Iterator[IO[bytes]]:
    """Give a file to write to; when the block ends it replaces ``path``, and if it fails it is removed.

    Until then it is called ``.<name>.<process id>``, which is what a killed process leaves behind.

    Args:
        path: Folders above it are made.
        fsync: Wait until the content is on the disk before the file gets its name.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    file = unfinished.open("wb")
    try:
        yield file
        file.flush()
        if fsync:
            os.fsync(file.fileno())
        file.close()
        unfinished.replace(path)
    finally:
        with suppress(OSError):  # the error of writing is raised already
            file.close()
        with suppress(OSError):
            unfinished.unlink()


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Give a file to write to, whose content replaces that of a file of the user as a whole.

    What is no regular file, such as ``/dev/stdout``, is written to; a link stays, and its target is replaced.
    """
    target = path.resolve()
    if target.is_file() or not target.exists():
        with written_whole(target) as file:
            yield file
    else:
        with target.open("wb") as file:
            yield file


@contextmanager
def replacing_text(path: Path) -> Iterator[IO[str]]:
    """Give a file as :func:`replacing` does, for text in UTF-8; what UTF-8 cannot hold is escaped."""
    with replacing(path) as file:
        text = io.TextIOWrapper(file, "utf-8", errors="backslashreplace", newline="")
        yield text
        text.flush()
        text.detach()
