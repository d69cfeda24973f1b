"""Trains an image model: pictures are resized once, and normalised for each batch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import numpy as np
import torch
from torch import nn

from assay.core.errors import ModelError
from assay.core.task import Example
from assay.core.trainable import Trainable
from assay.encoders.augmentation import cut_and_mirrored
from assay.encoders.images import Forward, Preparation
from assay.encoders.pixels import PixelRecipe


@final
class ImageTrainable(Trainable):
    """An image model with its weights lent.

    Args:
        module: Holds the weights.
        forward: Reads the features of a batch from ``module``.
        preparation: How a picture becomes input.
        device: As torch names it.
    """

    def __init__(self, module: nn.Module, forward: Forward, preparation: Preparation, device: str) -> None:
        self.module = module
        self.device = device
        self._forward = forward
        self._preparation = preparation

    def prepared(self, example: Example) -> np.ndarray:
        """Return the resized picture as bytes, or the input where the preparation cannot be split."""
        if not isinstance(example, np.ndarray):
            raise ModelError(f"This model reads images; it was given a {type(example).__name__}.")
        if isinstance(self._preparation, PixelRecipe):
            return self._preparation.apply(example)
        return np.asarray(self._preparation.read([example], "cpu")[0])

    def inputs(self, prepared: Sequence[np.ndarray], rng: np.random.Generator | None) -> torch.Tensor:
        """Return examples x channels x height x width, or what else the preparation makes of them."""
        batch = torch.from_numpy(np.stack(prepared)).to(self.device)
        if isinstance(self._preparation, PixelRecipe):
            batch = self._preparation.normalise(batch)
        if rng is not None and batch.ndim == 4:
            batch = cut_and_mirrored(batch, rng)
        return batch.contiguous(memory_format=torch.channels_last) if batch.ndim == 4 else batch

    def features(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return examples x width."""
        return self._forward(inputs).features
