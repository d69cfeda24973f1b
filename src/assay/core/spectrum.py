"""Eigenvalues of a Gram and what the targets look like in its eigenbasis, from the Gram or from the rows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_EPS = float(np.finfo(np.float64).eps)


class Spectrum(NamedTuple):
    """The eigenvalues of a Gram, and the cross sums in its eigenbasis.

    Attributes:
        values: The positive eigenvalues of F'F, or of (F - mean)'(F - mean), largest first.  # rank
        cross: Eigenvectors' projections of F'Y: V'F'Y.  # rank x columns
    """

    values: np.ndarray
    cross: np.ndarray


class Eigenbasis(NamedTuple):
    """A spectrum with its eigenvectors V.

    Attributes:
        spectrum: Eigenvalues and cross sums.
        vectors: The eigenvectors, one a column.  # width x rank
    """

    spectrum: Spectrum
    vectors: np.ndarray


def basis_of_gram(gram: np.ndarray, cross: np.ndarray, noise: float) -> Eigenbasis:
    """Return the eigenbasis of F'F (width x width) given F'Y; eigenvalues up to ``noise`` are none."""
    values, vectors = np.linalg.eigh(gram)
    kept = _significant(values, len(values), noise)
    vectors = vectors[:, kept]
    return Eigenbasis(Spectrum(values[kept], vectors.T @ cross), vectors)


def basis_of_rows(x: np.ndarray, y: np.ndarray, noise: float) -> Eigenbasis:
    """Return the eigenbasis of x'x from the dual xx', which is the smaller one for few rows."""
    spectrum, seen = _dual(x, y, noise)
    return Eigenbasis(spectrum, x.T @ (seen / np.sqrt(spectrum.values)))


def spectrum_of_rows(x: np.ndarray, y: np.ndarray, noise: float) -> Spectrum:
    """Return the spectrum of x'x from the dual xx', without its eigenvectors."""
    return _dual(x, y, noise)[0]


def _dual(x: np.ndarray, y: np.ndarray, noise: float) -> tuple[Spectrum, np.ndarray]:
    values, seen = np.linalg.eigh(x @ x.T)  # eigenvectors of x'x, as seen from the rows
    kept = _significant(values, max(x.shape), noise)
    seen = seen[:, kept]
    return Spectrum(values[kept], np.sqrt(values[kept])[:, None] * (seen.T @ y)), seen


def _significant(values: np.ndarray, size: int, noise: float) -> np.ndarray:
    """Return where the eigenvalues are more than rounding, largest first."""
    floor = max(values[-1] * size * _EPS, noise, 0.0)  # numpy's tolerance for the rank of a matrix
    return np.flatnonzero(values > floor)[::-1]
