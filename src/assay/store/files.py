"""Shared code of stored files: checksums, reads that never block, and error reports."""

from __future__ import annotations

import errno
import hashlib
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader, FileIO, RawIOBase
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from assay.core.errors import StoreError
from assay.core.size_limits import most_bytes

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

DIGEST = 16  # bytes of a checksum
_KEY = re.compile(r"[a-z0-9_-]+")


class DamagedFile(Exception):
    """Says why a file cannot be used."""


def name_of(path: Path) -> bytes:
    """Return what the checksum of a stored file holds of its name."""
    return f"{path.parent.name}/{path.name}".encode()


class FilePart(RawIOBase):
    """A part of an open file, read as if it were a file of its own; closing it closes the file.

    Args:
        file: The file.
        start: Where the part begins.
        size: The bytes that it has.
    """

    def __init__(self, file: FileIO, start: int, size: int) -> None:
        self.start = start
        self._file = file
        self._size = size
        self._at = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def fileno(self) -> int:
        """Return the descriptor of the whole file."""
        return self._file.fileno()

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """Go to a position in the part."""
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        """Read what follows, up to the end of the part."""
        self._file.seek(self.start + self._at)
        count = self._file.readinto(memoryview(buffer)[: max(0, self._size - self._at)])
        self._at += count or 0
        return count

    def close(self) -> None:
        """Close the file."""
        super().close()
        self._file.close()


Readable: TypeAlias = "FileIO | FilePart | BufferedReader[FileIO | FilePart]"


def is_key(name: str) -> bool:
    """Return whether a file may have this name: keys are hashes, which cannot escape the folder."""
    return _KEY.fullmatch(name) is not None


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
        raise DamagedFile("it is not a regular file")
    return file


def require_regular(*paths: Path) -> None:
    """Raise ``OSError`` if a pipe, device or folder is at a path: SQLite would wait for it."""
    for path in paths:
        if path.exists() and not path.is_file():
            raise OSError(errno.EINVAL, "it is not a regular file", str(path))


def require_sane(path: Path, whole: int) -> None:
    """Raise ``OSError`` if a file next to one of so many bytes is far larger: it is no log of it."""
    if path.stat().st_size > most_bytes(whole):
        raise OSError(errno.EFBIG, f"it has more than {most_bytes(whole):,} bytes", str(path))


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
