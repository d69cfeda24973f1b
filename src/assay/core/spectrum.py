"""Eigenvalues of a scatter matrix with their directions, from the smaller of the Gram and the rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

_EPS = float(np.finfo(np.float64).eps)


class Spectrum(NamedTuple):
    """What the targets look like along the directions of the features, about the means of both.

    Attributes:
        values: The positive eigenvalues of (F - mean)'(F - mean), largest first.  # rank
        cross: Projections of the cross sums: V'(F - mean)'(Y - mean).  # rank x columns
    """

    values: np.ndarray
    cross: np.ndarray


@dataclass(frozen=True, eq=False)
class Eigenbasis:
    """The eigenvalues of a scatter matrix X'X and its eigenvectors V, which few rows need not write out.

    Attributes:
        values: The positive eigenvalues, largest first.  # rank
        vectors: V, width x rank; or None where X has few rows.
        few: X (rows x width) and its left singular vectors (rows x rank), or None where V is there.
    """

    values: np.ndarray
    vectors: np.ndarray | None
    few: tuple[np.ndarray, np.ndarray] | None

    def project(self, columns: np.ndarray) -> np.ndarray:
        """Return V'b for each column b (width x columns): rank x columns."""
        if self.vectors is not None:
            return np.asarray(self.vectors.T @ columns)
        x, left = self._rows()
        return np.asarray((left.T @ (x @ columns)) / np.sqrt(self.values)[:, None])

    def expand(self, coordinates: np.ndarray) -> np.ndarray:
        """Return Vc for each column c (rank x columns): width x columns."""
        if self.vectors is not None:
            return np.asarray(self.vectors @ coordinates)
        x, left = self._rows()
        return np.asarray(x.T @ (left @ (coordinates / np.sqrt(self.values)[:, None])))

    def project_targets(self, targets: np.ndarray) -> np.ndarray:
        """Return V'X'y for each column of the targets of the few rows, without the detour over the width."""
        _, left = self._rows()
        return np.asarray(np.sqrt(self.values)[:, None] * (left.T @ targets))

    def _rows(self) -> tuple[np.ndarray, np.ndarray]:
        assert self.few is not None
        return self.few


def basis_of_gram(gram: np.ndarray, noise: float) -> Eigenbasis:
    """Return the eigenbasis of a Gram (width x width); eigenvalues up to ``noise`` are none."""
    values, vectors = np.linalg.eigh(gram)
    kept = _significant(values, len(values), noise)
    everything = len(kept) == len(values)
    chosen = vectors[:, ::-1] if everything else vectors[:, kept]  # a view where nothing is left out
    return Eigenbasis(values[kept], chosen, None)


def basis_of_rows(x: np.ndarray, noise: float) -> Eigenbasis:
    """Return the eigenbasis of x'x from the dual xx', which is the smaller one for few rows."""
    values, left = np.linalg.eigh(x @ x.T)
    kept = _significant(values, max(x.shape), noise)
    return Eigenbasis(values[kept], None, (x, left[:, kept]))


def _significant(values: np.ndarray, size: int, noise: float) -> np.ndarray:
    """Return where the eigenvalues are more than rounding, largest first."""
    floor = max(values[-1] * size * _EPS, noise, 0.0)  # numpy's tolerance for the rank of a matrix
    return np.flatnonzero(values > floor)[::-1]
