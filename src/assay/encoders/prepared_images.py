"""Reads images as a model's preprocessing needs them: decoded and resized in parallel, or from the cache."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import final

import numpy as np

from assay.core.model import PixelInput
from assay.core.task import Split
from assay.encoders.examples import as_images
from assay.encoders.pixel_cache import PixelCache

_READERS = ThreadPoolExecutor(thread_name_prefix="images")  # Pillow decodes and resizes without the GIL


@final
class PreparedImages:
    """The images of a split, as bytes of one size.

    Args:
        split: The split.
        pixels: How the model prepares an image.
        cache: Where prepared images are kept; None to keep none.
    """

    def __init__(self, split: Split, pixels: PixelInput, cache: PixelCache | None) -> None:
        self._split, self._pixels, self._cache = split, pixels, cache

    def read(self, rows: np.ndarray) -> np.ndarray:
        """Return examples x channels x height x width, uint8, laid out with channels last."""
        digests = self._split.digests
        if self._cache is None or digests is None:
            return _channels_first(np.stack(list(_READERS.map(self._prepared, rows.tolist()))))
        wanted: list[int] = digests[rows].tolist()
        channels, height, width = self._pixels.shape
        images = np.empty((len(rows), height, width, channels), np.uint8)
        missing = self._cache.read(wanted, images)
        if missing:
            images[missing] = list(_READERS.map(self._prepared, rows[missing].tolist()))
            self._cache.add([wanted[position] for position in missing], images[missing])
        return _channels_first(images)

    def _prepared(self, row: int) -> np.ndarray:
        """Return height x width x channels."""
        image = self._pixels.prepare(as_images([self._split.examples.read(row)])[0])
        return image.transpose(1, 2, 0)


def _channels_first(images: np.ndarray) -> np.ndarray:
    """Return a view with channels first; of one channel with the strides of planes, which torch looks at."""
    first = images.transpose(0, 3, 1, 2)
    return images.reshape(first.shape) if first.shape[1] == 1 else first
