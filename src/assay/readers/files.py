"""Examples stored in files: their bytes, the outcome of their check, and which are left out."""

from __future__ import annotations

import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np

from assay.core.errors import UnreadableTask, UsageError
from assay.core.task import Examples, Modality
from assay.readers.escaped_names import SHOWN, first_names, shown_name
from assay.readers.pixel_values import PixelStatistics


class FileState(NamedTuple):
    """What tells without reading it whether a file changed.

    Attributes:
        path: The absolute path, and the place of the content in it if it holds several files.
        size: In bytes.
        modified_ns: When the content changed, in nanoseconds since 1970.
        changed_ns: When the content or the inode changed; on Windows when the file was made.
        inode: Its number in the file system, of 63 bits; another one after a file was replaced.
    """

    path: str
    size: int
    modified_ns: int
    changed_ns: int
    inode: int


def state_of(path: str | Path, within: str = "") -> FileState | None:
    """Return the state of a regular file; None if it is none, or cannot be read.

    Args:
        path: The file.
        within: The place of the content in it.
    """
    try:
        status = os.stat(path)  # noqa: PTH116  # twice as fast as that of Path
    except (OSError, ValueError):  # it is reported when it is read
        return None
    if not stat.S_ISREG(status.st_mode):
        return None
    times = status.st_mtime_ns, status.st_ctime_ns
    return FileState(f"{path}{within}", status.st_size, *times, status.st_ino % 2**63)


class Files(ABC):
    """Access to the bytes of files in a folder, a tar file or the rows of a data set."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def content(self, row: int) -> bytes:
        """Return the bytes of one file."""

    @abstractmethod
    def name(self, row: int) -> str:
        """Return a name that the user recognises: a path or a row number."""

    @abstractmethod
    def state(self, row: int) -> FileState | None:
        """Return what tells whether a file changed; None if nothing does."""


@dataclass(frozen=True, slots=True)
class FolderFiles(Files):
    """Files below a folder."""

    folder: Path
    names: tuple[str, ...]  # relative to the folder, or absolute

    def __post_init__(self) -> None:
        object.__setattr__(self, "folder", self.folder.absolute())  # a model may change the current folder

    def __len__(self) -> int:
        return len(self.names)

    def content(self, row: int) -> bytes:
        """Return the bytes of one regular file; a pipe or device is never opened."""
        path = self.folder / self.names[row]
        kind = path.stat().st_mode
        if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
            raise UnreadableFileError("not a regular file")
        return path.read_bytes()

    def name(self, row: int) -> str:
        """Return the path relative to the folder, with undecodable bytes escaped."""
        return shown_name(self.names[row])

    def state(self, row: int) -> FileState | None:
        """Return the state of a file."""
        return state_of(os.path.join(self.folder, self.names[row]))  # noqa: PTH118  # of a million files


def is_file(path: Path) -> bool:
    """Return whether a path from a table or an annotation names a file; it may be no path at all."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long for a name, or with a zero byte
        return False


class UnreadableFileError(Exception):
    """The file cannot be read; the message is a short reason."""


class FileSummary(NamedTuple):
    """The result of checking one file."""

    digest: int  # 64-bit content hash
    thumbnail: np.ndarray | None = None  # images only, for near-duplicate detection
    pixels: PixelStatistics | None = None  # images of more than 8 bits only
    peak: float | None = None  # sounds stored as floats only: the largest absolute sample
    is_first: bool = False  # whether it is the first of several frames, pages or channels


class FileExamples(Examples):
    """Examples stored in files; each is checked once when a task is loaded.

    Attributes:
        modality: The modality of the examples.
        plural: The plural noun for the examples, such as "images".
    """

    modality: ClassVar[Modality]
    plural: ClassVar[str]

    @abstractmethod
    def look(self, row: int) -> FileSummary:
        """Read one file completely; raise if it cannot be read."""

    @abstractmethod
    def state(self, row: int) -> FileState | None:
        """Return what tells whether a file changed; None if nothing does."""


def leave_out_unreadable(
    files: FileExamples,
    rows: np.ndarray,
    unreadable: Mapping[int, str],
    share: float,
    lost: Sequence[str] = (),
) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the positions of the readable files in the rows, and a note that lists the unreadable ones.

    Args:
        files: The files.
        rows: The rows of the checked files.
        unreadable: The unreadable files with reasons, from ``check``.
        share: The maximum unreadable fraction; one file may always be unreadable, unless it is 0.
        lost: The classes without a readable file.

    Raises:
        UnreadableTask: More files are unreadable.
    """
    if not 0 <= share <= 1:
        raise UsageError(
            f"Setting 'unreadable' is {share}; it is a share. Write for example unreadable=0.01."
        )
    kept = np.setdiff1d(np.arange(len(rows)), list(unreadable))
    if not unreadable:
        return kept, ()
    broken = sorted(unreadable)
    first = ", ".join(f"{files.name(int(rows[row]))} ({unreadable[row]})" for row in broken[:SHOWN])
    first += ", ..." if len(broken) > SHOWN else "."
    count = f"{len(broken)} of {len(rows)} {files.plural} cannot be read"
    allowed = max(1, int(share * len(rows))) if share else 0
    if not len(kept):
        raise UnreadableTask(f"None of {len(rows)} {files.plural} can be read: {first}")
    classes = "class" if len(lost) == 1 else f"{len(lost)} classes"
    gone = f" The {classes} {first_names(lost, len(lost))} would have none." if lost else ""
    if len(broken) > allowed:
        needed = min(1.0, np.ceil(len(broken) / len(rows) * 1000) / 1000)
        raise UnreadableTask(
            f"{count}: {first}{gone} At most {allowed} may be left out. "
            f"Repair or remove them, or add (unreadable={needed:g}) to the task to leave them out."
        )
    left_out = "is left out" if len(broken) == 1 else "are left out"
    gone = gone.replace(
        "would have none", "has no other and is left out" if len(lost) == 1 else "have no other"
    )
    return kept, (f"{count} and {left_out}: {first}{gone}",)
