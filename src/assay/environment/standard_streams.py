"""Saves the standard streams, to restore them after code closed or replaced them."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import Any, final

_NAMES = ("stdin", "stdout", "stderr")


@final
class StandardStreams:
    """The objects in ``sys`` and the files behind descriptors 0 to 2, kept until ``restore`` is called."""

    def __init__(self) -> None:
        self._streams: list[tuple[str, Any]] = [(name, getattr(sys, name)) for name in _NAMES]
        self._files: list[tuple[int, int]] = []
        for descriptor in range(3):
            with suppress(OSError):  # closed already
                self._files.append((descriptor, os.dup(descriptor)))

    def restore_files(self) -> None:
        """Bring back the files, whose places the next files to be opened would take."""
        for descriptor, kept in self._files:
            with suppress(OSError):
                if not _are_same(descriptor, kept):
                    os.dup2(kept, descriptor)

    def restore(self) -> None:
        """Bring back each file and each stream that is another one now; a closed stream is opened again."""
        self.restore_files()
        for _, kept in self._files:
            with suppress(OSError):
                os.close(kept)
        for position, (name, stream) in enumerate(self._streams):
            if getattr(stream, "closed", False):
                with suppress(OSError):
                    setattr(sys, name, _opened_again(position))
            elif getattr(sys, name, None) is not stream:
                setattr(sys, name, stream)


def _are_same(descriptor: int, kept: int) -> bool:
    try:
        return os.path.sameopenfile(descriptor, kept)
    except OSError:
        return False


def _opened_again(descriptor: int) -> Any:
    if descriptor == 0:
        return open(os.dup(0), encoding="utf-8")  # noqa: PTH123  # it stays open
    return open(os.dup(descriptor), "w", 1, "utf-8", "backslashreplace")  # noqa: PTH123  # as above
