"""Additive sufficient statistics of labelled features: what most scores need, in memory that N does not grow.

With features F (examples x width) and target columns Y (one-hot classes, or numbers), a Moments holds the
count, the sums of F and Y, the Gram F'F and the cross sums Y'F. All of them add over batches, folds and
machines, so that the statistics of "everything but this fold" are the sum of the other folds. While
there are fewer examples than features the rows themselves are kept instead of the Gram: never more than
min(N, D) x D numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from assay.core.spectrum import Eigenbasis, Spectrum, basis_of_gram, basis_of_rows, spectrum_of_rows
from assay.core.task import Kind, Labels


@dataclass(frozen=True)
class Moments:
    """Statistics of labelled features, in float64, relative to ``shift``, a pilot mean of the features.

    Attributes:
        shift: What was subtracted from each feature: single-precision features with a large mean lose three
            digits in a Gram without it.  # width
        count: Number of examples.
        feature_sum: Sum of the shifted features.  # width
        target_sum: Sum of each target column: class counts for classification.  # columns
        target_square: Sum of squares of each target column.  # columns
        cross: Target columns against shifted features, Y'F.  # columns x width
        gram: Shifted F'F, or None while ``rows`` is there.  # width x width
        rows: Shifted features and targets of each example, or None once ``gram`` is there.
        fourth: Sum of the fourth powers of the row norms, sum of |x|^2 x, and sum of |x|^2.
    """

    shift: np.ndarray
    count: int
    feature_sum: np.ndarray
    target_sum: np.ndarray
    target_square: np.ndarray
    cross: np.ndarray
    gram: np.ndarray | None
    rows: tuple[np.ndarray, np.ndarray] | None
    fourth: tuple[float, np.ndarray, float]

    @property
    def width(self) -> int:
        """The number of features."""
        return len(self.shift)

    @classmethod
    def of(cls, features: np.ndarray, targets: np.ndarray, shift: np.ndarray) -> Moments:
        """Return the statistics of some rows: features (examples x width), targets (examples x columns)."""
        x = np.asarray(features, dtype=np.float64) - shift
        y = np.asarray(targets, dtype=np.float64)
        squares = np.einsum("ij,ij->i", x, x)
        return cls(
            shift=shift,
            count=len(x),
            feature_sum=x.sum(axis=0),
            target_sum=y.sum(axis=0),
            target_square=np.square(y).sum(axis=0),
            cross=y.T @ x,
            gram=None,
            rows=(x, y),
            fourth=(float(squares @ squares), squares @ x, float(squares.sum())),
        )._condensed()

    def __add__(self, other: Moments) -> Moments:
        """Merge the statistics of two disjoint sets of examples that share ``shift``."""
        self._must_share_shift(other)
        keep_rows = self.rows is not None and other.rows is not None
        return Moments(
            shift=self.shift,
            count=self.count + other.count,
            feature_sum=self.feature_sum + other.feature_sum,
            target_sum=self.target_sum + other.target_sum,
            target_square=self.target_square + other.target_square,
            cross=self.cross + other.cross,
            gram=None if keep_rows else self.full_gram() + other.full_gram(),
            rows=_stack(self.rows, other.rows) if self.rows and other.rows else None,
            fourth=(
                self.fourth[0] + other.fourth[0],
                self.fourth[1] + other.fourth[1],
                self.fourth[2] + other.fourth[2],
            ),
        )._condensed()

    def full_gram(self) -> np.ndarray:
        """Return the shifted Gram F'F, width x width."""
        if self.gram is not None:
            return self.gram
        assert self.rows is not None
        gram: np.ndarray = self.rows[0].T @ self.rows[0]
        return gram

    def mean(self) -> np.ndarray:
        """Return the mean of the shifted features."""
        return self.feature_sum / self.count

    def centred_cross(self) -> np.ndarray:
        """Return (F - mean)'(Y - mean), width x columns."""
        centred: np.ndarray = self.cross.T - np.outer(self.mean(), self.target_sum)
        return centred

    def centred_target_square(self) -> np.ndarray:
        """Return the sum of squares of each target column about its mean."""
        return np.asarray(self.target_square - np.square(self.target_sum) / self.count)

    def centred_gram(self) -> np.ndarray:
        """Return (F - mean)'(F - mean), width x width."""
        return np.asarray(self.full_gram() - np.outer(self.feature_sum, self.mean()))

    def centred_spectrum(self) -> Spectrum:
        """Return the spectrum of the scatter matrix about the mean, with the centred targets."""
        if self.rows is not None:
            return spectrum_of_rows(*self._centred_rows(self.rows), self._noise())
        return self.centred_basis().spectrum

    def centred_basis(self) -> Eigenbasis:
        """Return the same with the eigenvectors: what ridge regression with an intercept needs."""
        if self.rows is not None:
            return basis_of_rows(*self._centred_rows(self.rows), self._noise())
        return basis_of_gram(self.centred_gram(), self.centred_cross(), self._noise())

    def raw_spectrum(self) -> Spectrum:
        """Return the spectrum of the Gram of the features as they came, without any shift."""
        if self.rows is not None:
            x, y = self.rows
            return spectrum_of_rows(x + self.shift, y, 0.0)
        first = np.outer(self.shift, self.feature_sum)
        gram = self.full_gram() + first + first.T + self.count * np.outer(self.shift, self.shift)
        return basis_of_gram(gram, self.cross.T + np.outer(self.shift, self.target_sum), 0.0).spectrum

    def squared_error(self, weights: np.ndarray, intercept: np.ndarray) -> float:
        """Return the sum of squared errors of shifted F @ weights + intercept (width x columns, columns)."""
        if self.rows is not None:
            x, y = self.rows
            return float(np.square(y - x @ weights - intercept).sum())
        assert self.gram is not None
        fitted = np.einsum("dc,dc->", weights, self.gram @ weights)
        agreement = np.einsum("dc,cd->", weights, self.cross)
        constant = intercept @ (self.count * intercept - 2 * self.target_sum)
        mixed = 2 * (self.feature_sum @ weights) @ intercept
        return float(max(self.target_square.sum() + fitted - 2 * agreement + constant + mixed, 0.0))

    def fourth_moment_about_mean(self) -> float:
        """Return the sum over examples of |x - mean|^4: what Ledoit-Wolf shrinkage needs."""
        q4, v3, q2 = self.fourth
        m = self.mean()
        m2 = float(m @ m)
        if self.rows is not None:
            spread = float(np.square(self.rows[0] @ m).sum())
        else:
            spread = float(m @ self.full_gram() @ m)
        return q4 - 4 * float(m @ v3) + 4 * spread + 2 * m2 * q2 - 3 * self.count * m2 * m2

    def _centred_rows(self, rows: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
        return rows[0] - self.mean(), rows[1] - self.target_sum / self.count

    def _noise(self) -> float:
        """Return how much scatter rounding alone can leave in features that are all constant."""
        return self.count * float(np.square(16 * np.finfo(np.float64).eps * self.shift).sum())

    def _condensed(self) -> Moments:
        """Trade the rows for the Gram once there are more examples than features."""
        if self.rows is None or self.count <= self.width:
            return self
        return Moments(
            self.shift, self.count, self.feature_sum, self.target_sum, self.target_square, self.cross,
            self.full_gram(), None, self.fourth,
        )  # fmt: skip

    def _must_share_shift(self, other: Moments) -> None:
        if self.shift is not other.shift and not np.array_equal(self.shift, other.shift):
            raise ValueError("Moments add and subtract only under the same shift.")


@dataclass(frozen=True)
class FoldedMoments:
    """Moments of train, kept fold by fold, so that estimates can be out of sample.

    Attributes:
        folds: One Moments for each fold, none of them empty.
        kind: The kind of the task: what the target columns are.
    """

    folds: tuple[Moments, ...]
    kind: Kind

    @cached_property
    def total(self) -> Moments:
        """All folds together."""
        return _merge(self.folds)

    @cached_property
    def centred_spectrum(self) -> Spectrum:
        """The spectrum of the scatter matrix about the mean: computed once for all scores."""
        return self.total.centred_spectrum()

    @cached_property
    def raw_spectrum(self) -> Spectrum:
        """The spectrum of the Gram without centring: computed once for all scores."""
        return self.total.raw_spectrum()

    def without(self, fold: int) -> Moments:
        """Return the Moments of every fold but one."""
        return _merge([other for number, other in enumerate(self.folds) if number != fold])

    @classmethod
    def of(cls, features: np.ndarray, labels: Labels, folds: np.ndarray) -> FoldedMoments:
        """Return the Moments of a whole matrix; ``folds`` says to which fold each example belongs."""
        stream = MomentStream(labels, folds)
        stream.update(np.arange(len(labels)), features)
        return stream.finish()


class MomentStream:
    """Gathers FoldedMoments from batches as a model encodes them; batches may come in any order.

    The shift is the mean of the first batch: any value near the mean gives the same result. Rows wait until
    a block of them is full, because one update of a wide Gram costs much the same for few rows as for many.
    """

    def __init__(self, labels: Labels, folds: np.ndarray) -> None:
        self._kind = labels.kind
        self._labels = labels
        self._folds = np.asarray(folds)
        self._shift: np.ndarray | None = None
        self._waiting: dict[int, list[tuple[np.ndarray, np.ndarray]]] = {}
        self._gathered: dict[int, Moments] = {}

    def update(self, rows: np.ndarray, features: np.ndarray) -> None:
        """Add the features of some rows (positions in the labels)."""
        rows = np.asarray(rows, dtype=np.int64)
        if self._shift is None:
            self._shift = np.asarray(features, dtype=np.float64).mean(axis=0)
        which = self._folds[rows]
        for fold in np.unique(which).tolist():
            mine = which == fold
            waiting = self._waiting.setdefault(fold, [])
            waiting.append((rows[mine], features[mine]))
            if sum(len(part) for part, _ in waiting) >= _BLOCK:
                self._gather(fold)

    def finish(self) -> FoldedMoments:
        """Return what was gathered."""
        for fold in list(self._waiting):
            self._gather(fold)
        return FoldedMoments(tuple(self._gathered[fold] for fold in sorted(self._gathered)), self._kind)

    def _gather(self, fold: int) -> None:
        assert self._shift is not None
        parts = self._waiting.pop(fold)
        rows = np.concatenate([rows for rows, _ in parts])
        features = np.concatenate([features for _, features in parts])
        for start in range(0, len(rows), _BLOCK):
            block = slice(start, start + _BLOCK)
            targets = self._labels.take(rows[block]).targets()
            part = Moments.of(features[block], targets, self._shift)
            have = self._gathered.get(fold)
            self._gathered[fold] = part if have is None else have + part


_BLOCK = 1024  # examples of a fold turned to float64 at a time: bounds the memory of one update


def stratified_folds(labels: Labels, count: int, seed: int) -> np.ndarray:
    """Return the fold (0 .. count - 1) of each example; each class, or range of numbers, is spread evenly."""
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels.values[order], kind="stable")]
    folds = np.empty(len(labels), dtype=np.int64)
    folds[order] = np.arange(len(labels)) % count
    return folds


def _merge(parts: Sequence[Moments]) -> Moments:
    merged = parts[0]
    for part in parts[1:]:
        merged = merged + part
    return merged


def _stack(
    a: tuple[np.ndarray, np.ndarray], b: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([a[0], b[0]]), np.concatenate([a[1], b[1]])
