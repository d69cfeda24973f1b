"""Stores arrays and JSON as one file per key, with atomic writes and without pickle."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import numpy as np

from assay.core.errors import ModelError, StoreError
from assay.environment.atomic_file import written_whole

logger = logging.getLogger(__name__)


class Arrays:
    """Files ``<root>/<shelf>/<key>.npy`` or ``.json``; a shelf is a kind of data, such as features."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def write(self, shelf: str, key: str, array: np.ndarray) -> None:
        """Write an array."""
        with self._replacing(shelf, key, ".npy") as file, _reported_errors(Path(file.name)):
            np.save(file, array, allow_pickle=False)

    def write_text(self, shelf: str, key: str, text: str) -> None:
        """Write a string."""
        with self._replacing(shelf, key, ".json") as file, _reported_errors(Path(file.name)):
            file.write(text.encode("utf-8", "backslashreplace"))  # file names may be invalid UTF-8

    def read_text(self, shelf: str, key: str) -> str | None:
        """Return a string, or None if the key does not exist."""
        path = self._path(shelf, key, ".json")
        return path.read_text("utf-8") if path.exists() else None

    def drop_unfinished(self) -> None:
        """Remove temporary files of killed processes; requires the write lock."""
        for path in self._root.glob("*/.*.*.*"):
            if path.name.rpartition(".")[2].isdigit():
                path.unlink(missing_ok=True)

    def read(self, shelf: str, key: str) -> np.ndarray | None:
        """Return an array as a read-only memory map, or None if the key does not exist."""
        path = self._path(shelf, key, ".npy")
        if not path.exists():
            return None
        try:
            array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError, OSError):  # a damaged file is treated as missing
            logger.warning("'%s' is damaged and is not used", path)
            return None
        return array

    @contextmanager
    def appending(
        self, shelf: str, key: str, shape: tuple[int, int]
    ) -> Iterator[Callable[[np.ndarray], None]]:
        """Write a float32 matrix of known shape in blocks of rows; it becomes visible when complete.

        Rows are appended rather than written through a memory map, so that a full disk raises an error
        instead of killing the process with a signal.
        """
        with self._replacing(shelf, key, ".npy") as file:
            left = shape[0]
            header = {"descr": "<f4", "fortran_order": False, "shape": shape}
            np.lib.format.write_array_header_1_0(file, header)

            def append(rows: np.ndarray) -> None:
                nonlocal left
                if rows.shape[1:] != shape[1:] or len(rows) > left:
                    raise ModelError(f"{rows.shape} rows do not fit a matrix of {shape}, {left} of them left")
                left -= len(rows)
                with _reported_errors(Path(file.name)):
                    file.write(np.ascontiguousarray(rows, dtype="<f4").tobytes())

            yield append
            if left:
                raise ModelError(f"{left} of {shape[0]} rows are missing")

    @contextmanager
    def _replacing(self, shelf: str, key: str, suffix: str) -> Iterator[IO[bytes]]:
        path = self._path(shelf, key, suffix)
        with ExitStack() as stack:
            with _reported_errors(path):
                file = stack.enter_context(written_whole(path, fsync=True))
            yield file  # what fails here may be no error of writing
            with _reported_errors(path):
                stack.close()

    def _path(self, shelf: str, key: str, suffix: str) -> Path:
        if not re.fullmatch(r"[a-z0-9_-]+", key):  # keys are hashes, which cannot escape the folder
            raise ValueError(f"Not a key: {key!r}")
        return self._root / shelf / f"{key}{suffix}"


@contextmanager
def _reported_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"Cannot write '{path}': {error}. What was finished before is kept. Make room or write "
            "somewhere else (--store other-folder), then run the same command again."
        ) from error
