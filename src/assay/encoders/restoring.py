"""Trains the weights of a module, and restores them afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def restored_after(module: nn.Module) -> Iterator[nn.Module]:
    """Let gradients reach every weight inside; afterwards weights, buffers and mode are what they were."""
    before = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
    try:
        with torch.enable_grad():
            yield module.requires_grad_(requires_grad=True)
    finally:
        module.zero_grad(set_to_none=True)
        module.requires_grad_(requires_grad=False).eval()
        module.load_state_dict(before)
