"""The spectrum of features as they came, from that about their mean: one more row below a diagonal."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Updated(NamedTuple):
    """The matrix [diag(roots); row] by its singular values and right singular vectors.

    Attributes:
        singular: The singular values, in the order of the columns.
        vectors: Right singular vectors V, old directions x new ones.
        along: What each vector has of the row, V'row, without cancellation.
    """

    singular: np.ndarray
    vectors: np.ndarray
    along: np.ndarray


def with_one_more_row(roots: np.ndarray, row: np.ndarray) -> Updated:
    """Return the decomposition of diag(roots) with one more row below.

    Each singular value is a root of a secular equation, found to full precision by LAPACK, and the vectors
    belong to a row next to the given one for which those values are exact: they are orthogonal to rounding.
    Directions that the row does not touch stay, and so do all but one of several with equal roots, after a
    turn among them.

    References:
        A Stable and Efficient Algorithm for the Rank-One Modification of the Symmetric Eigenproblem (Gu and
        Eisenstat, 1994), https://doi.org/10.1137/S089547989223924X
    """
    order = np.argsort(roots)
    d, z, turn = _deflated(roots[order], row[order])
    touched = np.flatnonzero(z)
    vectors, singular, along = np.eye(len(d)), d.copy(), np.zeros(len(d))
    if len(touched) == 1:
        singular[touched], along[touched] = np.hypot(d[touched], z[touched]), z[touched]
    elif len(touched):
        values, block, reach = _secular(d[touched], z[touched])
        vectors[np.ix_(touched, touched)] = block
        singular[touched], along[touched] = values, reach
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return Updated(singular, turn(vectors)[back], along)


def _secular(d: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return singular values, vectors and V'z where all d differ, ascending, and no z is 0."""
    from scipy.linalg.lapack import dlasd4

    size, count = float(np.linalg.norm(z)), len(d)
    singular = np.empty(count)
    gaps = np.empty((count, count))  # d_j^2 - singular_i^2, without cancellation
    for place in range(count):
        minus, singular[place], plus, _ = dlasd4(place, d, z / size, size**2)
        gaps[:, place] = minus * plus
    apart = np.subtract.outer(d, d) * np.add.outer(d, d)  # d_j^2 - d_i^2
    np.fill_diagonal(apart, 1.0)
    exact = np.exp((np.log(np.abs(gaps)).sum(axis=1) - np.log(np.abs(apart)).sum(axis=1)) / 2) * np.sign(z)
    vectors = exact[:, None] / gaps
    lengths = np.linalg.norm(vectors, axis=0)
    return singular, vectors / lengths, -1.0 / lengths  # z'(D - s^2)^-1 z = -1 by the secular equation


def _deflated(d: np.ndarray, row: np.ndarray) -> tuple[np.ndarray, np.ndarray, _Turn]:
    """Return the roots, the row with 0 where it touches nothing new, and how to turn vectors back."""
    z, turns = row.copy(), []
    rounding = 8 * np.finfo(np.float64).eps * max(float(d[-1]), float(np.abs(z).max()))
    z[np.abs(z) <= rounding] = 0.0
    last = -1
    for place in np.flatnonzero(z):
        if last >= 0 and d[place] - d[last] <= rounding:  # equal: turn the row into the later one
            length = float(np.hypot(z[last], z[place]))
            turns.append((last, int(place), z[place] / length, z[last] / length))
            z[last], z[place] = 0.0, length
        last = int(place)
    return d, z, _Turn(turns)


class _Turn:
    """Rotations of pairs of directions."""

    def __init__(self, turns: list[tuple[int, int, float, float]]) -> None:
        self._turns = turns

    def __call__(self, vectors: np.ndarray) -> np.ndarray:
        """Write vectors of the turned directions in the directions before."""
        for one, other, cosine, sine in reversed(self._turns):
            first, second = vectors[one].copy(), vectors[other].copy()
            vectors[one], vectors[other] = cosine * first + sine * second, cosine * second - sine * first
        return vectors
