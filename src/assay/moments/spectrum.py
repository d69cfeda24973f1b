"""Eigendecomposition of a scatter matrix, and its update by one more row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

_EPS = float(np.finfo(np.float64).eps)
_BLOCK = 128  # reflections that are applied at a time


class Spectrum(NamedTuple):
    """Eigenvalues of the features, and the targets projected onto their principal directions.

    Attributes:
        values: The positive eigenvalues of (F - mean)'(F - mean), largest first.  # rank
        cross: Projections of the cross sums: V'(F - mean)'(Y - mean).  # rank x columns
    """

    values: np.ndarray
    cross: np.ndarray


@dataclass(frozen=True, eq=False)
class Tridiagonal:
    """A symmetric matrix as Q T Q', where T is tridiagonal and Q a product of reflections.

    Most of the time of an eigendecomposition goes into forming the vectors. They are never formed here, as
    only a projection of few columns is needed. It takes two thirds of the time of ``np.linalg.eigh``, and
    half for ridge regression by fold: ``benchmarks/numerics.py``, rows eigenbasis and ridge of folds.

    Attributes:
        diagonal: The diagonal of T.  # size
        beside: The off-diagonal of T.  # size - 1, or 1
        reflections: Each reflects all coordinates but the first, below a diagonal of ones.
        scales: The factor of each reflection.
    """

    diagonal: np.ndarray
    beside: np.ndarray
    reflections: np.ndarray
    scales: np.ndarray

    @classmethod
    def of(cls, matrix: np.ndarray) -> Tridiagonal:
        """Reduce a symmetric matrix, which is overwritten."""
        from scipy.linalg.lapack import dsytrd, dsytrd_lwork

        if len(matrix) == 1:
            return cls(matrix[0], np.zeros(1), np.empty((0, 0)), np.empty(0))
        size = int(dsytrd_lwork(len(matrix))[0])
        reduced, diagonal, beside, scales, _ = dsytrd(matrix.T, lower=1, lwork=size, overwrite_a=1)
        return cls(diagonal, beside, np.asfortranarray(reduced[1:, :-1]), scales)

    def eigenvalues(self) -> np.ndarray:
        """Return only the eigenvalues, smallest first."""
        from scipy.linalg.lapack import dsterf

        values, failed = dsterf(self.diagonal, self.beside)
        return _converged(values, failed)

    def eigenvectors(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the eigenvalues, smallest first, and the eigenvectors of T as columns."""
        from scipy.linalg.lapack import dstevd

        values, inner, failed = dstevd(self.diagonal, self.beside)
        return _converged(values, failed), inner

    def project(self, columns: np.ndarray) -> np.ndarray:
        """Return Q'b for each column b."""
        result = np.array(columns, dtype=np.float64)
        for start in range(0, len(self.scales), _BLOCK):
            v, factor = self._block(start)
            result[start + 1 :] -= v @ (factor.T @ (v.T @ result[start + 1 :]))
        return result

    def expand(self, columns: np.ndarray) -> np.ndarray:
        """Return Qb for each column b."""
        result = np.array(columns, dtype=np.float64)
        for start in reversed(range(0, len(self.scales), _BLOCK)):
            v, factor = self._block(start)
            result[start + 1 :] -= v @ (factor @ (v.T @ result[start + 1 :]))
        return result

    def _block(self, start: int) -> tuple[np.ndarray, np.ndarray]:
        """Return V and T of some reflections, whose product is I - VTV'.

        LAPACK's dormqr applies fewer at a time, in many small steps, at each of which threads wait.

        References:
            Accumulating Householder Transformations, Revisited (Joffrain et al., 2006),
            https://doi.org/10.1145/1141885.1141886
        """
        from scipy.linalg.lapack import dtrtri

        v = self.reflections[start:, start : start + _BLOCK].copy(order="F")
        scales = self.scales[start : start + _BLOCK]
        v[: len(scales)] = np.tril(v[: len(scales)], -1) + np.eye(len(scales))
        v[:, scales == 0] = 0.0  # no reflection
        inverse = np.triu(v.T @ v, 1) + np.diag(1 / np.where(scales == 0, 1.0, scales))
        return v, dtrtri(inverse, overwrite_c=True)[0]


@dataclass(frozen=True, eq=False)
class Eigenbasis:
    """The eigenvalues of a scatter matrix X'X and its eigenvectors V, which are not formed explicitly.

    Attributes:
        values: The positive eigenvalues, largest first.  # rank
        reduced: The Gram X'X as Q T Q', or the dual XX' if X has few rows.
        inner: The eigenvectors of T, smallest eigenvalue first.  # size x rank
        rows: X, if it has few rows.
    """

    values: np.ndarray
    reduced: Tridiagonal
    inner: np.ndarray
    rows: np.ndarray | None

    def project(self, columns: np.ndarray) -> np.ndarray:
        """Return V'b for each column b (width x columns): rank x columns."""
        if self.rows is None:
            return self._across(columns)
        return np.asarray(self._across(self.rows @ columns) / np.sqrt(self.values)[:, None])

    def expand(self, coordinates: np.ndarray) -> np.ndarray:
        """Return Vc for each column c (rank x columns): width x columns."""
        if self.rows is None:
            return self._along(coordinates)
        return np.asarray(self.rows.T @ self._along(coordinates / np.sqrt(self.values)[:, None]))

    def project_targets(self, targets: np.ndarray) -> np.ndarray:
        """Return V'X'y for each target column directly from the few rows."""
        return np.asarray(np.sqrt(self.values)[:, None] * self._across(targets))

    def scores(self, coordinates: np.ndarray) -> np.ndarray:
        """Return XVc for each column c (rank x columns), if X has few rows."""
        return self._along(np.sqrt(self.values)[:, None] * coordinates)

    def _across(self, columns: np.ndarray) -> np.ndarray:
        return np.asarray((self.inner.T @ self.reduced.project(columns))[::-1])

    def _along(self, coordinates: np.ndarray) -> np.ndarray:
        return self.reduced.expand(self.inner @ coordinates[::-1])


def basis_of_gram(gram: np.ndarray, noise: float) -> Eigenbasis:
    """Return the eigenbasis of a Gram (width x width), which is overwritten.

    Eigenvalues up to ``noise`` count as zero.
    """
    return _basis(gram, len(gram), noise, None)


def basis_of_rows(rows: np.ndarray, dual: np.ndarray, noise: float) -> Eigenbasis:
    """Return the eigenbasis of rows'rows from the dual rows rows', which is overwritten."""
    return _basis(dual, max(rows.shape), noise, rows)


def _basis(matrix: np.ndarray, size: int, noise: float, rows: np.ndarray | None) -> Eigenbasis:
    reduced = Tridiagonal.of(matrix)
    values, inner = reduced.eigenvectors()
    floor = max(values[-1] * size * _EPS, noise, 0.0)  # numpy's tolerance for the rank of a matrix
    first = int(np.searchsorted(values, floor, side="right"))  # first eigenvalue above rounding
    return Eigenbasis(values[first:][::-1], reduced, inner[:, first:], rows)


def _converged(values: np.ndarray, failed: int) -> np.ndarray:
    if failed:
        raise np.linalg.LinAlgError("The eigenvalues of the features did not converge.")
    return values


class Updated(NamedTuple):
    """The matrix [diag(roots); row] by its singular values and right singular vectors V.

    Attributes:
        singular: The singular values, in the order of the vectors.
        along: The projection V'row, without cancellation.
        order: The old position of each direction, smallest root first.
        turns: Rotations of pairs of directions, applied first.
        touched: The directions with a nonzero entry of the row after the rotations.
        block: The vectors among those directions, new x old.
    """

    singular: np.ndarray
    along: np.ndarray
    order: np.ndarray
    turns: list[tuple[int, int, float, float]]
    touched: np.ndarray
    block: np.ndarray

    def project(self, columns: np.ndarray) -> np.ndarray:
        """Return V'b for each column b, old directions x columns."""
        result = columns[self.order]
        for i, j, cosine, sine in self.turns:
            first, second = result[i].copy(), result[j].copy()
            result[i], result[j] = cosine * first - sine * second, cosine * second + sine * first
        result[self.touched] = self.block @ result[self.touched]
        return np.asarray(result)


def with_one_more_row(roots: np.ndarray, row: np.ndarray) -> Updated:
    """Return the decomposition of diag(roots) with one more row below.

    Each singular value is a root of a secular equation, found to full precision by LAPACK. The vectors are
    those of a nearby row for which the values are exact, so that they are orthogonal up to rounding.
    Directions with a zero entry of the row are unchanged, and so are all but one of several with equal
    roots, after a rotation among them. ``np.linalg.eigh`` of the new matrix takes 7 times
    as long for 1,024 directions and 19 times for 2,000: ``benchmarks/numerics.py``, row rank-one update.

    References:
        A Stable and Efficient Algorithm for the Rank-One Modification of the Symmetric Eigenproblem (Gu and
        Eisenstat, 1994), https://doi.org/10.1137/S089547989223924X
    """
    order = np.argsort(roots)
    d, z, turns = _deflated(roots[order], row[order])
    touched = np.flatnonzero(z)
    block, singular, along = np.eye(min(len(touched), 1)), d.copy(), np.zeros(len(d))
    if len(touched) == 1:
        singular[touched], along[touched] = np.hypot(d[touched], z[touched]), z[touched]
    elif len(touched):
        singular[touched], block, along[touched] = _secular(d[touched], z[touched])
    return Updated(singular, along, order, turns, touched, block)


def _secular(d: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return singular values, vectors and V'z for distinct ascending d and nonzero z."""
    from scipy.linalg.lapack import dlasd4

    size, count = float(np.linalg.norm(z)), len(d)
    singular, unit = np.empty(count), z / size
    gaps = np.empty((count, count))  # d_j^2 - singular_i^2, without cancellation
    for i, gap in enumerate(gaps):
        minus, singular[i], plus, _ = dlasd4(i, d, unit, size**2)
        np.multiply(minus, plus, out=gap)
    ratios = np.subtract.outer(d, d) * np.add.outer(d, d)  # d_i^2 - d_j^2
    np.fill_diagonal(ratios, 1.0)
    np.divide(gaps, ratios, out=ratios)  # roots interlace, so no product of these overflows
    exact = np.sqrt(np.abs(ratios.prod(axis=0))) * np.sign(z)
    vectors = np.divide(exact, gaps, out=gaps)
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    vectors /= lengths[:, None]
    return singular, vectors, -1.0 / lengths  # z'(D - s^2)^-1 z = -1 by the secular equation


def _deflated(
    d: np.ndarray, row: np.ndarray
) -> tuple[np.ndarray, np.ndarray, list[tuple[int, int, float, float]]]:
    """Return the roots, the row after deflation, and the rotations of the deflation."""
    z, turns = row.copy(), []
    rounding = 8 * np.finfo(np.float64).eps * max(float(d[-1]), float(np.abs(z).max()))
    z[np.abs(z) <= rounding] = 0.0
    last = -1
    for i in map(int, np.flatnonzero(z)):
        if last >= 0 and d[i] - d[last] <= rounding:  # equal: rotate the row into the later direction
            length = float(np.hypot(z[last], z[i]))
            turns.append((last, i, z[i] / length, z[last] / length))
            z[last], z[i] = 0.0, length
        last = i
    return d, z, turns
