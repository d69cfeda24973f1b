"""Additive sufficient statistics of labelled features, in memory independent of N.

With features F (examples x width) and target columns Y (one-hot classes, or numbers), Moments hold the
count, the sums of F and Y, the Gram F'F and the cross sums Y'F. All of them add over batches, folds and
machines, and can be subtracted, so that "all folds but this one" needs no second pass.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from assay.moments.scatter import Scatter
from assay.moments.spectrum import Spectrum, with_one_more_row

SUMS = ("target_sum", "target_square", "target_norm", "cross")


@dataclass(frozen=True, eq=False)
class Moments:
    """Statistics of labelled features, in float64.

    Attributes:
        scatter: The statistics of the features alone; several label columns share it.
        target_sum: Sum of each target column: class counts for classification.  # columns
        target_square: Sum of squares of each target column.  # columns
        target_norm: Target columns against the squared norms of the shifted features.  # columns
        cross: Target columns against shifted features, Y'F.  # columns x width
        target_rows: The targets of each example, if the scatter stores rows.  # count x columns
    """

    scatter: Scatter
    target_sum: np.ndarray
    target_square: np.ndarray
    target_norm: np.ndarray
    cross: np.ndarray
    target_rows: np.ndarray | None

    @property
    def width(self) -> int:
        """The number of features."""
        return self.scatter.width

    @property
    def count(self) -> int:
        """The number of examples."""
        return self.scatter.count

    @classmethod
    def of(cls, features: np.ndarray, targets: np.ndarray, shift: np.ndarray) -> Moments:
        """Return the statistics of features (examples x width) and targets (examples x columns)."""
        x = np.asarray(features, dtype=np.float64) - shift
        y = np.asarray(targets, dtype=np.float64)
        scatter = Scatter.of(x, shift)
        return cls(
            scatter=scatter,
            target_sum=y.sum(axis=0),
            target_square=np.square(y).sum(axis=0),
            target_norm=np.einsum("ij,ij->i", x, x) @ y,
            cross=y.T @ x,
            target_rows=None if scatter.rows is None else y,
        )

    def __add__(self, other: Moments) -> Moments:
        """Merge the statistics of two disjoint sets of examples with the same shift."""
        return merged([self, other])

    def without(self, other: Moments) -> Moments:
        """Subtract the sums of a part; the Gram and the rows, most of the work, are left out."""
        sums = {name: getattr(self, name) - getattr(other, name) for name in SUMS}
        return Moments(self.scatter.without(other.scatter), **sums, target_rows=None)

    def columns(self, chosen: slice) -> Moments:
        """Return the same examples with some of the target columns; the scatter is shared, not copied."""
        rows = None if self.target_rows is None else self.target_rows[:, chosen]
        sums = {name: getattr(self, name)[chosen] for name in SUMS}
        return Moments(self.scatter, **sums, target_rows=rows)

    def mean(self) -> np.ndarray:
        """Return the mean of the shifted features."""
        return self.scatter.mean()

    def centred_cross(self) -> np.ndarray:
        """Return (F - mean)'(Y - mean), width x columns."""
        centred: np.ndarray = self.cross.T - np.outer(self.mean(), self.target_sum)
        return centred

    def centred_targets(self) -> np.ndarray:
        """Return the centred targets of each example, if the rows are stored."""
        assert self.target_rows is not None
        return np.asarray(self.target_rows - self.target_sum / self.count)

    def centred_target_square(self) -> np.ndarray:
        """Return the sum of squares of each target column about its mean."""
        return np.asarray(self.target_square - np.square(self.target_sum) / self.count)

    def spectrum(self) -> Spectrum:
        """Return the spectrum of the centred scatter with the projected centred targets."""
        basis = self.scatter.basis
        if self.target_rows is not None:
            return Spectrum(basis.values, basis.project_targets(self.centred_targets()))
        return Spectrum(basis.values, basis.project(self.centred_cross()))

    def uncentred(self) -> Spectrum:
        """Return the spectrum of the uncentred Gram with the projected uncentred targets."""
        values, cross = self.spectrum()
        row = np.sqrt(self.count) * self.scatter.mean_in_basis
        updated = with_one_more_row(np.sqrt(np.append(values, 0.0)), row)
        rounding = updated.singular.max() * max(self.count, self.width) * np.finfo(np.float64).eps
        kept = np.argsort(-updated.singular)[: np.count_nonzero(updated.singular > rounding)]
        sums = updated.project(np.vstack([cross, np.zeros((1, cross.shape[1]))]))[kept]
        sums += np.outer(updated.along[kept] / np.sqrt(self.count), self.target_sum)
        return Spectrum(np.square(updated.singular[kept]), sums)

    def squared_error(self, weights: np.ndarray, intercept: np.ndarray) -> float:
        """Return the sum of squared errors of shifted F @ weights + intercept (width x columns, columns)."""
        if self.scatter.rows is not None:
            return float(np.square(self.target_rows - self.scatter.rows @ weights - intercept).sum())
        fitted = np.einsum("dc,dc->", weights, self.scatter.full_gram() @ weights)
        agreement = np.einsum("dc,cd->", weights, self.cross)
        constant = intercept @ (self.count * intercept - 2 * self.target_sum)
        mixed = 2 * (self.scatter.feature_sum @ weights) @ intercept
        return float(max(self.target_square.sum() + fitted - 2 * agreement + constant + mixed, 0.0))


def merged(parts: Sequence[Moments]) -> Moments:
    """Return the Moments of disjoint sets of examples with the same shift."""
    scatter, rows = Scatter.summed([part.scatter for part in parts]), None
    if scatter.rows is not None:
        rows = np.concatenate([part.target_rows for part in parts if part.target_rows is not None])
    sums = {name: np.sum([getattr(part, name) for part in parts], axis=0) for name in SUMS}
    return Moments(scatter, **sums, target_rows=rows)
