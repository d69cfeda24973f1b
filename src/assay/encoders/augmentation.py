"""Data augmentation: random crops of images, and masking of tokens and audio spans."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn

_LEAST_AREA = 0.5  # minimum crop area; 0.08, as for ImageNet, is too small for a few epochs
_LOG_RATIO = math.log(4 / 3)  # maximum log aspect ratio of a crop, as for ImageNet
HIDDEN = 0.1  # the fraction of masked tokens of a text, and of masked time of audio


def cut_and_mirrored(images: torch.Tensor, rng: np.random.Generator) -> torch.Tensor:
    """Return random crops resized to the input size, mirrored with probability 0.5.

    Args:
        images: examples x channels x height x width, normalised.
        rng: The random generator.

    References:
        Going Deeper with Convolutions (Szegedy et al., 2014), https://arxiv.org/abs/1409.4842, for cuts of a
        random area and ratio.
    """
    count = len(images)
    area = rng.uniform(_LEAST_AREA, 1.0, count)
    ratio = np.exp(rng.uniform(-_LOG_RATIO, _LOG_RATIO, count))
    width, height = (np.minimum(1.0, np.sqrt(side)) for side in (area * ratio, area / ratio))
    left, top = (rng.uniform(-1.0, 1.0, count) * (1 - side) for side in (width, height))
    mirrored = rng.choice((-1.0, 1.0), count)
    maps = np.zeros((count, 2, 3), dtype=np.float32)
    maps[:, 0, 0], maps[:, 0, 2] = width * mirrored, left
    maps[:, 1, 1], maps[:, 1, 2] = height, top
    grid = nn.functional.affine_grid(
        torch.from_numpy(maps).to(images), list(images.shape), align_corners=False
    )
    return nn.functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)


def hidden(shape: tuple[int, ...], rng: np.random.Generator) -> torch.Tensor:
    """Return the mask of hidden tokens, texts x tokens."""
    return torch.from_numpy(rng.random(shape) < HIDDEN)


def silenced(samples: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return audio with a random span replaced by silence.

    References:
        SpecAugment (Park et al., 2019), https://arxiv.org/abs/1904.08779, for hiding a span of time.
    """
    length = int(HIDDEN * len(samples))
    start = int(rng.integers(0, len(samples) - length + 1))
    changed = samples.copy()
    changed[start : start + length] = 0.0
    return changed
