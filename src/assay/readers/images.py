"""Image examples: files decoded when they are read, and arrays; every file is checked once at load."""

from __future__ import annotations

import hashlib
import io
import os
from abc import abstractmethod
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from assay.core.errors import UnreadableTask, UsageError
from assay.core.task import Examples
from assay.readers.near import SIDE, thumbnail

SUFFIXES = (
    ".jpg",
    ".jpeg",
    ".jpe",
    ".jfif",
    ".png",
    ".bmp",
    ".gif",
    ".webp",
    ".tif",
    ".tiff",
    ".ppm",
    ".pgm",
    ".pbm",
    ".jp2",
    ".avif",
)

_THREADS = 8
_SLICE = 4096  # files handed to the threads at a time: bounds the queue
_DRAFT = 8  # libjpeg decodes at an eighth: every byte is read, most of the arithmetic is spared
_SHOWN = 5  # names in a message


class _EmptyFileError(Exception):
    """A file without any byte."""


def is_image(name: str) -> bool:
    """Say whether a file name ends as image files do."""
    return name.lower().endswith(SUFFIXES)


class Images(Examples):
    """Images, each of which is looked at once when a task is loaded."""

    @abstractmethod
    def look(self, row: int) -> tuple[int, np.ndarray]:
        """Return the hash of one image and its thumbnail; raises where it cannot be read."""


class DecodedImages(Images):
    """Images that another library decodes."""

    def look(self, row: int) -> tuple[int, np.ndarray]:
        """Return the hash of its pixels and its thumbnail."""
        pixels = np.asarray(self.read(row))
        return int(array_digests(pixels[None])[0]), thumbnail(Image.fromarray(pixels))


class StoredImages(Images):
    """Images that are stored as files are, wherever that is; decoded on read."""

    @abstractmethod
    def content(self, row: int) -> bytes:
        """Return one image as it is stored."""

    def read(self, row: int) -> np.ndarray:
        """Return one image, height x width x 3, uint8."""
        with Image.open(io.BytesIO(self.content(row))) as image:
            return to_rgb(image)

    def look(self, row: int) -> tuple[int, np.ndarray]:
        """Return the hash of its file and its thumbnail; every byte is read, most is not decoded."""
        content = self.content(row)
        if not content:
            raise _EmptyFileError
        with Image.open(io.BytesIO(content)) as image:
            least = 2 * SIDE
            image.draft("RGB", (max(least, image.width // _DRAFT), max(least, image.height // _DRAFT)))
            image.load()
            return _digest(content), thumbnail(ImageOps.exif_transpose(image))


@dataclass(frozen=True, slots=True)
class ImageFiles(StoredImages):
    """Image files below a folder."""

    folder: Path
    names: tuple[str, ...]  # relative to the folder, or absolute

    def __len__(self) -> int:
        return len(self.names)

    def content(self, row: int) -> bytes:
        """Return one file."""
        return (self.folder / self.names[row]).read_bytes()

    def name(self, row: int) -> str:
        """Return the path as the user would write it, relative to the folder."""
        return self.names[row]


@dataclass(frozen=True, slots=True)
class SomeImages(StoredImages):
    """Some rows of other images, in a given order."""

    images: StoredImages
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def content(self, row: int) -> bytes:
        """Return one image as it is stored."""
        return self.images.content(int(self.rows[row]))

    def name(self, row: int) -> str:
        """Return what it is called."""
        return self.images.name(int(self.rows[row]))


@dataclass(frozen=True, slots=True)
class JoinedImages(StoredImages):
    """Images, and then others that may be stored elsewhere."""

    first: StoredImages
    second: StoredImages

    def __len__(self) -> int:
        return len(self.first) + len(self.second)

    def content(self, row: int) -> bytes:
        """Return one image as it is stored."""
        place = row - len(self.first)
        return self.first.content(row) if place < 0 else self.second.content(place)

    def name(self, row: int) -> str:
        """Return what it is called."""
        place = row - len(self.first)
        return self.first.name(row) if place < 0 else self.second.name(place)


@dataclass(frozen=True, slots=True)
class ImageArrays(Examples):
    """Images in memory."""

    images: np.ndarray  # examples x height x width x 3, uint8
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.images)

    def read(self, row: int) -> np.ndarray:
        """Return one image, height x width x 3, uint8."""
        return np.array(self.images[row])

    def name(self, row: int) -> str:
        """Return the name that the source gave."""
        return self.names[row]


class Checked(NamedTuple):
    """What reading every image once showed."""

    digests: np.ndarray  # images, uint64: hashes of the files; 0 where unreadable
    unreadable: Mapping[int, str]  # position -> why, in a word
    sketches: np.ndarray  # images x pixels of a thumbnail, uint8


def check_images(files: Images) -> Checked:
    """Read and decode every image once, in threads: content hashes, and the images that are broken."""
    digests = np.zeros(len(files), dtype=np.uint64)
    unreadable: dict[int, str] = {}
    sketches = np.zeros((len(files), SIDE * SIDE), dtype=np.uint8)
    with ThreadPoolExecutor(min(_THREADS, os.cpu_count() or 1)) as threads:
        for start in range(0, len(files), _SLICE):
            rows = range(start, min(start + _SLICE, len(files)))
            for row, found in zip(rows, threads.map(partial(_check, files), rows), strict=True):
                if isinstance(found, str):
                    unreadable[row] = found
                else:
                    digests[row], sketches[row] = found
    return Checked(digests, unreadable, sketches)


def array_digests(images: np.ndarray) -> np.ndarray:
    """Return the content hash of each array (uint64)."""
    shape = repr(images.shape[1:]).encode()
    return np.array([_digest(shape + image.tobytes()) for image in images], dtype=np.uint64)


def leave_out_unreadable(files: Images, checked: Checked, share: float) -> tuple[np.ndarray, tuple[str, ...]]:
    """Return the rows of the readable images, and a note that names the others.

    Args:
        files: The images.
        checked: What ``check_images`` found.
        share: The most that may be unreadable: of any number of images, one may, unless the share is 0.

    Raises:
        UnreadableTask: More images than that cannot be read.
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
    found = f"{len(broken)} of {len(files)} images cannot be read"
    allowed = max(1, int(share * len(files))) if share else 0
    if len(broken) > allowed or not len(rows):
        needed = min(1.0, np.ceil(len(broken) / len(files) * 1000) / 1000)
        if not len(rows):
            raise UnreadableTask(f"None of {len(files)} images can be read: {first}{more}.")
        raise UnreadableTask(
            f"{found}: {first}{more}. At most {allowed} may be left out. "
            f"Repair or remove them, or add (unreadable={needed:g}) to the task to leave them out."
        )
    left_out = "is left out" if len(broken) == 1 else "are left out"
    return rows, (f"{found} and {left_out}: {first}{more}.",)


def to_rgb(image: Image.Image) -> np.ndarray:
    """Return an opened image as height x width x 3, uint8: upright, transparency on white, 16 bits scaled."""
    upright = ImageOps.exif_transpose(image)
    if upright.mode.startswith("I") or upright.mode == "F":
        grey = _to_bytes(np.asarray(upright))
        return np.repeat(grey[:, :, None], 3, axis=2)
    if upright.mode in {"RGBA", "LA", "La", "PA", "RGBa"} or "transparency" in upright.info:
        layer = upright.convert("RGBA")
        page = Image.new("RGBA", layer.size, "white")
        upright = Image.alpha_composite(page, layer)
    return np.array(upright.convert("RGB"))


def _to_bytes(grey: np.ndarray) -> np.ndarray:
    """Scale 16-bit, 32-bit or float grey by the range it is written in, never to full contrast."""
    values = grey.astype(np.float64)
    if values.max(initial=0.0) > 255:
        values = values / 257  # 65535 / 255
    elif grey.dtype.kind == "f" and values.max(initial=0.0) <= 1:
        values = values * 255
    elif grey.dtype.itemsize == 2:
        values = values / 257
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _digest(content: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")


def _check(files: Images, row: int) -> tuple[int, np.ndarray] | str:
    try:
        return files.look(row)
    except FileNotFoundError:
        return "no such file"
    except UnidentifiedImageError:
        return "not an image"
    except _EmptyFileError:
        return "empty file"
    except Image.DecompressionBombError:
        return "too many pixels"
    except Exception as error:  # a decoder may raise anything on damaged bytes
        return "truncated" if "truncated" in str(error).lower() else f"damaged: {error}"
