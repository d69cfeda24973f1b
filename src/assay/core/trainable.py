"""An opened model whose weights can be trained, with torch."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from assay.core.task import Example


class Trainable(ABC):
    """The weights of a model, and how examples go through them with gradients.

    Attributes:
        module: The ``torch.nn.Module`` that holds the weights, on its device.
        device: As torch names it.
    """

    module: Any
    device: str

    @abstractmethod
    def prepared(self, example: Example) -> Any:
        """Return an example with everything done that is done once, on the CPU."""

    @abstractmethod
    def inputs(self, prepared: Sequence[Any], rng: np.random.Generator | None) -> Any:
        """Return the input of a batch, on the device.

        Args:
            prepared: Examples as ``prepared`` returned them.
            rng: Draws an augmentation that fits the modality; None for none.
        """

    @abstractmethod
    def features(self, inputs: Any) -> Any:
        """Return a tensor with gradients: a row for each example, or each word where words have labels."""
