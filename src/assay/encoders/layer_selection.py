"""Selects the hidden states of a transformer: the last, one layer, the mean over layers, or all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from assay.core.errors import ModelError, UsageError

if TYPE_CHECKING:
    import torch


class Several(StrEnum):
    """The combination of several layers."""

    MEAN = "mean"  # over the outputs of the layers, without the input of the first
    ALL = "all"  # separately, with the input of the first


@dataclass(frozen=True, slots=True)
class LayerSelection:
    """The selection from ``hidden_states``, which contain the input of the first layer and all outputs.

    Attributes:
        layer: One or more indices: 0 for the input of the first layer, -1 for the output of the last;
            None for the model's last hidden state, after a final normalisation if any.
    """

    layer: int | Several | None = None

    @classmethod
    def of_settings(cls, layer: int | str | None, layers: int | str | None) -> LayerSelection:
        """Return the selection for the settings; for ``layer='best'`` the last layer until one is chosen.

        Raises:
            UsageError: The settings are invalid or exclude one another.
        """
        if layer is not None and layers is not None:
            raise UsageError("Settings 'layer' and 'layers' exclude one another. Write one of them.")
        if isinstance(layer, str) and layer != "best":
            raise UsageError(
                f"Setting 'layer' is '{layer}'; write a number, as in layer=-2, or layer='best'."
            )
        if isinstance(layers, str) and layers != Several.MEAN:
            raise UsageError(
                f"Setting 'layers' is '{layers}'; write layers='mean', or how many, as in layers=6."
            )
        if isinstance(layers, str):
            return cls(Several.MEAN)
        return cls(-1 if isinstance(layer, str) else layer)

    @property
    def arguments(self) -> Mapping[str, bool]:
        """The arguments with which a model returns these states."""
        return {} if self.layer is None else {"output_hidden_states": True}

    def describe(self) -> str:
        """Describe the selection."""
        if self.layer is None:
            return ""
        return "mean over layers; " if self.layer is Several.MEAN else f"layer {self.layer}; "

    def states(self, output: Any) -> Sequence[torch.Tensor]:
        """Return the selected states of a model's output, one per selected layer."""
        if self.layer is None:
            return (output.last_hidden_state,)
        states = output.get("hidden_states")
        if not states:
            raise ModelError(
                "The model does not show its layers. Leave out the settings 'layer' and 'layers'."
            )
        if self.layer is Several.ALL:
            return tuple(states)
        if self.layer is Several.MEAN:
            return (_mean(states[1:]),)
        assert isinstance(self.layer, int)
        if not -len(states) <= self.layer < len(states):
            raise ModelError(
                f"Setting 'layer' is {self.layer}; this model has {len(states) - 1} layers. "
                f"Write 0 (what enters the first) to {len(states) - 1}, or -1 (the last) to {-len(states)}."
            )
        return (states[self.layer],)


LAST = LayerSelection()


def with_base(module: Any, run: Callable[[], Any]) -> tuple[Any, Any]:
    """Return the output of a transformers classifier, and the output of its model below the head."""
    outputs: list[Any] = []
    base = module.encoder if module.base_model is module else module.base_model  # for Whisper
    hook = base.register_forward_hook(lambda _, __, output: outputs.append(output))
    try:
        return run(), outputs.pop()
    finally:
        hook.remove()


def _mean(states: Sequence[torch.Tensor]) -> torch.Tensor:
    import torch

    if len({layer.shape for layer in states}) > 1:
        raise ModelError(
            "The layers of this model differ in shape: they have no mean. Write one, as in layer=-2."
        )
    return torch.stack(list(states)).mean(0)
