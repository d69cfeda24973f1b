"""Keeps resized and cropped images in the user's cache, for all models with the same preprocessing.

Each recipe has two files: one with the pixels of the images, each of the same size, in the order in which
they were added; and an index with the content hash and a checksum of each, which is written after its pixels.
What a killed process leaves behind is overwritten, and what is damaged is prepared again.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
import zlib
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from io import FileIO
from pathlib import Path
from typing import final

import numpy as np
from PIL import __version__ as pillow
from PIL import features

from assay.core.keys import content_key
from assay.core.limits import bytes_of
from assay.core.model import PixelInput
from assay.core.paths import opened_regular
from assay.environment.cache import cache_folder
from assay.environment.file_lock import locked

_VERSION = 3  # increase it when the same recipe gives other pixels
_SIZE = "20GB"  # 130,000 images of 224 x 224
_SHARE = 0.5  # of one recipe, so that another one has room
_LEFT = 0.05  # share of the disk that stays free
_ENTRY = np.dtype([("digest", "<u8"), ("check", "<u8")])
_START = time.time()  # what this process used is not removed

logger = logging.getLogger(__name__)


def pixel_budget() -> float:
    """Return the bytes that pixels may take: ``ASSAY_PIXEL_CACHE``, such as 100GB, or 0 for none."""
    written = os.environ.get("ASSAY_PIXEL_CACHE") or _SIZE
    return bytes_of("ASSAY_PIXEL_CACHE", int(written) if written.isdecimal() else written)


def pixel_folder() -> Path:
    """Return where pixels are kept."""
    return cache_folder() / "pixels"


@final
class PixelCache:
    """The pixels of one recipe, which several processes may read and add to.

    What does not fit into the share of the recipe is not kept: nothing that was added makes room for it, so
    that models that read the images in the same order find the first of them.

    Args:
        pixels: How the models prepare images.
    """

    def __init__(self, pixels: PixelInput) -> None:
        libraries = (_VERSION, pillow, *(features.version(name) for name in ("jpg", "zlib", "webp")))
        key = content_key(recipe=pixels.recipe, shape=pixels.shape, libraries=libraries)
        self._shape = pixels.shape
        self._bytes = int(np.prod(pixels.shape))
        self._slots: dict[int, int] = {}
        self._checks: list[int] = []
        self._stack = ExitStack()
        self._files: tuple[FileIO, FileIO] | None = None
        self._is_full = False
        with suppress(OSError):
            self._files = self._opened(pixel_folder() / key)
            self._refresh()

    def close(self) -> None:
        """Close the files."""
        self._stack.close()
        self._files = None

    def read(self, digests: Sequence[int], rows: np.ndarray) -> list[int]:
        """Read the pixels of images into the rows of an array, and return the positions that are missing.

        Args:
            digests: The content hash of each image.
            rows: images x height x width x channels, uint8; those that are missing mean nothing.
        """
        if self._files is None:
            return list(range(len(digests)))
        return [row for row, digest in enumerate(digests) if not self._read(digest, rows[row])]

    def add(self, digests: Sequence[int], rows: np.ndarray) -> None:
        """Keep the pixels of images, as ``read`` gives them, as far as there is room."""
        if self._files is None or self._is_full or not len(digests):
            return
        index, pixels = self._files
        rows = np.ascontiguousarray(rows)
        try:
            with locked(index.fileno()):
                self._refresh()
                new = dict(zip(digests, range(len(digests)), strict=True))
                new = {digest: row for digest, row in new.items() if digest not in self._slots}
                self._is_full = not _make_room(len(new) * self._bytes, len(self._checks) * self._bytes)
                if new and not self._is_full:
                    first = len(self._checks)
                    entries = np.array(
                        [(digest, _check(digest, rows[row])) for digest, row in new.items()], _ENTRY
                    )
                    _write(pixels, first * self._bytes, rows[list(new.values())].tobytes())
                    _write(index, first * _ENTRY.itemsize, entries.tobytes())
                    self._refresh()
        except OSError as error:  # such as a full disk
            logger.info("pixels are not kept: %s", error)
            self._is_full = True

    def _opened(self, path: Path) -> tuple[FileIO, FileIO]:
        path.parent.mkdir(parents=True, exist_ok=True)
        index, pixels = (
            self._stack.enter_context(opened_regular(f"{path}{suffix}", "r+", creates=True))
            for suffix in (".index", ".pixels")
        )
        os.utime(f"{path}.index")  # now it is in use
        return index, pixels

    def _refresh(self) -> None:
        """Read the entries of the index that were added since."""
        if self._files is None:
            return
        first, index = len(self._checks), self._files[0]
        index.seek(first * _ENTRY.itemsize)
        sizes = zip(self._files, (_ENTRY.itemsize, self._bytes), strict=True)
        count = min(os.fstat(file.fileno()).st_size // size for file, size in sizes)  # one may be damaged
        content = index.read(max(0, count - first) * _ENTRY.itemsize) or b""
        entries = np.frombuffer(content, _ENTRY, len(content) // _ENTRY.itemsize)
        self._slots.update(zip(entries["digest"].tolist(), range(first, first + len(entries)), strict=True))
        self._checks.extend(entries["check"].tolist())

    def _read(self, digest: int, row: np.ndarray) -> bool:
        slot = self._slots.get(digest)
        if slot is None or self._files is None:
            return False
        self._files[1].seek(slot * self._bytes)
        is_whole = self._files[1].readinto(row.data) == self._bytes
        if not is_whole or _check(digest, row) != self._checks[slot]:
            del self._slots[digest]  # it is damaged: it is added again
            return False
        return True


def _check(digest: int, pixels: np.ndarray) -> int:
    """Return a checksum of pixels and of the image that they are of."""
    return zlib.crc32(pixels.data, zlib.crc32(digest.to_bytes(8, "little")))


def _write(file: FileIO, start: int, content: bytes) -> None:
    file.seek(start)
    left = memoryview(content)
    while left:
        left = left[file.write(left) :]


def _make_room(more: int, own: int) -> bool:
    """Return whether there is room for so many bytes of a recipe; remove recipes not used since the start."""
    budget, disk = pixel_budget(), shutil.disk_usage(pixel_folder())
    if own + more > _SHARE * budget or disk.free - more < _LEFT * disk.total:
        return False
    kept = kept_pixels()
    excess = sum(size for _, size, _ in kept) + more - budget
    for path, size, used in kept:
        if excess <= 0 or used >= _START:
            break
        remove_pixels(path)
        excess -= size
    return excess <= 0


def kept_pixels() -> list[tuple[Path, int, float]]:
    """Return the index, bytes and time of last use of each recipe, the least recently used first."""
    found = []
    for path in pixel_folder().glob("*.index"):
        with suppress(OSError):  # another process removed it
            status = path.stat()
            found.append((path, path.with_suffix(".pixels").stat().st_size + status.st_size, status.st_mtime))
    return sorted(found, key=lambda each: each[2])


def remove_pixels(index: Path) -> None:
    """Remove what is kept of a recipe; a process that has it open goes on reading it."""
    for path in (index, index.with_suffix(".pixels")):
        with suppress(OSError):
            path.unlink()
