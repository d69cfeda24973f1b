"""A trainable Keras model, rebuilt on the torch backend with the weights of its worker."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, final

import numpy as np
import torch
from torch import nn

from assay.core.errors import NotApplicable
from assay.core.task import Example
from assay.core.trainable import Trainable
from assay.encoders.augmentation import cut_and_mirrored
from assay.encoders.examples import as_images
from assay.encoders.images import pooled
from assay.encoders.pixels import PixelRecipe
from assay.encoders.tensorflow.model_process import ModelProcess
from assay.encoders.tensorflow.model_server import Request
from assay.models.keras.opening import open_model, outputs_of, preprocessing


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
        sys.modules["tensorflow"] = None  # type: ignore[assignment]  # None makes the import fail
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
class KerasTrainable(Trainable):
    """A Keras model on torch with the weights of its worker.

    Args:
        worker: The process that holds the model.
        settings: What it was asked to open.
        recipe: The image preprocessing.
        device: The torch device.

    Raises:
        NotApplicable: The model cannot be built on torch.
    """

    def __init__(
        self, worker: ModelProcess, settings: dict[str, Any], recipe: PixelRecipe, device: str
    ) -> None:
        with keras_on_torch() as keras:
            model = _built(settings)
            for row, variable in enumerate(model.weights):
                variable.assign(worker.ask({"do": Request.VARIABLE, "row": row}).arrays["value"])
            reader = keras.Model(model.inputs, outputs_of(model, settings).features)
            self.module = KerasModule(reader, model, device).to(device).eval()
            self._preprocess = preprocessing(settings)
        self.device = device
        self._recipe = recipe

    def prepared(self, example: Example) -> np.ndarray:
        """Return the resized image as bytes."""
        return self._recipe.apply(as_images([example])[0])

    def inputs(self, prepared: Sequence[np.ndarray], rng: np.random.Generator | None) -> torch.Tensor:
        """Return examples x height x width x channels."""
        values = self._recipe.input_array(np.stack(prepared)).astype(np.float32)
        if self._preprocess is not None:
            values = self._preprocess(values)
        batch = torch.from_numpy(np.ascontiguousarray(values)).to(self.device)
        if rng is not None:
            batch = cut_and_mirrored(batch.movedim(-1, 1), rng).movedim(1, -1)
        return batch.contiguous()

    def features(self, inputs: torch.Tensor) -> torch.Tensor:
        """Return examples x width."""
        return self.module(inputs)  # type: ignore[no-any-return]  # as nn.Module says


@final
class KerasModule(nn.Module):
    """The features of a Keras model.

    Args:
        reader: From images to features, examples x height x width x channels; its layers are the model's.
        model: Holds the weights.
        device: The torch device.
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

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return examples x width."""
        import keras

        for layer in self.layers:
            if isinstance(layer, KerasNorm):
                layer.begin()
        reader, device = self._keras
        with keras.device("gpu" + device.removeprefix("cuda") if device.startswith("cuda") else "cpu:0"):
            return pooled(reader(images, training=self.training), (1, 2))


@final
class KerasLayer(nn.Module):
    """The weights of one layer; without a seed of its own, its random seed is its position."""

    def __init__(self, layer: Any, position: int) -> None:
        super().__init__()
        for seeds in layer._seed_generators:
            seeds.state.assign([position, 0])
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
        flags = [weight.requires_grad for weight in self.parameters()]
        self._keras[0].trainable = mode
        for weight, requires_grad in zip(self.parameters(), flags, strict=True):
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
        """Set the weight of the next batch; without momentum all batches weigh the same, as in torch."""
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
    """Register the tensors of a layer in a module; they stay the same objects when Keras assigns to them."""
    trained = {id(variable) for variable in layer._trainable_variables}
    for position, variable in enumerate(_own(layer)):
        name = f"{position}_{variable.name}"
        if id(variable) in trained:
            module.register_parameter(name, variable.value)
        else:
            module.register_buffer(name, variable.value.data)


def _built(settings: dict[str, Any]) -> Any:
    try:
        return open_model({**settings, "pretrained": settings["pretrained"] and not settings["module"]})
    except Exception as error:  # Keras raises many kinds where a layer needs TensorFlow
        reason = " ".join(str(error).split())[:200]
        raise NotApplicable(
            f"the model cannot be built on torch, where it would be trained: {reason}"
        ) from error
