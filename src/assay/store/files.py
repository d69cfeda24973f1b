"""Shared code of stored files: checksums, reads that never block, and error reports."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, FileIO
from itertools import count
from pathlib import Path
from typing import TypeAlias

from assay.core.errors import StoreError

DIGEST = 16  # bytes of a checksum

Readable: TypeAlias = "FileIO | BufferedReader[FileIO]"


class DamagedFile(Exception):
    """Says why a file cannot be used."""


def name_of(path: Path) -> bytes:
    """Return what the checksum of a stored file holds of its name."""
    return f"{path.parent.name}/{path.name}".encode()


def digest(content: bytes | memoryview) -> bytes:
    """Return the checksum of bytes."""
    return checksum(content).digest()


def checksum(content: bytes | memoryview = b"") -> hashlib.blake2b:
    """Return the checksum of bytes, to which more can be added."""
    return hashlib.blake2b(content, digest_size=DIGEST)


def open_regular(path: Path, mode: str = "rb") -> FileIO:
    """Open a file without buffer; raise ``DamagedFile`` for a folder or device, and never wait for one."""
    waits_not = getattr(os, "O_NONBLOCK", 0)
    file = FileIO(path, mode, opener=lambda name, flags: os.open(name, flags | waits_not, 0o600))
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise DamagedFile("it is no regular file")
    return file


def read_at(file: Readable, start: int, size: int) -> bytes:
    """Return bytes of a file; raise ``DamagedFile`` if it ends before."""
    file.seek(start)
    parts = []
    while size:
        part = file.read(size)
        if not part:
            raise DamagedFile("it ends too early")
        parts.append(part)
        size -= len(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def write_at(file: FileIO, start: int, content: bytes | memoryview) -> None:
    """Write bytes into a file."""
    file.seek(start)
    left = memoryview(content)
    while left:
        left = left[file.write(left) :]


@contextmanager
def reported_errors(path: Path) -> Iterator[None]:
    """Turn an error of the operating system into ``StoreError``."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"Cannot write '{path}': {error}. What was finished before is kept. Make room or write "
            "somewhere else (--store other-folder), then run the same command again."
        ) from error


def make_private(folder: Path) -> None:
    """Make a folder that only its owner may enter; one that exists stays as it is."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    folder.mkdir(mode=0o700, exist_ok=True)


def make_shelf(path: Path) -> None:
    """Make the folder of a file, and the store above it."""
    make_private(path.parent.parent)
    make_private(path.parent)


def make_way(path: Path) -> None:
    """Rename a folder that stands where a file is to be written."""
    if path.is_dir() and not path.is_symlink():
        free = next(new for n in count(1) if not (new := path.with_name(f"{path.name}.folder{n}")).exists())
        path.rename(free)


def reason_of(error: Exception) -> str:
    """Return why a file cannot be used."""
    if isinstance(error, OSError):
        return f"it cannot be read: {error.strerror}"
    return str(error)
