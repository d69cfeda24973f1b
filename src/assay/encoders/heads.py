"""Finds the boundary between features and head of a classifier of any architecture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import nn

from assay.core.errors import ModelError
from assay.encoders.images import Forward, pooled
from assay.encoders.torch_model import Outputs

_SHOWN = 4  # tensors in a message


def read_layer(module: nn.Module, layer: str) -> Forward:
    """Return a forward pass whose features are the pooled output of a named layer, without logits."""
    layers = dict(module.named_modules())
    if layer not in layers or not layer:
        shown = ", ".join([name for name in layers if name and name.count(".") < 2][:12])
        raise ModelError(f"{type(module).__name__} has no layer '{layer}'. Write one of: {shown}.")
    seen: list[torch.Tensor] = []
    layers[layer].register_forward_hook(lambda _, __, output: seen.append(only_tensor(output)))

    def forward(batch: torch.Tensor) -> Outputs:
        seen.clear()
        module(batch)
        return Outputs(pooled(seen.pop()), None)

    return forward


def read_head(module: nn.Module, size: tuple[int, ...]) -> Forward:
    """Return a forward pass whose features are the input of the classification head and logits its output.

    The head is the last executed layer with weights, if it is linear or a 1 x 1 convolution and as wide as
    the output. Without such a head, features are the pooled output, and there are no logits.

    Args:
        module: The module in evaluation mode.
        size: The input size, channels x height x width.
    """
    head = _find_head(module, size)
    if head is None:
        return read_output(module)
    seen: list[torch.Tensor] = []
    head.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))

    def forward(batch: torch.Tensor) -> Outputs:
        seen.clear()
        logits = pooled(only_tensor(module(batch)))
        return Outputs(pooled(seen.pop()), logits)

    return forward


def read_output(module: nn.Module) -> Forward:
    """Return a forward pass whose features are the pooled output, without logits."""
    return lambda batch: Outputs(pooled(only_tensor(module(batch))), None)


def _find_head(module: nn.Module, size: tuple[int, ...]) -> nn.Module | None:
    ran: list[nn.Module] = []
    leaves = [leaf for leaf in module.modules() if any(True for _ in leaf.parameters(recurse=False))]
    hooks = [leaf.register_forward_pre_hook(lambda seen, _: ran.append(seen)) for leaf in leaves]
    try:
        with torch.no_grad():
            output = pooled(only_tensor(module(torch.zeros(1, *size))))
    finally:
        for hook in hooks:
            hook.remove()
    return ran[-1] if ran and _width(ran[-1]) == output.shape[1] else None


def _width(layer: nn.Module) -> int | None:
    if isinstance(layer, nn.Linear):
        return layer.out_features
    if isinstance(layer, nn.Conv2d) and layer.kernel_size == (1, 1):
        return layer.out_channels
    return None


def only_tensor(output: object) -> torch.Tensor:
    """Return the one tensor in the output of a module, however it is nested.

    Raises:
        ModelError: There is none, or there are several.
    """
    found = dict(_tensors(output, ""))
    if len(found) == 1:
        return next(iter(found.values()))
    if not found:
        raise ModelError(f"The module gives a {type(output).__name__}; a tensor is needed. Wrap it.")
    shown = ", ".join(f"{name} {tuple(tensor.shape)}" for name, tensor in [*found.items()][:_SHOWN])
    raise ModelError(
        f"The module gives {len(found)} tensors: {shown}. Wrap it, so that it returns the one with the "
        "features, or name the layer that has them."
    )


def _tensors(output: object, name: str) -> Iterator[tuple[str, torch.Tensor]]:
    """Yield the tensors inside tuples, lists and mappings, with where they are."""
    if isinstance(output, torch.Tensor):
        yield name or "output", output
    items: Iterable[tuple[object, object]] = ()
    if isinstance(output, Mapping):
        items = output.items()
    elif isinstance(output, (tuple, list)):
        items = enumerate(output)
    for key, inside in items:
        yield from _tensors(inside, f"{name}[{key!r}]" if name else str(key))
