"""A Gram that grows on the accelerator which made the features."""

from __future__ import annotations

from functools import partial

import numpy as np

from assay.moments.scatter import BlasGram, GramSum, NewGram


class DeviceGram(GramSum):
    """A Gram in double precision on a device of torch.

    Args:
        width: The number of features.
        device: As in "cuda:1".
    """

    def __init__(self, width: int, device: str) -> None:
        import torch

        self._sum = torch.zeros((width, width), dtype=torch.float64, device=device)

    def add(self, rows: np.ndarray) -> None:
        """Add rows'rows."""
        import torch

        block = torch.from_numpy(rows).to(self._sum.device)
        self._sum.addmm_(block.T, block)

    def total(self) -> np.ndarray:
        """Return the sum so far."""
        total: np.ndarray = self._sum.cpu().numpy().copy()
        return total


def grams_on(device: str) -> NewGram:
    """Return how to make a Gram where features are made on ``device``: CUDA has fast double precision."""
    return partial(DeviceGram, device=device) if device.startswith("cuda") else BlasGram
