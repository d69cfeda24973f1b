"""Undoes what the code of a model or method does to the process: folder, settings, streams, limits, ..."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, final

from assay.core.paths import expanded
from assay.environment.standard_streams import StandardStreams
from assay.environment.state_parts import GUARDS, SETTINGS, StatePart

logger = logging.getLogger(__name__)

_UNKNOWN = object()  # what cannot be read here is not written


@final
class ProcessState:
    """The state of the process at one moment.

    Args:
        parts: The parts to read.
    """

    def __init__(self, parts: tuple[StatePart, ...]) -> None:
        self._values = [(part, _read(part)) for part in parts]

    def restore(self, now: ProcessState | None = None) -> None:
        """Restore each changed part; parts that cannot be written stay as they are.

        Args:
            now: The state of the same parts now, if it has just been read.
        """
        current = (_read(part) for part, _ in self._values) if now is None else (v for _, v in now._values)
        for (part, value), found in zip(self._values, current, strict=True):
            if value is _UNKNOWN or found == value:
                continue
            try:
                part.write(value)
            except Exception:
                logger.info("cannot restore a part of the process", exc_info=True)


def settings_now() -> ProcessState:
    """Return state that a model's code may rely on later, such as ``sys.path`` or torch's default dtype."""
    return ProcessState(SETTINGS)


@contextmanager
def undone(settings: ProcessState | None = None) -> Iterator[None]:
    """Restore the state of the process when the block ends.

    A child that the block forked and that leaves the block ends there: two processes must not go on.

    Args:
        settings: Settings that hold inside, such as those that a model made when it was opened.
    """
    streams = StandardStreams()
    guards, before = ProcessState(GUARDS), ProcessState(SETTINGS)
    _BLOCKS.append(_Block(os.getpid(), _folder(), streams))
    try:
        if settings is not None:
            settings.restore(before)
        yield
    finally:
        end_forked_child()
        _BLOCKS.pop()
        streams.restore()
        guards.restore()
        before.restore()


class _Block(NamedTuple):
    """An ``undone`` block that is being run: what was there before it."""

    process: int
    folder: Path
    streams: StandardStreams


_BLOCKS: list[_Block] = []


def end_forked_child() -> None:
    """End this process if the code in an ``undone`` block has forked it."""
    if _BLOCKS and os.getpid() != _BLOCKS[-1].process:
        os._exit(0)


def mend_after_call() -> None:
    """Restore urgent parts after each call of a model, before the end of the ``undone`` block.

    A forked child ends, for it would write to the files of its parent; the standard files are brought back,
    for files that are opened next would take their places.
    """
    end_forked_child()
    if _BLOCKS:
        _BLOCKS[-1].streams.restore_files()


def from_start(path: str | Path) -> Path:
    """Return a user's path, resolved against the folder in which the study started."""
    return (_BLOCKS[0].folder if _BLOCKS else _folder()) / expanded(path)


@contextmanager
def starting_folder() -> Iterator[None]:
    """Make the folder in which the study started the working directory inside."""
    inside = _folder()
    os.chdir(from_start("."))
    try:
        yield
    finally:
        os.chdir(inside)


def _folder() -> Path:
    try:
        return Path.cwd()
    except FileNotFoundError:  # it was removed
        return Path("/")


def _read(part: StatePart) -> Any:
    try:
        return part.read()
    except Exception:  # of another operating system, or of a library that is being imported
        return _UNKNOWN
