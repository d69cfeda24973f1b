"""Locks an open file between processes; the operating system releases the lock when a process ends."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def locked(descriptor: int) -> Iterator[None]:
    """Hold an exclusive lock on an open file, waiting for the process that holds it."""
    if sys.platform == "win32":
        import msvcrt
        import os

        os.lseek(descriptor, _FAR, os.SEEK_SET)  # a byte beyond the content, so that reading is not locked
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
        try:
            yield
        finally:
            os.lseek(descriptor, _FAR, os.SEEK_SET)
            msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)
    else:
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(descriptor, fcntl.LOCK_UN)


_FAR = 2**62
