"""Trains a Keras model: the one that its process holds is built again on the torch backend of Keras."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, final

import numpy as np
import torch

from assay.core.errors import NotApplicable
from assay.core.task import Example
from assay.core.trainable import Trainable
from assay.encoders.augmentation import cut_and_mirrored
from assay.encoders.examples import as_images
from assay.encoders.pixels import PixelRecipe
from assay.encoders.tensorflow.worker import Child
from assay.models.keras.files import open_application, open_file
from assay.models.keras.reading import cut, preprocessing
from assay.models.keras.torch_backend import KerasModule, keras_on_torch


@final
class KerasTrainable(Trainable):
    """A Keras model with the weights that its process holds, on torch.

    Args:
        child: The process.
        wanted: What it was asked to open.
        recipe: How a picture becomes input.
        device: As torch names it.

    Raises:
        NotApplicable: The model cannot be built on torch.
    """

    def __init__(self, child: Child, wanted: dict[str, Any], recipe: PixelRecipe, device: str) -> None:
        with keras_on_torch() as keras:
            model = _built(wanted)
            for row, variable in enumerate(model.weights):
                variable.assign(child.ask({"do": "variable", "row": row}).arrays["value"])
            reader = keras.Model(model.inputs, cut(model, wanted)[0])
            self.module = KerasModule(reader, model, device).to(device).eval()
            self._preprocess = preprocessing(wanted)
        self.device = device
        self._recipe = recipe

    def prepared(self, example: Example) -> np.ndarray:
        """Return the resized picture as bytes."""
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
        found: torch.Tensor = self.module(inputs)
        return found


def _built(wanted: dict[str, Any]) -> Any:
    try:
        return open_application({**wanted, "pretrained": False}) if wanted["module"] else open_file(wanted)
    except Exception as error:  # Keras raises many kinds where a layer needs TensorFlow
        reason = " ".join(str(error).split())[:200]
        raise NotApplicable(
            f"the model cannot be built on torch, where it would be trained: {reason}"
        ) from error
