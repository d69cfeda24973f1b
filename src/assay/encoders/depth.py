"""Which states of a transformer are read: the last, those of one layer, their mean, or all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import torch

from assay.core.errors import ModelError, UsageError


class Over(StrEnum):
    """What is read of more than one layer."""

    MEAN = "mean"  # over what leaves each layer; what enters the first is left out
    ALL = "all"  # each for itself, what enters the first included


@dataclass(frozen=True, slots=True)
class Depth:
    """What of ``hidden_states`` is read, in which transformers gives what enters and leaves its layers.

    Attributes:
        place: A place there: 0 for what enters the first layer, -1 for what leaves the last; several of them;
            None for the last states as the model gives them, after a last normalisation if it has one.
    """

    place: int | Over | None = None

    @property
    def wanted(self) -> Mapping[str, bool]:
        """What a model must be told to give such states."""
        return {} if self.place is None else {"output_hidden_states": True}

    def describe(self) -> str:
        """Return in words what is read."""
        if self.place is None:
            return ""
        return "mean over layers; " if self.place is Over.MEAN else f"layer {self.place}; "

    def states(self, output: Any) -> Sequence[torch.Tensor]:
        """Return the states that are read of what a model gave: one, or one for each layer."""
        if self.place is None:
            return (output.last_hidden_state,)
        found = output.get("hidden_states")
        if not found:
            raise ModelError(
                "The model does not show its layers. Leave out the settings 'layer' and 'layers'."
            )
        if self.place is Over.ALL:
            return tuple(found)
        if self.place is Over.MEAN:
            return (_mean(found[1:]),)
        assert isinstance(self.place, int)
        if not -len(found) <= self.place < len(found):
            raise ModelError(
                f"Setting 'layer' is {self.place}; this model has {len(found) - 1} layers. "
                f"Write 0 (what enters the first) to {len(found) - 1}, or -1 (the last) to {-len(found)}."
            )
        return (found[self.place],)


LAST = Depth()


def depth_of(layer: int | str | None, layers: int | str | None) -> Depth:
    """Return what the settings ask for; of ``layer='best'`` the last layer, until one is chosen.

    Raises:
        UsageError: They are none, or exclude one another.
    """
    if layer is not None and layers is not None:
        raise UsageError("Settings 'layer' and 'layers' exclude one another. Write one of them.")
    if isinstance(layer, str) and layer != "best":
        raise UsageError(f"Setting 'layer' is '{layer}'; write a number, as in layer=-2, or layer='best'.")
    if isinstance(layers, str) and layers != Over.MEAN:
        raise UsageError(f"Setting 'layers' is '{layers}'; write layers='mean', or how many, as in layers=6.")
    if isinstance(layers, str):
        return Depth(Over.MEAN)
    return Depth(-1 if isinstance(layer, str) else layer)


def layer_widths(run: Callable[[], Any]) -> tuple[int, ...]:
    """Return how many features the pooled states of each layer are, by what a run gives."""
    with torch.no_grad():
        found = Depth(Over.ALL).states(run())
    return tuple(states.shape[1] if states.ndim == 4 else states.shape[-1] for states in found)


def with_base(module: Any, run: Callable[[], Any]) -> tuple[Any, Any]:
    """Return what a run of a classifier of transformers gives, and what its model below the head gave."""
    seen: list[Any] = []
    base = module.encoder if module.base_model is module else module.base_model  # Whisper does not tell it
    hook = base.register_forward_hook(lambda _, __, output: seen.append(output))
    try:
        return run(), seen.pop()
    finally:
        hook.remove()


def _mean(states: Sequence[torch.Tensor]) -> torch.Tensor:
    if len({one.shape for one in states}) > 1:
        raise ModelError(
            "The layers of this model differ in shape: they have no mean. Write one, as in layer=-2."
        )
    return torch.stack(list(states)).mean(0)
