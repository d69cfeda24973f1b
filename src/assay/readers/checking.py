"""Checks all files of a task in parallel; unchanged files are looked up in a cache."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from contextvars import ContextVar
from functools import partial
from typing import NamedTuple

import numpy as np

from assay.readers.file_cache import SeenFiles, since_now
from assay.readers.files import FileExamples, FileState, FileSummary, UnreadableFileError
from assay.readers.pixel_values import PixelStatistics

_CHUNK = 1024  # files checked at a time, which are remembered together

ReadingProgress = Callable[[str, int, int], object]  # what is read, number of files done, total
_report: ContextVar[ReadingProgress | None] = ContextVar("report", default=None)
_again: ContextVar[bool] = ContextVar("again", default=False)


@contextmanager
def watched(report: ReadingProgress) -> Iterator[None]:
    """Call a function with the progress of the checks in this context."""
    token = _report.set(report)
    try:
        yield
    finally:
        _report.reset(token)


@contextmanager
def reading_again(again: bool = True) -> Iterator[None]:  # it is the setting
    """Read every file in this context, also those that are remembered."""
    token = _again.set(again)
    try:
        yield
    finally:
        _again.reset(token)


class Checked(NamedTuple):
    """The results of checking all files."""

    digests: np.ndarray  # files, uint64: content hashes; 0 if unreadable
    unreadable: Mapping[int, str]  # position in the rows -> short reason
    thumbnails: np.ndarray | None  # files x thumbnail pixels, uint8
    special: Mapping[int, FileSummary]  # position in the rows -> what depends on all files, or is noted

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
        """The positions of files of whose frames, pages or channels the first is read."""
        return [row for row, look in self.special.items() if look.is_first]


def check(files: FileExamples, rows: np.ndarray) -> Checked:
    """Check the files of the given rows."""
    digests = np.zeros(len(rows), dtype=np.uint64)
    unreadable: dict[int, str] = {}
    thumbnails: np.ndarray | None = None
    special: dict[int, FileSummary] = {}
    for position, look in enumerate(_looks(files, rows)):
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


def _looks(files: FileExamples, rows: np.ndarray) -> Iterator[FileSummary | str]:
    """Yield what is found in each file, or why it cannot be read."""
    report = _report.get() or (lambda *_: None)
    with ThreadPoolExecutor(os.cpu_count()) as threads, closing(SeenFiles(files.plural)) as seen:
        for start in range(0, len(rows), _CHUNK):
            report(f"Reading {files.plural}", start, len(rows))
            yield from _looks_at_some(files, rows[start : start + _CHUNK].tolist(), threads, seen)
    report(f"Reading {files.plural}", len(rows), len(rows))


def _looks_at_some(
    files: FileExamples, rows: Sequence[int], threads: ThreadPoolExecutor, seen: SeenFiles
) -> list[FileSummary | str]:
    since = since_now()
    states: list[FileState | None] = [files.state(row) for row in rows]
    known = [None] * len(rows) if _again.get() else seen.find(states)
    unread = [position for position, look in enumerate(known) if look is None]
    looks: list[FileSummary | str | None] = list(known)
    for position, look in zip(
        unread, threads.map(partial(looked_at, files), (rows[position] for position in unread)), strict=True
    ):
        looks[position] = look
    found = [(states[position], looks[position]) for position in unread]
    seen.add([(state, look) for state, look in found if isinstance(look, FileSummary)], since)
    return [look for look in looks if look is not None]


def looked_at(files: FileExamples, row: int) -> FileSummary | str:
    """Return the findings of a complete check of a file, or a short reason why it cannot be read."""
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
