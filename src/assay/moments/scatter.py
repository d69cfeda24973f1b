"""Additive statistics of features without labels: count, sum, Gram and fourth powers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from assay.moments.spectrum import Eigenbasis, basis_of_gram, basis_of_rows


class GramSum(ABC):
    """A Gram that is summed block by block, on the fastest available device."""

    @abstractmethod
    def add(self, rows: np.ndarray) -> None:
        """Add rows'rows for rows (examples x width) in double precision."""

    @abstractmethod
    def total(self) -> np.ndarray:
        """Return the Gram so far, width x width; later additions do not change it."""


class BlasGram(GramSum):
    """A Gram on the CPU: rank-k updates of one triangle, in place.

    A numpy product would fill both triangles at each block. No numpy product may run between updates: numpy
    has a BLAS of its own, whose threads would occupy the cores for a while.

    Args:
        width: The number of features.
    """

    def __init__(self, width: int) -> None:
        self._upper = np.zeros((width, width), order="F")
        self._is_given = False

    def add(self, rows: np.ndarray) -> None:
        """Add rows'rows."""
        from scipy.linalg.blas import dsyrk

        if self._is_given:
            self._upper, self._is_given = self._upper.copy(order="F"), False
        self._upper = dsyrk(1.0, rows.T, beta=1.0, c=self._upper, overwrite_c=True)

    def total(self) -> np.ndarray:
        """Return the sum so far."""
        self._is_given = True
        whole = self._upper.T  # its lower triangle, row by row
        for start in range(0, len(whole), _STRIP):
            stop = min(start + _STRIP, len(whole))
            square = whole[start:stop, start:stop]
            square[:] = np.tril(square) + np.tril(square, -1).T
            whole[start:stop, stop:] = whole[stop:, start:stop].T
        return whole


_STRIP = 256  # columns copied at a time, so that a strip of rows stays in the cache
NewGram = Callable[[int], GramSum]  # from a width to an empty sum
Fourth = tuple[float, np.ndarray, float]


def gram_of(rows: np.ndarray) -> np.ndarray:
    """Return rows'rows; numpy detects the symmetry and needs half the work of a general product."""
    gram: np.ndarray = rows.T @ rows
    return gram


@dataclass(frozen=True, eq=False)
class Scatter:
    """Statistics of features, in float64, relative to ``shift``, a pilot mean of the features.

    As long as there are no more examples than features, the rows are stored instead of the Gram: at most
    min(N, D) x D numbers.

    Attributes:
        shift: The value subtracted from each feature; without it single-precision features with a large mean
            lose three digits in a Gram.  # width
        count: Number of examples.
        feature_sum: Sum of the shifted features.  # width
        gram: Shifted F'F, or None as long as ``rows`` is set.  # width x width
        rows: The shifted features of each example, or None if ``gram`` is set.  # count x width
        fourth: Sum of the fourth powers of the row norms, sum of |x|^2 x, and sum of |x|^2.
    """

    shift: np.ndarray
    count: int
    feature_sum: np.ndarray
    gram: np.ndarray | None
    rows: np.ndarray | None
    fourth: Fourth

    @property
    def width(self) -> int:
        """The number of features."""
        return len(self.shift)

    @classmethod
    def of(cls, rows: np.ndarray, shift: np.ndarray) -> Scatter:
        """Return the statistics of rows (examples x width) that are shifted already."""
        squares = np.einsum("ij,ij->i", rows, rows)
        few = len(rows) <= len(shift)
        return cls(
            shift=shift,
            count=len(rows),
            feature_sum=rows.sum(axis=0),
            gram=None if few else gram_of(rows),
            rows=rows.copy() if few else None,
            fourth=(float(squares @ squares), squares @ rows, float(squares.sum())),
        )

    def without(self, other: Scatter) -> Scatter:
        """Subtract the sums of a part; the Gram and the rows are left out."""
        self._must_share_shift(other)
        return Scatter(
            self.shift,
            self.count - other.count,
            self.feature_sum - other.feature_sum,
            None,
            None,
            _combined(self.fourth, other.fourth, -1.0),
        )

    def full_gram(self) -> np.ndarray:
        """Return the shifted Gram F'F, width x width."""
        if self.gram is not None:
            return self.gram
        assert self.rows is not None
        return gram_of(self.rows)

    def mean(self) -> np.ndarray:
        """Return the mean of the shifted features."""
        return self.feature_sum / self.count

    @classmethod
    def summed(cls, parts: Sequence[Scatter]) -> Scatter:
        """Merge the statistics of disjoint sets of examples, without a new Gram for each of them."""
        first, fourth = parts[0], parts[0].fourth
        if len(parts) == 1:
            return first
        for part in parts[1:]:
            first._must_share_shift(part)
            fourth = _combined(fourth, part.fourth, 1.0)
        count = sum(part.count for part in parts)
        total = np.sum([part.feature_sum for part in parts], axis=0)
        rows = [part.rows for part in parts if part.rows is not None]
        if count <= first.width and len(rows) == len(parts):
            return cls(first.shift, count, total, None, np.concatenate(rows), fourth)
        grams = [part.gram for part in parts if part.gram is not None]
        return cls(first.shift, count, total, _summed_gram(grams, rows), None, fourth)

    def centred_gram(self) -> np.ndarray:
        """Return (F - mean)'(F - mean), width x width, as a new array."""
        from scipy.linalg.blas import dger

        gram = self.full_gram()
        matrix = gram.T if self.gram is None else gram.T.copy(order="F")  # symmetric in either order
        centred = dger(-1.0 / self.count, self.feature_sum, self.feature_sum, a=matrix, overwrite_a=True)
        return np.asarray(centred.T)

    def total_variance(self) -> float:
        """Return the sum over features of the sum of squares about the mean: the trace of the scatter."""
        if self.rows is not None:
            return float(np.square(self.centred_rows).sum())
        return max(float(np.trace(self.full_gram()) - self.feature_sum @ self.mean()), 0.0)

    def variances(self) -> np.ndarray:
        """Return the variance of each feature."""
        if self.rows is not None:
            return np.asarray(np.square(self.centred_rows).mean(axis=0))
        squares = np.diagonal(self.full_gram()) / self.count - np.square(self.mean())
        return np.asarray(np.maximum(squares, 0.0))

    @cached_property
    def centred_rows(self) -> np.ndarray:
        """The centred features of each example, if the rows are stored."""
        assert self.rows is not None
        return np.asarray(self.rows - self.mean())

    @cached_property
    def dual(self) -> np.ndarray:
        """The inner products of the centred rows, count x count, if the rows are stored."""
        return np.asarray(self.centred_rows @ self.centred_rows.T)

    @cached_property
    def basis(self) -> Eigenbasis:
        """The eigenbasis of the scatter about the mean: computed once for all scores and all labels."""
        if self.rows is not None:
            return basis_of_rows(self.centred_rows, self.dual.copy(), self.noise())
        return basis_of_gram(self.centred_gram(), self.noise())

    def fourth_moment_about_mean(self) -> float:
        """Return the sum over examples of |x - mean|^4, for Ledoit-Wolf shrinkage."""
        q4, v3, q2 = self.fourth
        m = self.mean()
        m2 = float(m @ m)
        spread = np.square(self.rows @ m).sum() if self.rows is not None else m @ self.full_gram() @ m
        return q4 - 4 * float(m @ v3) + 4 * float(spread) + 2 * m2 * q2 - 3 * self.count * m2 * m2

    @property
    def is_constant(self) -> bool:
        """Whether the features are constant up to rounding."""
        return self.total_variance() <= self.noise()

    @cached_property
    def mean_in_basis(self) -> np.ndarray:
        """The mean of the raw features along the eigenbasis; the last entry is the part outside of it.

        With it the uncentred Gram is diag(eigenvalues, 0) + count * mean mean', in the same directions.
        """
        mean = (self.shift + self.mean())[:, None]
        inside = self.basis.project(mean)
        beyond = 0.0
        if len(inside) < self.width:
            beyond = float(np.linalg.norm(mean - self.basis.expand(inside)))
        return np.append(inside[:, 0], beyond)

    def noise(self) -> float:
        """Return the largest scatter that rounding can cause in constant features."""
        return self.count * float(np.square(16 * np.finfo(np.float64).eps * self.shift).sum())

    def _must_share_shift(self, other: Scatter) -> None:
        if self.shift is not other.shift and not np.array_equal(self.shift, other.shift):
            raise ValueError("Moments add and subtract only under the same shift.")


def _summed_gram(grams: Sequence[np.ndarray], rows: Sequence[np.ndarray]) -> np.ndarray:
    """Return the sum of Grams and of rows'rows, as a new array."""
    if rows:
        of_rows = BlasGram(rows[0].shape[1])
        for some in rows:
            of_rows.add(some)
        total = of_rows.total()
    else:
        total, *grams = grams[0].copy(), *grams[1:]
    for gram in grams:
        total += gram
    return total


def _combined(left: Fourth, right: Fourth, sign: float) -> Fourth:
    return left[0] + sign * right[0], left[1] + sign * right[1], left[2] + sign * right[2]
