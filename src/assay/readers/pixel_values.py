"""Converts pixels of 16 and 32 bits and floats to bytes, with one range for all images of a task."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageOps

from assay.core.errors import UsageError

_MOST_BEYOND = 0.001  # share of the pixels of an image that may be odd
_MOST_ODD = 100  # one image of so many may be odd as a whole
_BITS = (255.0, 1023.0, 4095.0, 16383.0, 65535.0)  # largest values of 8, 10, 12, 14 and 16 bits
_FULL = 2.0**32 - 1
_SLACK = 0.01  # how far floats may exceed their range, as interpolation leaves them
_FILLED = 0.25  # least share of a range that values fill, or it is not their range
_SAMPLE_FORMAT, _BITS_PER_SAMPLE = 339, 258  # TIFF tags


class PixelKind(StrEnum):
    """How wide pixels are stored."""

    SHORT = "16-bit"
    SIGNED_SHORT = "signed 16-bit"
    LONG = "32-bit"
    UNSIGNED_LONG = "unsigned 32-bit"
    FLOAT = "float"
    COLOUR = "16-bit colour"


class PixelRange(NamedTuple):
    """The values that become black (0) and white (255)."""

    low: float
    high: float


class PixelStatistics(NamedTuple):
    """The values of one image with wide pixels; without those that are not finite.

    Attributes:
        kind: How the pixels are stored.
        low: The least value, without a few odd pixels.
        high: The greatest value, without a few odd pixels.
        least: The least value.
        most: The greatest value.
        not_finite: The number of pixels that are not finite.
    """

    kind: PixelKind
    low: float
    high: float
    least: float
    most: float
    not_finite: int = 0


Ranges = Mapping[PixelKind, PixelRange]


def wide_pixels(image: Image.Image) -> tuple[PixelKind, np.ndarray] | None:
    """Return the upright values of an image of more than 8 bits (height x width), or None for others."""
    kind = _kind(image)
    if kind is None:
        return None
    values = np.asarray(ImageOps.exif_transpose(image))
    return kind, values.view(np.uint32) if kind is PixelKind.UNSIGNED_LONG else values


def measured(kind: PixelKind, values: np.ndarray) -> PixelStatistics | None:
    """Return the statistics of the values of an image; None if none is finite."""
    finite = values[np.isfinite(values)] if kind is PixelKind.FLOAT else values.ravel()
    if not len(finite):
        return None
    odd = int(np.ceil(_MOST_BEYOND * (len(finite) - 1)))
    ordered = np.partition(finite, [odd, len(finite) - 1 - odd])
    return PixelStatistics(
        kind,
        low=float(ordered[odd]),
        high=float(ordered[-1 - odd]),
        least=float(finite.min()),
        most=float(finite.max()),
        not_finite=values.size - len(finite),
    )


def common_ranges(images: Iterable[PixelStatistics], given: PixelRange | None = None) -> Ranges:
    """Return the range of each kind of pixels, by all images: that of their format if they fill it."""
    of_kind: dict[PixelKind, list[PixelStatistics]] = {}
    for statistics in images:
        of_kind.setdefault(statistics.kind, []).append(statistics)
    return {kind: given or _common_range(kind, some) for kind, some in of_kind.items()}


def as_bytes(values: np.ndarray, pixel_range: PixelRange) -> np.ndarray:
    """Return the values as uint8; NaN and -inf are black, inf is white."""
    scaled = (values.astype(np.float64) - pixel_range.low) * (255 / (pixel_range.high - pixel_range.low))
    return np.rint(np.clip(np.nan_to_num(scaled, nan=0.0), 0, 255)).astype(np.uint8)


def parse_range(given: Sequence[object] | None) -> PixelRange | None:
    """Return the user's range.

    Raises:
        UsageError: It is not two ascending numbers.
    """
    if given is None:
        return None
    numbers = [float(value) for value in given if isinstance(value, int | float)]
    if len(given) != 2 or len(numbers) != 2 or not -np.inf < numbers[0] < numbers[1] < np.inf:
        raise UsageError(f"pixel_range={given!r} is not a range. Write for example pixel_range=(0, 4095).")
    return PixelRange(*numbers)


def earlier_range(statistics: PixelStatistics) -> PixelRange | None:
    """Return the range by which versions before 0.2 read such an image alone; None if no range says it."""
    if statistics.not_finite or statistics.most >= 2**31:
        return None
    if statistics.most > 255 or statistics.kind in {PixelKind.SHORT, PixelKind.COLOUR}:
        return PixelRange(0.0, 65535.0)
    is_unit = statistics.kind is PixelKind.FLOAT and statistics.most <= 1
    return PixelRange(0.0, 1.0 if is_unit else 255.0)


def _kind(image: Image.Image) -> PixelKind | None:
    if image.mode == "F":
        return PixelKind.FLOAT
    if image.mode.startswith("I;"):
        return PixelKind.SHORT
    if image.mode != "I":
        return None
    tags = getattr(image, "tag_v2", {})  # of TIFF, whose unsigned integers Pillow reads as signed ones
    form, bits = tags.get(_SAMPLE_FORMAT, (1,))[0], tags.get(_BITS_PER_SAMPLE, (0,))[0]
    if (form, bits) == (2, 16):
        return PixelKind.SIGNED_SHORT
    return PixelKind.UNSIGNED_LONG if (form, bits) == (1, 32) else PixelKind.LONG


def _common_range(kind: PixelKind, images: Sequence[PixelStatistics]) -> PixelRange:
    odd = len(images) // _MOST_ODD
    low = sorted(statistics.low for statistics in images)[odd]
    high = sorted(statistics.high for statistics in images)[-1 - odd]
    if kind is PixelKind.FLOAT:
        return _float_range(low, high)
    return _integer_range(low, high)


def _float_range(low: float, high: float) -> PixelRange:
    if low < -_SLACK * max(high, 0.0):
        return PixelRange(-1.0, 1.0) if max(-low, high) <= 1 + _SLACK else _data_range(low, high)
    limits = [limit for limit in (1.0, *_BITS) if high <= limit * (1 + _SLACK)]
    if limits and (limits[0] == 1 or high >= _FILLED * limits[0]):
        return PixelRange(0.0, limits[0])
    return _data_range(0.0, high)


def _integer_range(low: float, high: float) -> PixelRange:
    if low >= 0:
        limits = [limit for limit in (*_BITS, _FULL) if high <= limit]
        return PixelRange(0.0, limits[0] if limits[0] < _FULL or high >= _FILLED * _FULL else high)
    for half in (2.0**7, 2.0**15, 2.0**31):
        if -half <= low and high < half and high - low >= _FILLED * 2 * half:
            return PixelRange(-half, half - 1)
    return _data_range(low, high)


def _data_range(low: float, high: float) -> PixelRange:
    return PixelRange(low, high if high > low else low + 1)
