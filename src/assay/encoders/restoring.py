"""Restores the weights of a module after training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def restored_after(module: nn.Module, *, in_float32: bool = False) -> Iterator[nn.Module]:
    """Enable gradients of all weights in the context, then restore weights, buffers and mode.

    Args:
        module: The module.
        in_float32: Whether weights in half precision are in float32 inside, as small steps need.
    """
    before = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
    halves = (torch.float16, torch.bfloat16)
    is_half = in_float32 and any(weight.dtype in halves for weight in module.parameters())
    if is_half:
        module.float()
    try:
        with torch.enable_grad():
            yield module.requires_grad_(requires_grad=True)
    finally:
        module.zero_grad(set_to_none=True)
        module.requires_grad_(requires_grad=False).eval()
        module.load_state_dict(before, assign=is_half)
