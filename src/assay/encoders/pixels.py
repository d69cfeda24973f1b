"""Image preprocessing: resizing, cropping and normalisation, exactly as in the model's training.

Pillow resizes. The rest is our own: the transforms of torchvision need torch, and torchvision and
timm round half pixels in different ways; tests/encoders/test_pixels.py compares the result with both.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from assay.core.errors import ModelError, UsageError

if TYPE_CHECKING:
    import torch

Size = tuple[int, int]  # height, width

FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
}


class Fit(StrEnum):
    """The method of resizing an image to a height and width."""

    STRETCH = "stretched to"
    COVER = "scaled to cover"
    CONTAIN = "scaled to fit into"


class Rounding(StrEnum):
    """The rounding of sizes and offsets; it changes published accuracies by up to a point."""

    TORCHVISION = "torchvision"  # truncates the long side; rounds half offsets to even
    NEAREST = "nearest"  # rounds the long side; rounds half offsets down


_OTHER_CHANNELS = re.compile(r"to have (\d+) channels, but got \d+ channels")  # of torch

_READERS = ThreadPoolExecutor(thread_name_prefix="pixels")  # Pillow releases the GIL while resizing


@dataclass(frozen=True, slots=True)
class PixelRecipe:
    """The preprocessing of RGB images for a model.

    The geometry is done by Pillow, as torchvision and timm do on PIL images; the numbers are done in float32.

    Attributes:
        resize: The short side in pixels, or a height and a width, or None for no resizing.
        crop: The side of the square, or the height and width, cut from the centre; None for no crop, which
            needs a ``resize`` to a height and a width.
        fit: How a ``resize`` to a height and a width is reached.
        interpolation: A name in ``FILTERS``.
        mean: What is subtracted from each channel.
        std: What each channel is then divided by.
        channels: 3 for RGB, 1 for grey (ITU-R 601-2 luma).
        scale: True to bring 0..255 to 0..1 before the mean is subtracted.
        border: The grey level or RGB colour around images smaller than the crop.
        rounding: Where half pixels go.
    """

    resize: int | Size | None
    crop: int | Size | None
    interpolation: str = "bilinear"
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    channels: int = 3
    scale: bool = True
    fit: Fit = Fit.STRETCH
    border: tuple[int, ...] = (0,)
    rounding: Rounding = Rounding.TORCHVISION

    def __post_init__(self) -> None:
        if self.interpolation not in FILTERS:
            raise UsageError(
                f"No interpolation called '{self.interpolation}'. Write one of: {', '.join(FILTERS)}."
            )
        if self.channels not in (1, 3):
            raise UsageError(f"Images have 3 channels, or 1 for grey; got channels={self.channels}.")
        for name, values in (("mean", self.mean), ("std", self.std)):
            if len(values) not in (1, self.channels):
                raise UsageError(
                    f"Setting '{name}' has {len(values)} values for {self.channels} channels. "
                    f"Write one number, or one for each channel."
                )
        if 0 in self.std:
            raise UsageError(f"Setting 'std' is {self.std!r}; nothing divides by 0. Write std=1.0.")
        if self.crop is None and not isinstance(self.resize, tuple):
            raise UsageError(
                "Pictures of one batch need one size. Give a crop, or resize to a height and width."
            )

    @property
    def size(self) -> Size:
        """Height and width of the input."""
        target = self.resize if self.crop is None else self.crop
        assert target is not None
        return target if isinstance(target, tuple) else (target, target)

    def apply(self, image: np.ndarray) -> np.ndarray:
        """Resize and crop one image.

        Args:
            image: height x width x 3, uint8, RGB.

        Returns:
            channels x height x width, uint8.
        """
        resized = Image.fromarray(image)
        if self.channels == 1:
            resized = resized.convert("L")
        size = self._resized(resized.height, resized.width)
        if size != (resized.height, resized.width):
            resized = resized.resize(size[::-1], FILTERS[self.interpolation])
        pixels = np.asarray(resized)
        pixels = pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)
        return self._cropped(pixels)

    def read(self, images: Sequence[np.ndarray], device: str) -> torch.Tensor:
        """Return float32 input on ``device``: examples x channels x height x width."""
        import torch

        return self.normalise(torch.from_numpy(self.pixels(images)).to(device))

    def pixels(self, images: Sequence[np.ndarray]) -> np.ndarray:
        """Return the images resized and cropped: examples x channels x height x width, uint8."""
        return np.stack(list(_READERS.map(self.apply, images)))

    def normalise(self, pixels: torch.Tensor) -> torch.Tensor:
        """Return the float32 input for a batch of pixels, on the device of the pixels.

        Args:
            pixels: examples x channels x height x width, uint8.
        """
        import torch

        pixels = pixels.permute(0, 2, 3, 1)  # as the cache and torch's convolutions lay them out
        by_row = pixels.device.type == "cpu" and pixels.is_contiguous() and self.channels > 1
        mean, std = (
            torch.tensor(each, dtype=torch.float32, device=pixels.device)
            .expand(self.channels)
            .repeat(pixels.shape[2] if by_row else 1)
            for each in (self.mean, self.std)
        )

        def normalised(values: torch.Tensor) -> torch.Tensor:
            return (values.div_(255) if self.scale else values).sub_(mean).div_(std)

        if not by_row:
            return normalised(pixels.to(torch.float32)).permute(0, 3, 1, 2)
        values = torch.empty(pixels.shape, dtype=torch.float32)
        for image, row in zip(pixels.flatten(2), values.flatten(2), strict=True):
            normalised(row.copy_(image))  # while it is in the processor's cache
        return values.permute(0, 3, 1, 2)

    def normalise_array(self, pixels: np.ndarray) -> np.ndarray:
        """Return the result of ``normalise`` as an array, for models that are not torch modules."""
        values = pixels.astype(np.float32)
        if self.scale:
            values /= np.float32(255)
        values -= np.array(self.mean, np.float32)[:, None, None]
        values /= np.array(self.std, np.float32)[:, None, None]
        return values

    def input_array(self, pixels: np.ndarray) -> np.ndarray:
        """Return examples x height x width x channels; raw pixels if the recipe does not change them."""
        is_bare = not self.scale and set(self.mean) == {0.0} and set(self.std) == {1.0}
        values = pixels if is_bare else self.normalise_array(pixels)
        return values.transpose(0, 2, 3, 1)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Channels, height and width of the input."""
        return (self.channels, *self.size)

    @property
    def geometry(self) -> str:
        """All that decides the bytes before they are normalised."""
        return repr(replace(self, mean=(0.0,), std=(1.0,), scale=True))

    def describe(self) -> str:
        """Describe the recipe."""
        steps = ["grey"] if self.channels == 1 else []
        if isinstance(self.resize, tuple):
            steps.append(f"{self.fit} {_in_words(self.resize)} ({self.interpolation})")
        elif self.resize is not None:
            steps.append(f"short side to {self.resize} ({self.interpolation})")
        if self.crop is not None:
            rounded = "" if self.rounding is Rounding.TORCHVISION else f" ({self.rounding} pixels)"
            steps.append(f"centre crop {_in_words(self.size)}{rounded}")
        steps.append("0..1" if self.scale else "0..255")
        steps.append(f"mean {_numbers(self.mean)}, std {_numbers(self.std)}")
        return "; ".join(steps)

    def _resized(self, height: int, width: int) -> Size:
        if self.resize is None:
            return height, width
        if isinstance(self.resize, int):
            short, long = sorted((height, width))
            exact = self.resize * long / short
            other = int(exact) if self.rounding is Rounding.TORCHVISION else round(exact)
            return (self.resize, other) if height <= width else (other, self.resize)
        if self.fit is Fit.STRETCH:
            return self.resize
        ratios = height / self.resize[0], width / self.resize[1]
        ratio = max(ratios) if self.fit is Fit.CONTAIN else min(ratios)
        return max(round(height / ratio), 1), max(round(width / ratio), 1)  # timm rounds

    def _cropped(self, pixels: np.ndarray) -> np.ndarray:
        if self.crop is None:
            return pixels
        _, height, width = pixels.shape
        wanted_height, wanted_width = self.size
        top, bottom = _padding(height, wanted_height)
        left, right = _padding(width, wanted_width)
        if top + bottom + left + right:
            pixels = self._bordered(pixels, (top, bottom), (left, right))
        top = self._half(pixels.shape[1] - wanted_height)
        left = self._half(pixels.shape[2] - wanted_width)
        return pixels[:, top : top + wanted_height, left : left + wanted_width]

    def _half(self, length: int) -> int:
        return round(length / 2) if self.rounding is Rounding.TORCHVISION else length // 2

    def _bordered(self, pixels: np.ndarray, vertical: Size, horizontal: Size) -> np.ndarray:
        colours = np.broadcast_to(np.asarray(self.border, np.uint8), len(pixels))
        padding = (vertical, horizontal)
        return np.stack(
            [
                np.pad(channel, padding, constant_values=colour)
                for channel, colour in zip(pixels, colours, strict=True)
            ]
        )


def require_channels(channels: int | None, what: str) -> None:
    """Raise ``ModelError`` for a model whose input has another number of channels than images have."""
    if channels not in (None, 1, 3):
        raise ModelError(f"{what} takes {channels} channels; images have 3, or 1 if grey.")


class OtherChannels(ModelError):
    """A convolution was given another number of channels than it reads."""

    def __init__(self, takes: int) -> None:
        super().__init__(f"The model takes {takes} channels; images have 3, or 1 if grey (channels=1).")
        self.takes = takes


@contextmanager
def naming_channels() -> Iterator[None]:
    """Raise ``OtherChannels`` where torch says inside that a convolution reads another number of them."""
    try:
        yield
    except RuntimeError as error:
        found = _OTHER_CHANNELS.search(str(error))
        if found is None:
            raise
        raise OtherChannels(int(found[1])) from error


def _padding(side: int, wanted: int) -> Size:
    lack = max(wanted - side, 0)
    return lack // 2, (lack + 1) // 2


def _in_words(size: Size) -> str:
    return f"{size[0]} x {size[1]}"


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
