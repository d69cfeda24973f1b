"""Lends the weights of a module for training, and restores them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn


@contextmanager
def lent(module: nn.Module) -> Iterator[nn.Module]:
    """Let gradients reach every weight inside; afterwards weights, buffers and mode are what they were."""
    kept = {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}
    try:
        with torch.enable_grad():
            yield module.requires_grad_(requires_grad=True)
    finally:
        module.zero_grad(set_to_none=True)
        module.requires_grad_(requires_grad=False).eval()
        module.load_state_dict(kept)
