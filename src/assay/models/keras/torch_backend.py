"""A Keras model on the torch backend, as the training loop sees modules: weights, statistics, modes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, final

import torch
from torch import nn

from assay.core.errors import NotApplicable


@contextmanager
def keras_on_torch() -> Iterator[Any]:
    """Give Keras on the torch backend; meanwhile it finds no TensorFlow, which must not share our process.

    Raises:
        NotApplicable: This process uses Keras with another backend.
    """
    kept = os.environ.get("KERAS_BACKEND")
    os.environ["KERAS_BACKEND"] = "torch"  # Keras reads it when it is imported
    hides = "tensorflow" not in sys.modules
    if hides:
        sys.modules["tensorflow"] = None  # type: ignore[assignment]  # None is how Python says: not there
    try:
        import keras

        if keras.backend.backend() != "torch":
            raise NotApplicable(
                f"Keras runs on {keras.backend.backend()} in this process, and training needs it on torch: "
                "set KERAS_BACKEND=torch, or do not import keras"
            )
        yield keras
    finally:
        if hides:
            del sys.modules["tensorflow"]
        os.environ.pop("KERAS_BACKEND")
        if kept is not None:
            os.environ["KERAS_BACKEND"] = kept


@final
class KerasModule(nn.Module):
    """The features of a Keras model.

    Args:
        reader: From pictures to features, examples x height x width x channels; its layers are the model's.
        model: Holds the weights.
        device: As torch names it.
    """

    def __init__(self, reader: Any, model: Any, device: str) -> None:
        super().__init__()
        from keras.layers import BatchNormalization

        model.trainable = True
        self._keras = (reader, device)  # a Keras model is a module itself: a tuple is none of the weights
        owners = [layer for layer in model._flatten_layers() if _own(layer)]
        norms = [isinstance(layer, BatchNormalization) for layer in owners]
        self.layers = nn.ModuleList(
            KerasNorm(layer) if norm else KerasLayer(layer, row)
            for row, (layer, norm) in enumerate(zip(owners, norms, strict=True))
        )

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Return examples x width."""
        import keras

        for layer in self.layers:
            if isinstance(layer, KerasNorm):
                layer.begin()
        reader, device = self._keras
        with keras.device("gpu" + device.removeprefix("cuda") if device.startswith("cuda") else "cpu:0"):
            found: torch.Tensor = reader(pictures, training=self.training)
        if found.ndim == 4:
            return found.mean((1, 2))
        return found.mean(1) if found.ndim == 3 else found.flatten(1)


@final
class KerasLayer(nn.Module):
    """The weights of one layer; what it draws without a seed of its own is drawn from its place."""

    def __init__(self, layer: Any, place: int) -> None:
        super().__init__()
        for seeds in layer._seed_generators:
            seeds.state.assign([place, 0])
        _adopt(self, layer)


@final
class KerasNorm(nn.modules.batchnorm._BatchNorm):
    """A batch normalisation of Keras with the modes of one of torch: Keras reads them off ``trainable``."""

    _keras: tuple[Any, ...] = ()  # the layer, which is a module itself and none of the weights; its momentum
    _batches = 0

    def __init__(self, layer: Any) -> None:
        super().__init__(1, affine=False, track_running_stats=False)
        self._keras = (layer, layer.momentum)
        _adopt(self, layer)

    def train(self, mode: bool = True) -> KerasNorm:
        """Take the statistics of each batch, and learn them; or keep those that are there."""
        wanted = [weight.requires_grad for weight in self.parameters()]
        self._keras[0].trainable = mode
        for weight, requires_grad in zip(self.parameters(), wanted, strict=True):
            weight.requires_grad_(requires_grad)
        super().train(mode)
        return self

    def reset_running_stats(self) -> None:
        """Forget the statistics."""
        self._batches = 0
        for layer in self._keras[:1]:  # none yet where torch makes the norm
            layer.moving_mean.value.data.zero_()
            layer.moving_variance.value.data.fill_(1)

    def begin(self) -> None:
        """Say how much the next batch counts: as all before it where there is no momentum, as in torch."""
        layer, momentum = self._keras
        if self.training and self.momentum is None:
            self._batches += 1
            momentum = 1 - 1 / self._batches
        layer.momentum = momentum


def _own(layer: Any) -> list[Any]:
    """Return the variables of a layer that are not those of a layer inside it."""
    seeds = [seeds.state for seeds in layer._seed_generators]
    return [*layer._trainable_variables, *layer._non_trainable_variables, *seeds]


def _adopt(module: nn.Module, layer: Any) -> None:
    """Let a module hold the tensors of a layer, which stay the same ones whatever Keras assigns to them."""
    trained = {id(variable) for variable in layer._trainable_variables}
    for place, variable in enumerate(_own(layer)):
        name = f"{place}_{variable.name}"
        if id(variable) in trained:
            module.register_parameter(name, variable.value)
        else:
            module.register_buffer(name, variable.value.data)
