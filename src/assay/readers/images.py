"""Image files, decoded on demand."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from assay.core.task import Modality
from assay.readers.digests import digest_bytes
from assay.readers.files import FileExamples, Files, Look, UnreadableFileError
from assay.readers.near_duplicates import SIDE, thumbnail

_COMMON = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")
SUFFIXES = (*_COMMON, ".jpe", ".jfif", ".ppm", ".pgm", ".pbm", ".jp2", ".avif")

_DRAFT = 8  # libjpeg decodes at 1/8 size: it reads every byte but skips most computation


def is_image(name: str) -> bool:
    """Return whether a file name has an image suffix."""
    return name.lower().endswith(SUFFIXES)


@dataclass(frozen=True, slots=True)
class StoredImages(FileExamples):
    """Images in files of any storage, decoded on demand."""

    files: Files

    modality: ClassVar[Modality] = Modality.IMAGE
    plural: ClassVar[str] = "images"

    def __len__(self) -> int:
        return len(self.files)

    def name(self, row: int) -> str:
        """Return the name of the file."""
        return self.files.name(row)

    def read(self, row: int) -> np.ndarray:
        """Return one image, height x width x 3, uint8."""
        with Image.open(io.BytesIO(self.files.content(row))) as image:
            return to_rgb(image)

    def look(self, row: int) -> Look:
        """Return the file's hash and thumbnail; read every byte, but decode at reduced size."""
        content = self.files.content(row)
        if not content:
            raise UnreadableFileError("empty file")
        with named_image_errors(), Image.open(io.BytesIO(content)) as image:
            least = 2 * SIDE
            image.draft("RGB", (max(least, image.width // _DRAFT), max(least, image.height // _DRAFT)))
            image.load()
            return Look(digest_bytes(content), thumbnail(ImageOps.exif_transpose(image)))


@contextmanager
def named_image_errors() -> Iterator[None]:
    """Convert decoding errors to ``UnreadableFileError`` with a short reason."""
    try:
        yield
    except UnidentifiedImageError as error:
        raise UnreadableFileError("not an image") from error
    except Image.DecompressionBombError as error:
        raise UnreadableFileError("too many pixels") from error


def to_rgb(image: Image.Image) -> np.ndarray:
    """Convert to RGB (height x width x 3, uint8): apply orientation, white background and 16-bit scaling."""
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
    """Scale 16-bit, 32-bit or float grey values by the range of their format, not to full contrast."""
    values = grey.astype(np.float64)
    if values.max(initial=0.0) > 255:
        values = values / 257  # 65535 / 255
    elif grey.dtype.kind == "f" and values.max(initial=0.0) <= 1:
        values = values * 255
    elif grey.dtype.itemsize == 2:
        values = values / 257
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
