"""An opened image model: a torch module, what goes into it, and how its features are read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple, Protocol, final

import numpy as np
import torch
from torch import nn

from assay.core.errors import ModelError
from assay.core.features import Encoded
from assay.core.model import Fishers, LinearHead
from assay.core.task import Example
from assay.core.trainable import Trainable
from assay.encoders.augmentation import cut_and_mirrored
from assay.encoders.fisher import head_fishers
from assay.encoders.pixels import PixelRecipe
from assay.encoders.restoring import lent
from assay.encoders.torch_model import Seen, TorchModel
from assay.encoders.weights import Origin

_CPU_PIECE = 16  # pictures in one forward pass on a CPU: with 32 their maps fall out of the caches


class Outputs(NamedTuple):
    """What a module says of a batch."""

    features: torch.Tensor  # examples x width
    logits: torch.Tensor | None  # examples x source classes


Forward = Callable[[torch.Tensor], Outputs]


class Preparation(Protocol):
    """What turns pictures into the input of a model; ``PixelRecipe`` is the usual one."""

    def read(self, images: Sequence[np.ndarray], device: str) -> torch.Tensor:
        """Return float32 input on ``device``, one row for each picture."""

    def describe(self) -> str:
        """Return in words what is done to a picture."""


@final
class ImageEncoder(TorchModel[Forward]):
    """Encodes RGB pictures with a torch module, in evaluation mode and float32.

    Args:
        module: Holds the weights; it is moved to ``device``.
        forward: Reads features and logits of a batch from ``module``.
        preparation: How a picture becomes input.
        device: As torch names it.
        origin: Where the weights came from.
    """

    def __init__(
        self, module: nn.Module, forward: Forward, preparation: Preparation, device: str, origin: Origin
    ) -> None:
        super().__init__(module, forward, device)
        _lay_out(module)
        self._preparation = preparation
        self._facts = self._known(self._seen(), origin)

    def encode(self, examples: Sequence[Example]) -> Encoded:
        """Return float32 features, and probabilities where the model has a source head."""
        images = [_as_image(example) for example in examples]
        if not images:
            probs = (
                np.empty((0, self._facts.source_classes), np.float32) if self._facts.source_classes else None
            )
            return Encoded(np.empty((0, self._facts.width), np.float32), probs)
        piece = _CPU_PIECE if self._device == "cpu" else len(images)
        with torch.inference_mode():
            outputs = [self._outputs(part) for part in torch.split(self._read(images), piece)]
            features = torch.cat([part.features for part in outputs]).float().cpu().numpy()
            logits = [part.logits for part in outputs if part.logits is not None]
            probs = torch.cat(logits).float().softmax(1).cpu().numpy() if logits else None
        return Encoded(features, probs)

    def fishers(self, examples: Iterable[Example], head: LinearHead, draws: int, seed: int) -> Fishers:
        """Return the Fisher information of the weights on some pictures, one at a time."""
        inputs = (self._read([_as_image(example)]) for example in examples)
        return head_fishers(self._module, self._outputs, inputs, head, draws, seed)

    @contextmanager
    def training(self) -> Iterator[Trainable]:
        """Lend the weights for training."""
        with lent(self._module) as module:
            yield ImageTrainable(module, self._outputs, self._preparation, self._device)

    def _read(self, images: Sequence[np.ndarray]) -> torch.Tensor:
        batch = self._preparation.read(images, self._device)
        return batch.contiguous(memory_format=torch.channels_last) if batch.ndim == 4 else batch

    def _outputs(self, batch: torch.Tensor) -> Outputs:
        return self._run(batch)

    def _seen(self) -> Seen:
        with torch.no_grad():
            probe = self._read([np.zeros((64, 64, 3), np.uint8)])
            outputs = self._outputs(probe)
        if outputs.features.ndim != 2:
            raise ModelError(
                f"{type(self._module).__name__} gives features of shape {tuple(outputs.features.shape)}; "
                f"examples x width is needed. Name another layer to read."
            )
        return Seen(
            width=outputs.features.shape[1],
            source_classes=0 if outputs.logits is None else outputs.logits.shape[1],
            input=" x ".join(str(side) for side in probe.shape[1:]),
            preprocessing=self._preparation.describe(),
            again=lambda: self._outputs(probe),
        )


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


def pooled(values: torch.Tensor) -> torch.Tensor:
    """Return examples x width: the mean over places of a map, or over tokens of a sequence."""
    if values.ndim == 4:
        return values.mean((2, 3))
    if values.ndim == 3:
        return values.mean(1)
    return values.flatten(1)


def _lay_out(module: nn.Module) -> None:
    """Lay out convolutions as PyTorch is faster with: on a CPU by half for EfficientNet-Lite."""
    for weight in module.parameters():
        if weight.ndim == 4:  # those over more than a plane have no such layout
            weight.data = weight.data.contiguous(memory_format=torch.channels_last)


def _as_image(example: Example) -> np.ndarray:
    if not isinstance(example, np.ndarray):
        raise ModelError(f"This model reads images; it was given a {type(example).__name__}.")
    return example
