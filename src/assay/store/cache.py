"""Lists recomputable arrays of a store, and removes the least recently used to keep a disk budget."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

CACHED = frozenset({"features", "moments"})  # shelves; files of the others are never removed


@dataclass(frozen=True, slots=True)
class CachedFiles:
    """The files of one model on one task, which are removed together.

    Attributes:
        key: The common beginning of their keys.
        paths: The files; the one whose absence makes the others unused comes first.
        bytes: The disk space that they take.
        last_use: When one of them was read or written last, in seconds since 1970.
    """

    shelf: str
    key: str
    paths: tuple[Path, ...]
    bytes: int
    last_use: float


def mark_used(path: Path) -> None:
    """Record that a file is used now, also where the file system does not record it."""
    with suppress(OSError):  # it may be read-only, or another user's
        status = path.stat()
        os.utime(path, ns=(max(time.time_ns(), status.st_mtime_ns), status.st_mtime_ns))


def cached_files(root: Path) -> list[CachedFiles]:
    """Return what can be made again, the least recently used first."""
    groups: dict[tuple[str, str], list[tuple[Path, int, float]]] = {}
    for shelf in sorted(CACHED):
        with suppress(OSError), os.scandir(root / shelf) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    status = entry.stat(follow_symlinks=False)
                    taken = getattr(status, "st_blocks", -(-status.st_size // 512)) * 512
                    key = entry.name.partition(".")[0].partition("-")[0]
                    used = max(status.st_atime, status.st_mtime)
                    groups.setdefault((shelf, key), []).append((Path(entry.path), taken, used))
    found = []
    for (shelf, key), files in groups.items():
        paths = sorted(
            (path for path, _, _ in files), key=lambda path: (path.suffix != ".npy", len(path.name))
        )
        used = max(used for _, _, used in files)
        found.append(CachedFiles(shelf, key, tuple(paths), sum(taken for _, taken, _ in files), used))
    return sorted(found, key=lambda files: files.last_use)


def make_room(root: Path, most_bytes: float, unused_since: float) -> Sequence[CachedFiles]:
    """Remove what was used least recently, until the rest fits a disk budget; requires the write lock.

    A process that has one of these files open goes on reading it.

    Args:
        root: The folder of the store.
        most_bytes: The disk budget.
        unused_since: What was used at this time or later stays, in seconds since 1970.

    Returns:
        What was removed.
    """
    files = cached_files(root)
    excess = sum(each.bytes for each in files) - most_bytes
    removed = []
    for each in files:
        if excess <= 0 or each.last_use >= unused_since:
            break
        for path in each.paths:
            with suppress(OSError):  # such as a folder that a user put there
                path.unlink()
        excess -= each.bytes
        removed.append(each)
    return removed
