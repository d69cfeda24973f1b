"""The interface of opened models whose weights can be trained with torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from assay.core.task import Example


class Trainable(ABC):
    """A model's weights, and a differentiable forward pass from examples to features.

    Attributes:
        module: The ``torch.nn.Module`` that holds the weights, on ``device``.
        device: The torch device.
    """

    module: Any
    device: str

    @abstractmethod
    def prepared(self, example: Example) -> Any:
        """Return an example after the preprocessing that is done once, on the CPU."""

    @abstractmethod
    def inputs(self, prepared: Sequence[Any], rng: np.random.Generator | None) -> Any:
        """Return the model input of a batch, on the device.

        Args:
            prepared: Examples returned by ``prepared``.
            rng: The generator for augmentation; None disables augmentation.
        """

    @abstractmethod
    def features(self, inputs: Any) -> Any:
        """Return features with gradients, one row per example (per word for labelled words)."""
