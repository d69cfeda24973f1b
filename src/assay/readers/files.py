"""Examples stored in files, which are checked once in parallel when a task is loaded."""

from __future__ import annotations

import os
import stat
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np

from assay.core.errors import UnreadableTask, UsageError
from assay.core.task import Examples, Modality
from assay.readers.pixel_values import PixelStatistics
from assay.readers.shown_names import SHOWN, first_names, shown_name

_THREADS = 8
_CHUNK = 4096  # files submitted to the threads at a time, to bound the queue


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
            raise UnreadableFileError("no regular file")
        return path.read_bytes()

    def name(self, row: int) -> str:
        """Return the path relative to the folder, in which what is no text is escaped."""
        return shown_name(self.names[row])


def is_file(path: Path) -> bool:
    """Return whether a path from a table or an annotation names a file; it may be no path at all."""
    try:
        return path.is_file()
    except (OSError, ValueError):  # too long for a name, or with a zero byte
        return False


class UnreadableFileError(Exception):
    """The file cannot be read; the message is a short reason."""


class Look(NamedTuple):
    """The result of checking one file."""

    digest: int  # 64-bit content hash
    thumbnail: np.ndarray | None = None  # images only, for near-duplicate detection
    pixels: PixelStatistics | None = None  # images of more than 8 bits only
    peak: float | None = None  # sounds stored as floats only: the largest absolute sample
    is_first: bool = False  # whether it is the first of several frames or pages


class FileExamples(Examples):
    """Examples stored in files, each of which is checked once when a task is loaded.

    Attributes:
        modality: The modality of the examples.
        plural: The plural noun for the examples, such as "images".
    """

    modality: ClassVar[Modality]
    plural: ClassVar[str]

    @abstractmethod
    def look(self, row: int) -> Look:
        """Read one file completely; raise if it cannot be read."""


class Checked(NamedTuple):
    """The results of checking all files."""

    digests: np.ndarray  # files, uint64: content hashes; 0 if unreadable
    unreadable: Mapping[int, str]  # position in the rows -> short reason
    thumbnails: np.ndarray | None  # files x thumbnail pixels, uint8
    special: Mapping[int, Look]  # position in the rows -> what depends on all files, or is noted

    @property
    def pixels(self) -> dict[int, PixelStatistics]:
        """The values of images of more than 8 bits, by position."""
        return {row: look.pixels for row, look in self.special.items() if look.pixels is not None}

    @property
    def peaks(self) -> dict[int, float]:
        """The largest sample of sounds stored as floats, by position."""
        return {row: look.peak for row, look in self.special.items() if look.peak is not None}

    @property
    def firsts(self) -> list[int]:
        """The positions of files with several frames or pages."""
        return [row for row, look in self.special.items() if look.is_first]


def check(files: FileExamples, rows: np.ndarray) -> Checked:
    """Check the files of the given rows."""
    digests = np.zeros(len(rows), dtype=np.uint64)
    unreadable: dict[int, str] = {}
    thumbnails: np.ndarray | None = None
    special: dict[int, Look] = {}
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as threads:
        for start in range(0, len(rows), _CHUNK):
            looks = threads.map(partial(looked_at, files), rows[start : start + _CHUNK])
            for position, look in enumerate(looks, start):
                if isinstance(look, str):
                    unreadable[position] = look
                    continue
                digests[position] = look.digest
                if look.pixels or look.is_first or look.peak is not None:
                    special[position] = look._replace(thumbnail=None)
                if look.thumbnail is not None:
                    if thumbnails is None:
                        thumbnails = np.zeros((len(rows), len(look.thumbnail)), dtype=np.uint8)
                    thumbnails[position] = look.thumbnail
    return Checked(digests, unreadable, thumbnails, special)


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
        lost: The classes of which no file is readable.

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


def looked_at(files: FileExamples, row: int) -> Look | str:
    """Return what a complete look at a file found, or a short reason why it cannot be read."""
    try:
        return files.look(int(row))
    except UnreadableFileError as error:
        return str(error)
    except (FileNotFoundError, IsADirectoryError):  # an empty cell resolves to the folder
        return "no such file"
    except PermissionError:
        return "permission denied"
    except Exception as error:  # a decoder may raise anything on damaged bytes
        return "truncated" if "truncated" in str(error).lower() else f"damaged: {error}"
