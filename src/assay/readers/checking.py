"""Looks at every file of a task once, in threads: content hashes, and which cannot be read."""

from __future__ import annotations

import hashlib
import os
from abc import abstractmethod
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ClassVar, NamedTuple

import numpy as np

from assay.core.errors import UnreadableTask, UsageError
from assay.core.task import Examples

_THREADS = 8
_SLICE = 4096  # files handed to the threads at a time: bounds the queue
_SHOWN = 5  # names in a message


class UnreadableFileError(Exception):
    """A file that cannot be read; the text says why, in a word."""


class Look(NamedTuple):
    """What looking at a file once showed."""

    digest: int  # 64 bits of a hash of its content
    sketch: np.ndarray | None = None  # what near_repeats compares, where there is such a thing


class Checkable(Examples):
    """Examples in files, each of which is looked at once when a task is loaded.

    Attributes:
        what: The files in a word, as in "images".
    """

    what: ClassVar[str]

    @abstractmethod
    def look(self, row: int) -> Look:
        """Read one file to its end; raises where it cannot be read."""


class Checked(NamedTuple):
    """What looking at every file once showed."""

    digests: np.ndarray  # files, uint64: hashes of the contents; 0 where unreadable
    unreadable: Mapping[int, str]  # position -> why, in a word
    sketches: np.ndarray | None  # files x size of a sketch, uint8


def check(files: Checkable) -> Checked:
    """Look at every file once."""
    digests = np.zeros(len(files), dtype=np.uint64)
    unreadable: dict[int, str] = {}
    sketches: np.ndarray | None = None
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as threads:
        for start in range(0, len(files), _SLICE):
            rows = range(start, min(start + _SLICE, len(files)))
            for row, found in zip(rows, threads.map(partial(_look, files), rows), strict=True):
                if isinstance(found, str):
                    unreadable[row] = found
                    continue
                digests[row] = found.digest
                if found.sketch is not None:
                    if sketches is None:
                        sketches = np.zeros((len(files), len(found.sketch)), dtype=np.uint8)
                    sketches[row] = found.sketch
    return Checked(digests, unreadable, sketches)


def leave_out_unreadable(
    files: Checkable, checked: Checked, share: float
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the rows of the readable files, and a note that names the others.

    Args:
        files: The files.
        checked: What ``check`` found.
        share: The most that may be unreadable: of any number of files, one may, unless the share is 0.

    Raises:
        UnreadableTask: More files than that cannot be read.
    """
    if not 0 <= share <= 1:
        raise UsageError(
            f"Setting 'unreadable' is {share}; it is a share. Write for example unreadable=0.01."
        )
    broken = checked.unreadable
    rows = np.setdiff1d(np.arange(len(files)), list(broken))
    if not broken:
        return rows, ()
    first = ", ".join(f"{files.name(row)} ({broken[row]})" for row in sorted(broken)[:_SHOWN])
    more = ", ..." if len(broken) > _SHOWN else ""
    found = f"{len(broken)} of {len(files)} {files.what} cannot be read"
    allowed = max(1, int(share * len(files))) if share else 0
    if len(broken) > allowed or not len(rows):
        needed = min(1.0, np.ceil(len(broken) / len(files) * 1000) / 1000)
        if not len(rows):
            raise UnreadableTask(f"None of {len(files)} {files.what} can be read: {first}{more}.")
        raise UnreadableTask(
            f"{found}: {first}{more}. At most {allowed} may be left out. "
            f"Repair or remove them, or add (unreadable={needed:g}) to the task to leave them out."
        )
    left_out = "is left out" if len(broken) == 1 else "are left out"
    return rows, (f"{found} and {left_out}: {first}{more}.",)


def digest_bytes(content: bytes) -> int:
    """Return the content hash of a file, 64 bits."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")


def _look(files: Checkable, row: int) -> Look | str:
    try:
        return files.look(row)
    except UnreadableFileError as error:
        return str(error)
    except (FileNotFoundError, IsADirectoryError):  # an empty cell of a table names the folder
        return "no such file"
    except Exception as error:  # a decoder may raise anything on damaged bytes
        return "truncated" if "truncated" in str(error).lower() else f"damaged: {error}"
