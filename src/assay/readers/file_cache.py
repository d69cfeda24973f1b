"""Caches what was found in a file, so that unchanged files are not read again."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from typing import final

import numpy as np
from PIL import __version__ as pillow

from assay.readers.cache_database import MemoryFile
from assay.readers.files import FileState, FileSummary
from assay.readers.pixel_values import PixelKind, PixelStatistics

_VERSION = 2  # increase it when a look finds other things in the same bytes
_GAP = 10 * 10**9  # ns; a time of FAT has 2 s, the rest is for the clocks of file servers


@final
class SeenFiles:
    """What was found in files, by their path, size, times and inode.

    A change within the resolution of a file's times would go unnoticed: what was found is kept only of files
    whose times were older than that when they were read. So a clock that jumps costs reading, no more.
    Unreadable files are not remembered.

    Args:
        what: What is looked for in the files, such as "images".
    """

    def __init__(self, what: str) -> None:
        self._memory = MemoryFile()
        self._begin = f"{_VERSION} {pillow} {what}"

    def close(self) -> None:
        """Close the file that remembers."""
        self._memory.close()

    def find(self, states: Sequence[FileState | None]) -> list[FileSummary | None]:
        """Return the cached findings of each file that has not changed since."""
        keys = [None if state is None else self._key(state) for state in states]
        rows = self._memory.read(
            "SELECT * FROM seen WHERE path IN (SELECT value FROM json_each(?))",
            json.dumps([key for key in keys if key is not None]),
        )
        known = {row[0]: row for row in rows}
        found = [known.get(key) for key in keys]
        return [
            None if state is None or row is None or row[1:5] != state[1:] else _look(*row[5:])
            for state, row in zip(states, found, strict=True)
        ]

    def add(self, found: Sequence[tuple[FileState | None, FileSummary]], since: int) -> None:
        """Remember what was found in files.

        Args:
            found: The state of each file before it was read, and what was found.
            since: When the first of the states was read, in nanoseconds since 1970.
        """
        rows = [
            (self._key(state), *state[1:], *_cells(look))
            for state, look in found
            if state is not None and max(state.changed_ns, state.modified_ns) < since - _GAP
        ]
        if rows:
            self._memory.write("INSERT OR REPLACE INTO seen VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)

    def _key(self, state: FileState) -> int:
        named = f"{self._begin}\0{state.path}".encode(errors="surrogateescape")
        return int.from_bytes(hashlib.blake2b(named, digest_size=8).digest(), "little", signed=True)


def _cells(look: FileSummary) -> tuple[int, bytes | None, str | None]:
    more = (look.pixels, look.peak, look.is_first)
    return (
        int(np.uint64(look.digest).astype(np.int64)),
        None if look.thumbnail is None else look.thumbnail.tobytes(),
        None if more == (None, None, False) else json.dumps(more),
    )


def _look(digest: int, thumbnail: bytes | None, more: str | None) -> FileSummary:
    small = None if thumbnail is None else np.frombuffer(thumbnail, np.uint8)
    if more is None:
        return FileSummary(digest % 2**64, small)
    pixels, peak, is_first = json.loads(more)
    wide = None if pixels is None else PixelStatistics(PixelKind(pixels[0]), *pixels[1:])
    return FileSummary(digest % 2**64, small, wide, peak, is_first)


def since_now() -> int:
    """Return the time by which the age of files is judged, in nanoseconds since 1970."""
    return time.time_ns()
