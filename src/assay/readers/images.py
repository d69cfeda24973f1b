"""Image files, decoded on demand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

import numpy as np
from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from assay.core.task import Modality
from assay.readers import image_formats
from assay.readers.digests import digest_bytes
from assay.readers.files import FileExamples, Files, FileState, FileSummary, UnreadableFileError
from assay.readers.near_duplicates import SIDE, thumbnail
from assay.readers.pixel_values import PixelKind, PixelRange, as_bytes, common_ranges, measured, wide_pixels
from assay.readers.sixteen_bit import deep_colours, has_deep_colours
from assay.readers.unread_tiff import unread_tiff

_COMMON = (".jpg", ".jpeg", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")
_RARE = (".jpe", ".jfif", ".ppm", ".pgm", ".pbm", ".pnm", ".pfm", ".tga", ".jp2", ".j2k", ".avif")
SUFFIXES = (*_COMMON, *_RARE, *image_formats.SUFFIXES)

_DRAFT = 8  # libjpeg decodes at 1/8 size: it reads every byte but skips most computation
_HIGHER_BYTES = PixelRange(0.0, 65535.0)  # the range that Pillow reads colours of 16 bits by
_FRAMES = frozenset({"GIF", "WEBP", "PNG", "TIFF", "AVIF", "JXL"})  # MPO, of phones, repeats the photograph


def is_image(name: str) -> bool:
    """Return whether a file name has an image suffix."""
    return name.lower().endswith(SUFFIXES)


@dataclass(frozen=True, slots=True)
class StoredImages(FileExamples):
    """Images in files of any storage, decoded on demand.

    Attributes:
        files: The files.
        ranges: The values of pixels of more than 8 bits that are black and white; of each image if absent.
        given: The range that the user named, for all kinds of such pixels.
    """

    files: Files
    ranges: Mapping[PixelKind, PixelRange] = field(default_factory=dict)
    given: PixelRange | None = None

    modality: ClassVar[Modality] = Modality.IMAGE
    plural: ClassVar[str] = "images"

    def __len__(self) -> int:
        return len(self.files)

    def name(self, row: int) -> str:
        """Return the name of the file."""
        return self.files.name(row)

    def state(self, row: int) -> FileState | None:
        """Return the state of the file."""
        return self.files.state(row)

    def read(self, row: int) -> np.ndarray:
        """Return one image, height x width x 3, uint8."""
        content, name = self.files.content(row), self.files.name(row)
        with image_formats.open_image(content, name) as image:
            chosen = self.ranges.get(PixelKind.COLOUR, _HIGHER_BYTES)
            if chosen == _HIGHER_BYTES or not has_deep_colours(image):
                return to_rgb(image, self.ranges)
        return to_rgb(_colours(deep_colours(partial(image_formats.open_image, content, name)), chosen))

    def look(self, row: int) -> FileSummary:
        """Return the file's hash and thumbnail; read every byte, but decode at reduced size."""
        content = self.files.content(row)
        if not content:
            raise UnreadableFileError("empty file")
        with named_image_errors(content), image_formats.open_image(content, self.files.name(row)) as image:
            least = 2 * SIDE
            image.draft("RGB", (max(least, image.width // _DRAFT), max(least, image.height // _DRAFT)))
            is_first = _has_frames(image)
            if has_deep_colours(image):
                colours = deep_colours(partial(image_formats.open_image, content, self.files.name(row)))
                found = measured(PixelKind.COLOUR, colours[..., :3])
                assert found is not None  # integers are finite
                small = thumbnail(_colours(colours, common_ranges([found])[PixelKind.COLOUR]))
                return FileSummary(digest_bytes(content), small, found, is_first=is_first)
            image.load()
            wide = wide_pixels(image)
            if wide is not None:
                small = thumbnail(_grey(*wide, {}))
                return FileSummary(digest_bytes(content), small, measured(*wide), is_first=is_first)
            small = thumbnail(_displayable(ImageOps.exif_transpose(image)))
            return FileSummary(digest_bytes(content), small, is_first=is_first)


@contextmanager
def named_image_errors(content: bytes = b"") -> Iterator[None]:
    """Convert decoding errors of a file to ``UnreadableFileError`` with a short reason."""
    try:
        yield
    except UnidentifiedImageError as error:
        raise UnreadableFileError(unread_tiff(content) or "not an image") from error
    except Image.DecompressionBombError as error:
        raise UnreadableFileError("too many pixels") from error


def to_rgb(image: Image.Image, ranges: Mapping[PixelKind, PixelRange] | None = None) -> np.ndarray:
    """Convert to RGB (height x width x 3, uint8): apply orientation, white background and pixel ranges.

    Args:
        image: The image; of several frames the current one.
        ranges: The ranges of pixels of more than 8 bits; that of this image alone if absent.
    """
    wide = wide_pixels(image)
    upright = _grey(*wide, ranges or {}) if wide is not None else _displayable(ImageOps.exif_transpose(image))
    if upright.mode in {"RGBA", "LA", "La", "PA", "RGBa"} or "transparency" in upright.info:
        layer = upright.convert("RGBA")
        page = Image.new("RGBA", layer.size, "white")
        upright = Image.alpha_composite(page, layer)
    return np.array(upright.convert("RGB"))


def _displayable(image: Image.Image) -> Image.Image:
    """Return an image in a mode that Pillow converts to RGB: CIE L*a*b* becomes sRGB."""
    if image.mode != "LAB":
        return image
    lab, rgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    converted = ImageCms.profileToProfile(image, lab, rgb, outputMode="RGB")
    assert converted is not None
    return converted


def _grey(kind: PixelKind, values: np.ndarray, ranges: Mapping[PixelKind, PixelRange]) -> Image.Image:
    """Return wide pixels as 8-bit grey."""
    if kind in ranges:
        return Image.fromarray(as_bytes(values, ranges[kind]))
    statistics = measured(kind, values)
    if statistics is None:
        raise UnreadableFileError("no finite pixel")
    return Image.fromarray(as_bytes(values, common_ranges([statistics])[kind]))


def _colours(values: np.ndarray, chosen: PixelRange) -> Image.Image:
    """Return colours of 16 bits, and alpha if there is any, with 8 bits."""
    colours = as_bytes(values[..., :3], chosen)
    if values.shape[-1] == 3:
        return Image.fromarray(colours)
    return Image.fromarray(np.dstack([colours, as_bytes(values[..., 3], _HIGHER_BYTES)]))


def _has_frames(image: Image.Image) -> bool:
    try:
        return image.format in _FRAMES and bool(getattr(image, "is_animated", False))
    except Exception:  # a decoder may raise anything on later, damaged frames
        return False
