"""What a torch module costs: weights, bytes and multiply-accumulates."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode


def weight_count(module: nn.Module) -> int:
    """Return the number of weights; shared ones count once."""
    return sum(parameter.numel() for parameter in module.parameters())


def weight_bytes(module: nn.Module) -> int:
    """Return the memory of weights and buffers."""
    tensors = [*module.parameters(), *module.buffers()]
    return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def count_macs(forward: Callable[[], object]) -> int | None:
    """Return the multiply-accumulates of one call, or None where nothing in it is countable."""
    counter = FlopCounterMode(display=False)
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(value=False)  # fused attention kernels are not counted
    try:
        with torch.no_grad(), sdpa_kernel(SDPBackend.MATH), counter:
            forward()
    finally:
        torch.backends.mha.set_fastpath_enabled(value=fused)
    flops = int(counter.get_total_flops())
    return flops // 2 if flops else None  # torch counts a multiply-accumulate as two
