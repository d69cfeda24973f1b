"""What opened models share whose weights a torch module holds: what is known of them, and how they end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import torch
from torch import nn

from assay.core.errors import ModelError
from assay.core.model import Model, ModelFacts
from assay.encoders.allocation import keep_freed_memory
from assay.encoders.cost import count_macs, weight_bytes, weight_count
from assay.encoders.weight_matrices import weight_matrices
from assay.encoders.weights import Origin, state_hash

Run = TypeVar("Run", bound=Callable[..., Any])


class Seen(NamedTuple):
    """What one input through a module tells of it.

    Attributes:
        width: The number of features.
        source_classes: Those of its head; 0 without one.
        input: Its size, in words.
        preprocessing: What is done to an example, in words.
        again: Passes the same input once more, to count what that takes.
    """

    width: int
    source_classes: int
    input: str
    preprocessing: str
    again: Callable[[], object]


class TorchModel(Model, Generic[Run]):
    """A model whose weights a torch module holds, in evaluation mode and float32.

    Args:
        module: Holds the weights; it is moved to ``device``.
        run: Runs ``module`` on input.
        device: As torch names it.
    """

    _facts: ModelFacts

    def __init__(self, module: nn.Module, run: Run, device: str) -> None:
        keep_freed_memory()
        module = module.eval().requires_grad_(requires_grad=False).to(device)
        self._held: tuple[Any, Run] | None = module, run
        self._device = device

    @property
    def facts(self) -> ModelFacts:
        """What is known of this model; a pair read apart has four times as many features as a text."""
        return self._facts

    def weights(self) -> Iterator[np.ndarray]:
        """Yield the weight matrices, the source head's included."""
        return weight_matrices(self._module)

    def close(self) -> None:
        """Free the weights."""
        self._held = None
        if self._device.startswith("cuda"):
            torch.cuda.empty_cache()

    @property
    def _module(self) -> Any:
        return self._open()[0]

    @property
    def _run(self) -> Run:
        return self._open()[1]

    def _open(self) -> tuple[Any, Run]:
        if self._held is None:
            raise ModelError("The model is closed. Open it again.")
        return self._held

    def _known(self, seen: Seen, origin: Origin) -> ModelFacts:
        """Return what is known of the model."""
        return ModelFacts(
            width=seen.width,
            parameters=weight_count(self._module),
            macs=count_macs(seen.again),
            bytes=weight_bytes(self._module),
            input=seen.input,
            preprocessing=seen.preprocessing,
            source_classes=seen.source_classes,
            weights=origin.weights,
            fingerprint=state_hash(self._module),
            licence=origin.licence,
            is_random=origin.is_random,
            source_accuracy=origin.source_accuracy,
        )
