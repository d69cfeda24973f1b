"""Restores the weights of a module after training."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def restored_after(module: nn.Module) -> Iterator[nn.Module]:
    """Enable gradients of all weights in the context, then restore weights, buffers and mode."""
    before = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
    try:
        with torch.enable_grad():
            yield module.requires_grad_(requires_grad=True)
    finally:
        module.zero_grad(set_to_none=True)
        module.requires_grad_(requires_grad=False).eval()
        module.load_state_dict(before)
