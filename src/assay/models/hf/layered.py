"""An opened transformer of which any layer can be read, all of them in one forward pass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import final

import numpy as np

from assay.core.errors import ModelError
from assay.core.features import Encoded
from assay.core.model import Layered, Model, ModelFacts
from assay.core.task import Example
from assay.core.trainable import Trainable
from assay.encoders.depth import Depth, Over


@final
class LayeredEncoder(Layered):
    """Holds one module; its readings at each depth share the weights.

    Args:
        last: Reads its last layer.
        read_at: Returns the model that reads the module at another depth.
        widths: How many features the states of each layer are.
    """

    def __init__(self, last: Model, read_at: Callable[[Depth], Model], widths: Sequence[int]) -> None:
        self._read_at = read_at
        self._starts = np.cumsum([0, *widths])
        self._last, self._all = last, read_at(Depth(Over.ALL))
        self._lent: list[Model] = []
        told = self._last.facts.preprocessing.replace("layer -1", "the layer is chosen on val of each task")
        self._facts = replace(self._last.facts, preprocessing=told)

    @property
    def facts(self) -> ModelFacts:
        """What is known of it, read at its last layer."""
        return self._facts

    def encode(self, examples: Sequence[Example]) -> Encoded:
        """Return the features of the last layer."""
        return self._last.encode(examples)

    @property
    def all_layers(self) -> Model:
        """The model whose features are those of every layer in a row, from one forward pass."""
        return self._all

    def apart(self, features: np.ndarray) -> Sequence[np.ndarray]:
        """Return the features of each layer; of pairs that are read apart each is four times as wide."""
        blocks = features.reshape(len(features), -1, self._starts[-1])
        ends = zip(self._starts[:-1], self._starts[1:], strict=True)
        return [blocks[:, :, start:end].reshape(len(features), -1) for start, end in ends]

    def at(self, layer: int) -> Model:
        """Return the model that reads one layer; it shares the weights."""
        self._lent.append(self._read_at(Depth(layer)))
        return self._lent[-1]

    def training(self) -> AbstractContextManager[Trainable]:
        """Lend the weights for training at the last layer."""
        return self._last.training()

    def close(self) -> None:
        """Free the weights."""
        self._read_at = _closed
        for model in (self._last, self._all, *self._lent):
            model.close()


def _closed(_: Depth) -> Model:
    raise ModelError("The model is closed. Open it again.")
