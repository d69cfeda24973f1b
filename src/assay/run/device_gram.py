"""A Gram matrix accumulated on the accelerator that computed the features."""

from __future__ import annotations

from functools import partial

import numpy as np

from assay.moments.scatter import BlasGram, GramSum, NewGram


class DeviceGram(GramSum):
    """A Gram matrix in double precision on a torch device.

    Args:
        width: The number of features.
        device: The torch device, such as "cuda:1".
    """

    def __init__(self, width: int, device: str) -> None:
        import torch

        self._sum = torch.zeros((width, width), dtype=torch.float64, device=device)

    def add(self, rows: np.ndarray) -> None:
        """Add ``rows.T @ rows``."""
        import torch

        block = torch.from_numpy(rows).to(self._sum.device)
        self._sum.addmm_(block.T, block)

    def total(self) -> np.ndarray:
        """Return the sum so far."""
        total: np.ndarray = self._sum.cpu().numpy().copy()
        return total


def grams_on(device: str) -> NewGram:
    """Return the Gram factory for features on ``device``: on the GPU for CUDA, otherwise BLAS."""
    return partial(DeviceGram, device=device) if device.startswith("cuda") else BlasGram
