"""Reads 16-bit colour images, which Pillow alone reduces to 8 bits."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from assay.readers.files import UnreadableFileError

_OTHER_BYTE = {";16B": ";16L", ";16L": ";16B", ";16N": ";16B" if sys.byteorder == "little" else ";16L"}
_BITS_PER_SAMPLE, _PLANAR = 258, 284  # TIFF tags


def has_deep_colours(image: Image.Image) -> bool:
    """Return whether colours have 16 bits; known before Pillow loads them.

    Raises:
        UnreadableFileError: They lie in planes, which Pillow takes for planes of 8 bits.
    """
    if image.mode not in {"RGB", "RGBA"}:
        return False
    tags = getattr(image, "tag_v2", {})
    if tags.get(_PLANAR) == 2 and tags.get(_BITS_PER_SAMPLE, (8,))[0] > 8:
        raise UnreadableFileError("a TIFF with 16-bit colours in planes: save it as PNG")
    return any(_form(tile)[-4:] in _OTHER_BYTE for tile in getattr(image, "tile", ()))


def deep_colours(opened: Callable[[], Image.Image]) -> np.ndarray:
    """Return the upright colours of an image, height x width x 3, or 4 with alpha, uint16.

    Pillow keeps the byte that it takes for the higher one: told the other byte order, it gives the lower.

    Args:
        opened: Opens the image.
    """
    with opened() as image:
        higher = np.asarray(ImageOps.exif_transpose(image))
    with opened() as image:
        tiles: Any = image
        tiles.tile = [_with_other_byte(tile) for tile in tiles.tile]
        lower = np.asarray(ImageOps.exif_transpose(image))
    return np.asarray(higher.astype(np.uint16) << 8 | lower)


def _form(tile: Any) -> str:
    """Return how the pixels of a part of an image lie in its file, such as RGB;16B."""
    settings = tile[3]
    return str(settings[0] if isinstance(settings, tuple) else settings)


def _with_other_byte(tile: Any) -> Any:
    form = _form(tile)
    swapped = f"{form[:-4]}{_OTHER_BYTE[form[-4:]]}"
    settings = (swapped, *tile[3][1:]) if isinstance(tile[3], tuple) else swapped
    parts = (*tile[:3], settings)
    return parts if type(tile) is tuple else type(tile)(*parts)  # named since Pillow 11
