"""The spectrum of features as they came, from that about their mean: one more row below a diagonal."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Updated(NamedTuple):
    """The matrix [diag(roots); row] by its singular values and right singular vectors V.

    Attributes:
        singular: The singular values, in the order of the vectors.
        along: What each vector has of the row, V'row, without cancellation.
        order: The old position of each direction, least root first.
        turns: Rotations of pairs of directions that come first.
        touched: Which directions the row then touches.
        block: The vectors among those, new directions x old ones.
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

    Each singular value is a root of a secular equation, found to full precision by LAPACK, and the vectors
    belong to a row next to the given one for which those values are exact: they are orthogonal to rounding.
    Directions that the row does not touch stay, and so do all but one of several with equal roots, after a
    turn among them. ``np.linalg.eigh`` of the new matrix takes 7 times as long for 1,024 directions and 19
    times for 2,000: ``benchmarks/numerics.py``, row rank-one update.

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
    """Return singular values, vectors and V'z where all d differ, ascending, and no z is 0."""
    from scipy.linalg.lapack import dlasd4

    size, count = float(np.linalg.norm(z)), len(d)
    singular, unit = np.empty(count), z / size
    gaps = np.empty((count, count))  # d_j^2 - singular_i^2, without cancellation
    for i, gap in enumerate(gaps):
        minus, singular[i], plus, _ = dlasd4(i, d, unit, size**2)
        np.multiply(minus, plus, out=gap)
    ratios = np.subtract.outer(d, d) * np.add.outer(d, d)  # d_i^2 - d_j^2
    np.fill_diagonal(ratios, 1.0)
    np.divide(gaps, ratios, out=ratios)  # roots interlace, so that no product of these is out of range
    exact = np.sqrt(np.abs(ratios.prod(axis=0))) * np.sign(z)
    vectors = np.divide(exact, gaps, out=gaps)
    lengths = np.sqrt(np.einsum("ij,ij->i", vectors, vectors))
    vectors /= lengths[:, None]
    return singular, vectors, -1.0 / lengths  # z'(D - s^2)^-1 z = -1 by the secular equation


def _deflated(
    d: np.ndarray, row: np.ndarray
) -> tuple[np.ndarray, np.ndarray, list[tuple[int, int, float, float]]]:
    """Return the roots, the row with 0 where it touches nothing new, and the turns that made it so."""
    z, turns = row.copy(), []
    rounding = 8 * np.finfo(np.float64).eps * max(float(d[-1]), float(np.abs(z).max()))
    z[np.abs(z) <= rounding] = 0.0
    last = -1
    for i in map(int, np.flatnonzero(z)):
        if last >= 0 and d[i] - d[last] <= rounding:  # equal: turn the row into the later direction
            length = float(np.hypot(z[last], z[i]))
            turns.append((last, i, z[i] / length, z[last] / length))
            z[last], z[i] = 0.0, length
        last = i
    return d, z, turns
