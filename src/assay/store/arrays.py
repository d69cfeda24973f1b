"""Arrays and JSON texts beside the results, one file per key, written whole or not at all; no pickle."""

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
    """Files ``<root>/<shelf>/<key>.npy``: a shelf is predictions, truths, features, or splits (as JSON)."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def write(self, shelf: str, key: str, array: np.ndarray) -> None:
        """Keep an array."""
        with self._replacing(shelf, key, ".npy") as file, _reported_errors(Path(file.name)):
            np.save(file, array, allow_pickle=False)

    def write_text(self, shelf: str, key: str, text: str) -> None:
        """Keep a text."""
        with self._replacing(shelf, key, ".json") as file, _reported_errors(Path(file.name)):
            file.write(text.encode("utf-8", "backslashreplace"))  # file names need not be UTF-8

    def read_text(self, shelf: str, key: str) -> str | None:
        """Return a text, or None where there is none."""
        path = self._path(shelf, key, ".json")
        return path.read_text("utf-8") if path.exists() else None

    def drop_unfinished(self) -> None:
        """Remove what killed writers left behind; only for a process that holds the right to write."""
        for path in self._root.glob("*/.*.*.*"):
            if path.name.rpartition(".")[2].isdigit():
                path.unlink(missing_ok=True)

    def read(self, shelf: str, key: str) -> np.ndarray | None:
        """Return an array as a read-only memory map, or None where there is none."""
        path = self._path(shelf, key, ".npy")
        if not path.exists():
            return None
        try:
            array: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
        except (ValueError, EOFError, OSError):  # damaged, for example by the disk: treated as missing
            logger.warning("'%s' is damaged and is not used", path)
            return None
        return array

    @contextmanager
    def appending(
        self, shelf: str, key: str, shape: tuple[int, int]
    ) -> Iterator[Callable[[np.ndarray], None]]:
        """Write a float32 matrix of a known shape row by row; it appears when all rows are there.

        Rows are appended and not written through a memory map: a full disk is then an error that can be
        reported, and not a signal that ends the process.
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
        if not re.fullmatch(r"[a-z0-9_-]+", key):  # a key is a hash: nothing that could leave the folder
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
