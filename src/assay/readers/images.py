"""Image examples: files, wherever they are stored, decoded when they are read; and arrays."""

from __future__ import annotations

import io
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from assay.core.task import Examples
from assay.readers.checking import Checkable, Look, UnreadableFileError, digest_bytes
from assay.readers.near_duplicates import SIDE, thumbnail

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

_DRAFT = 8  # libjpeg decodes at an eighth: every byte is read, most of the arithmetic is spared


def is_image(name: str) -> bool:
    """Say whether a file name ends as image files do."""
    return name.lower().endswith(SUFFIXES)


class DecodedImages(Checkable):
    """Images that another library decodes."""

    what: ClassVar[str] = "images"

    def look(self, row: int) -> Look:
        """Return the hash of its pixels and its thumbnail."""
        with _unreadable_in_a_word():
            pixels = np.asarray(self.read(row))
        return Look(int(array_digests(pixels[None])[0]), thumbnail(Image.fromarray(pixels)))


class StoredImages(Checkable):
    """Images that are stored as files are, wherever that is; decoded on read."""

    what: ClassVar[str] = "images"

    @abstractmethod
    def content(self, row: int) -> bytes:
        """Return one image as it is stored."""

    def read(self, row: int) -> np.ndarray:
        """Return one image, height x width x 3, uint8."""
        with Image.open(io.BytesIO(self.content(row))) as image:
            return to_rgb(image)

    def look(self, row: int) -> Look:
        """Return the hash of its file and its thumbnail; every byte is read, most is not decoded."""
        content = self.content(row)
        if not content:
            raise UnreadableFileError("empty file")
        with _unreadable_in_a_word(), Image.open(io.BytesIO(content)) as image:
            least = 2 * SIDE
            image.draft("RGB", (max(least, image.width // _DRAFT), max(least, image.height // _DRAFT)))
            image.load()
            return Look(digest_bytes(content), thumbnail(ImageOps.exif_transpose(image)))


@contextmanager
def _unreadable_in_a_word() -> Iterator[None]:
    try:
        yield
    except UnidentifiedImageError as error:
        raise UnreadableFileError("not an image") from error
    except Image.DecompressionBombError as error:
        raise UnreadableFileError("too many pixels") from error


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


def array_digests(images: np.ndarray) -> np.ndarray:
    """Return the content hash of each array (uint64)."""
    shape = repr(images.shape[1:]).encode()
    return np.array([digest_bytes(shape + image.tobytes()) for image in images], dtype=np.uint64)


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
