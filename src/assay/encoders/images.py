"""An opened image model: a torch module with its preprocessing and forward pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol, final

import numpy as np
import torch
from torch import nn

from assay.core.errors import ModelError
from assay.core.features import Encoded
from assay.core.model import Fishers, LinearHead, PixelInput
from assay.core.task import Example
from assay.core.trainable import Trainable
from assay.encoders.augmentation import cut_and_mirrored
from assay.encoders.examples import as_images
from assay.encoders.fisher import head_fishers
from assay.encoders.identity import Origin
from assay.encoders.input_range import Scaling
from assay.encoders.pixels import PixelRecipe
from assay.encoders.pooling import real_tensor
from assay.encoders.precision import Precision
from assay.encoders.torch_model import Outputs, TorchModel

_CPU_PIECE = 16  # images per forward pass on a CPU: feature maps of 32 exceed the caches

Forward = Callable[[torch.Tensor], Outputs]


class Preparation(Protocol):
    """Image preprocessing, usually a ``PixelRecipe``."""

    def read(self, images: Sequence[np.ndarray], device: str) -> torch.Tensor:
        """Return float32 input on ``device``, one row per image."""

    def describe(self) -> str:
        """Describe the preprocessing of an image."""


@final
class ImageEncoder(TorchModel[Forward]):
    """Encodes RGB images with a torch module, in evaluation mode and float32.

    Args:
        module: The torch module with the weights; it is moved to ``device``.
        forward: Computes features and logits of a batch with ``module``.
        preparation: The image preprocessing.
        device: The torch device.
        origin: The origin of the weights.
        scaling: Where the range of pixels comes from, if that is to be said.
        precision: The precision of encoding; by default it is chosen for the device.
    """

    def __init__(  # noqa: PLR0913  # all that its sources know
        self,
        module: nn.Module,
        forward: Forward,
        preparation: Preparation,
        device: str,
        origin: Origin,
        *,
        scaling: Scaling | None = None,
        precision: Precision | None = None,
    ) -> None:
        super().__init__(module, forward, device, precision)
        _lay_out(module)
        self._preparation = preparation
        probe = self._read([np.zeros((64, 64, 3), np.uint8)])
        facts = self._measured(
            lambda: self._outputs(probe),
            origin,
            size=" x ".join(str(side) for side in probe.shape[1:]),
            preprocessing=preparation.describe(),
        )
        self._facts = replace(facts, input_note=scaling.note if scaling else "")
        self._notes = scaling.warnings if scaling else ()

    def encode(self, examples: Sequence[Example]) -> Encoded:
        """Return float32 features, and probabilities if the model has a source head."""
        return self._encoded(self._read(as_images(examples)) if examples else None)

    @property
    def pixels(self) -> PixelInput | None:
        """How images are prepared, where that is a ``PixelRecipe``."""
        recipe = self._preparation
        if not isinstance(recipe, PixelRecipe):
            return None

        def encode(pixels: np.ndarray) -> Encoded:
            batch = recipe.normalise(_sent(pixels, self._device))
            return self._encoded(_in_layout(batch))

        return PixelInput(recipe.geometry, recipe.shape, recipe.apply, encode)

    def _encoded(self, batch: torch.Tensor | None) -> Encoded:
        count = 0 if batch is None else len(batch)
        piece = _CPU_PIECE if self._device == "cpu" else max(count, 1)
        starts = range(0, count, piece)
        pieces = () if batch is None else torch.split(batch, piece)
        parts = (
            (slice(start, start + piece), self._outputs(part))
            for start, part in zip(starts, pieces, strict=True)
        )
        return Encoded(*self._collected(count, parts))

    def fishers(self, examples: Iterable[Example], head: LinearHead, draws: int, seed: int) -> Fishers:
        """Return the Fisher information of the weights on images, one at a time."""
        inputs = (self._read(as_images([example])) for example in examples)
        return head_fishers(self._differentiable, self._outputs, inputs, head, draws, seed)

    @contextmanager
    def training(self) -> Iterator[Trainable]:
        """Return a context in which the weights can be trained."""
        with self._trained() as module:
            yield ImageTrainable(module, self._outputs, self._preparation, self._device)

    def _read(self, images: Sequence[np.ndarray]) -> torch.Tensor:
        return _in_layout(self._preparation.read(images, self._device))

    def _outputs(self, batch: torch.Tensor) -> Outputs:
        return self._run(batch)


@final
@dataclass(frozen=True, slots=True)
class ImageTrainable(Trainable):
    """An image model in training.

    Attributes:
        forward: Computes the features of a batch with ``module``.
        preparation: The image preprocessing.
    """

    module: Any
    forward: Forward
    preparation: Preparation
    device: str

    def prepared(self, example: Example) -> np.ndarray:
        """Return the resized image as bytes, or the final input if the preprocessing cannot be split."""
        (image,) = as_images([example])
        if isinstance(self.preparation, PixelRecipe):
            return self.preparation.apply(image)
        return np.asarray(self.preparation.read([image], "cpu")[0])

    def inputs(self, prepared: Sequence[np.ndarray], rng: np.random.Generator | None) -> torch.Tensor:
        """Return examples x channels x height x width, or another output of the preprocessing."""
        batch = torch.from_numpy(np.stack(prepared)).to(self.device)
        if isinstance(self.preparation, PixelRecipe):
            batch = self.preparation.normalise(batch)
        if rng is not None and batch.ndim == 4:
            batch = cut_and_mirrored(batch, rng)
        return _in_layout(batch)

    def features(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return features, examples x width."""
        return self.forward(inputs).features


def pooled(values: torch.Tensor, axes: tuple[int, int] = (2, 3)) -> torch.Tensor:
    """Return features (examples x width): the mean over positions of a map or tokens of a sequence.

    Args:
        values: The output of a model for a batch.
        axes: The spatial axes of a map.
    """
    values = real_tensor(values)
    if values.ndim < 2:
        raise ModelError(
            f"The module gives a tensor of shape {tuple(values.shape)}; examples x width is needed."
        )
    if values.ndim == 4:
        return values.mean(axes)
    if values.ndim == 3:
        return values.mean(1)
    return values.flatten(1)


def _sent(pixels: np.ndarray, device: str) -> torch.Tensor:
    """Return pixels on a device; a GPU fetches them from pinned memory while the CPU goes on."""
    held = torch.from_numpy(pixels)
    return held.pin_memory().to(device, non_blocking=True) if device.startswith("cuda") else held.to(device)


def _in_layout(batch: torch.Tensor) -> torch.Tensor:
    """Return input in the memory layout of the weights."""
    return batch.contiguous(memory_format=torch.channels_last) if batch.ndim == 4 else batch


def _lay_out(module: nn.Module) -> None:
    """Use the memory layout in which PyTorch's convolutions are fastest."""
    for weight in module.parameters():
        if weight.ndim == 4:  # the layout exists only for 2D convolutions
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)
