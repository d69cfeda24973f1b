"""Principal components of standardised features, for fast fits of penalised linear maps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from assay.core.large_arrays import empty

_BLOCK = 1 << 22  # numbers of features in double precision at once: 32 MiB


@dataclass(frozen=True, eq=False)
class Components:
    """The principal components of standardised examples: at most as many as there are examples.

    The L2 norm of the weights is the same for standardised features and for these components.

    Attributes:
        mean: Mean of each feature.  # width
        scale: 1 / standard deviation, or 0 for a constant feature.  # width
        basis: The components, which are orthonormal.  # width x components
        variances: Variance of the examples along each component.  # components
    """

    mean: Tensor
    scale: Tensor
    basis: Tensor
    variances: Tensor

    @classmethod
    def of(cls, matrix: np.ndarray, device: str = "cpu") -> Components:
        """Return the components of examples x width.

        Args:
            matrix: At least one example.
            device: A CUDA device; for any other the CPU is used, which has fast double precision.
        """
        where = torch.device(device if device.startswith("cuda") else "cpu")
        mean, scale = _moments(matrix, where)
        if len(matrix) < matrix.shape[1]:
            rows = torch.cat(list(_standardised(matrix, mean, scale)))
            values, vectors = _positive(rows @ rows.T, max(matrix.shape))
            return cls(mean, scale, rows.T @ (vectors / values.sqrt()), values / len(matrix))
        gram = torch.zeros((matrix.shape[1],) * 2, dtype=torch.float64, device=where)
        for block in _standardised(matrix, mean, scale):
            gram.addmm_(block.T, block)
        values, vectors = _positive(gram, max(matrix.shape))
        return cls(mean, scale, vectors, values / len(matrix))

    def blocks(self, matrix: np.ndarray) -> Iterator[Tensor]:
        """Yield blocks of examples in these components, in double precision."""
        for block in _standardised(matrix, self.mean, self.scale):
            yield block @ self.basis

    def project(self, matrix: np.ndarray) -> Tensor:
        """Return examples in these components in single precision, and a column of ones.

        They are on the device of the components, or in a memory map where they are too large.
        """
        shape, where = (len(matrix), self.basis.shape[1] + 1), self.mean.device
        rows = torch.empty(shape, device=where) if where.type != "cpu" else _mapped(shape)
        start = 0
        for block in self.blocks(matrix):
            rows[start : start + len(block), :-1] = block
            start += len(block)
        rows[:, -1] = 1
        return rows

    def expand(self, weights: Tensor) -> Tensor:
        """Convert weights of components to weights of features, width x outputs."""
        return self.scale[:, None] * (self.basis @ weights)

    def contract(self, weights: Tensor) -> Tensor:
        """Project weights of features, width x outputs, to weights of components."""
        return self.basis.T @ (torch.where(self.scale > 0, 1 / self.scale, 0.0)[:, None] * weights)


def _mapped(shape: tuple[int, int]) -> Tensor:
    return torch.from_numpy(empty(shape, np.float32))


def _moments(matrix: np.ndarray, where: torch.device) -> tuple[Tensor, Tensor]:
    """Return the mean of each feature, and the inverse of its standard deviation."""
    mean = torch.zeros(matrix.shape[1], dtype=torch.float64, device=where)
    for block in _blocks(matrix, where):
        mean += block.sum(dim=0) / len(matrix)
    variance = torch.zeros_like(mean)
    for block in _blocks(matrix, where):
        variance += (block - mean).square().sum(dim=0) / len(matrix)
    deviation = variance.sqrt()
    constant = deviation <= float(np.finfo(np.float32).eps) * mean.abs()  # features come in single precision
    return mean, torch.where(constant, 0.0, 1 / torch.where(constant, 1.0, deviation))


def _standardised(matrix: np.ndarray, mean: Tensor, scale: Tensor) -> Iterator[Tensor]:
    for block in _blocks(matrix, mean.device):
        yield block.sub_(mean).mul_(scale)


def _blocks(matrix: np.ndarray, where: torch.device) -> Iterator[Tensor]:
    step = max(1, _BLOCK // matrix.shape[1])
    for start in range(0, len(matrix), step):
        part = np.array(matrix[start : start + step], dtype=np.float64)  # the matrix may be memory-mapped
        yield torch.from_numpy(part).to(where)


def _positive(gram: Tensor, size: int) -> tuple[Tensor, Tensor]:
    """Return the eigenvalues beyond rounding, and their eigenvectors."""
    values, vectors = torch.linalg.eigh(gram)
    kept = values > size * np.finfo(np.float64).eps * values[-1].clamp(min=1.0)  # the rank of a matrix
    return values[kept], vectors[:, kept]
