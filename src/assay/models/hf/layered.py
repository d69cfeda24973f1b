"""An opened transformer that returns features from any layer, or from all in one forward pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any, final

import numpy as np
import torch

from assay.core.errors import ModelError
from assay.core.features import Encoded
from assay.core.model import Layered, Model, ModelFacts
from assay.core.task import Example
from assay.core.trainable import Trainable
from assay.encoders.layer_selection import LayerSelection, Several


@final
class LayeredEncoder(Layered):
    """A layered model; the models that read its layers share one module.

    Args:
        last: The model that reads the last layer.
        read_at: Returns the model for other layers of the module.
        run: Returns the output for an example, with all layers.
    """

    def __init__(
        self, last: Model, read_at: Callable[[LayerSelection], Model], run: Callable[[], Any]
    ) -> None:
        self._read_at = read_at
        self._starts = np.cumsum([0, *_widths(run)])
        self._last, self._all = last, read_at(LayerSelection(Several.ALL))
        self._opened: list[Model] = []
        stated = last.facts.preprocessing.replace("layer -1", "the layer is chosen on val of each task")
        self._facts = replace(last.facts, preprocessing=stated)

    @property
    def facts(self) -> ModelFacts:
        """The facts about the model at its last layer."""
        return replace(self._facts, dtype=self._last.facts.dtype)

    @property
    def notes(self) -> Sequence[str]:
        """Warnings about the model, at every layer."""
        return self._last.notes

    def settle_precision(self, examples: Callable[[], Sequence[Example]]) -> str | None:
        """Choose one precision for all layers, by all of them."""
        return self._all.settle_precision(examples)

    def encode(self, examples: Sequence[Example]) -> Encoded:
        """Return the features of the last layer."""
        return self._last.encode(examples)

    @property
    def all_layers(self) -> Model:
        """The model that returns the concatenated features of all layers from one forward pass."""
        return self._all

    def apart(self, features: np.ndarray) -> Sequence[np.ndarray]:
        """Return the features of each layer; they are four times as wide for pairs read apart."""
        blocks = features.reshape(len(features), -1, self._starts[-1])
        ends = zip(self._starts[:-1], self._starts[1:], strict=True)
        return [blocks[:, :, start:end].reshape(len(features), -1) for start, end in ends]

    def at(self, layer: int) -> Model:
        """Return the model that reads one layer; it shares the weights."""
        self._opened.append(self._read_at(LayerSelection(layer)))
        return self._opened[-1]

    def training(self) -> AbstractContextManager[Trainable]:
        """Train the weights inside, at the last layer."""
        return self._last.training()

    def close(self) -> None:
        """Free the weights."""
        self._read_at = _closed
        for model in (self._last, self._all, *self._opened):
            model.close()


def _widths(run: Callable[[], Any]) -> list[int]:
    """Return the number of features of the pooled states of each layer."""
    with torch.no_grad():
        states_of_layers = LayerSelection(Several.ALL).states(run())
    return [states.shape[1] if states.ndim == 4 else states.shape[-1] for states in states_of_layers]


def _closed(_: LayerSelection) -> Model:
    raise ModelError("The model is closed. Open it again.")
