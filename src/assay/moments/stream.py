"""Accumulates Moments by fold from batches of encoded features."""

from __future__ import annotations

import numpy as np

from assay.core.task import LabelKind, Labels
from assay.moments.folded import FoldedMoments
from assay.moments.moments import Moments
from assay.moments.scatter import BlasGram, GramSum, NewGram, Scatter

_BLOCK = 512  # examples per update of a fold; larger blocks are not faster
_STRIP = 64  # examples converted to float64 at a time, so that they stay in the cache


class MomentStream:
    """Accumulates FoldedMoments from batches in any order.

    The shift is the mean of the first batch; any value near the mean gives the same result. Rows are buffered
    until a block is full, because an update of a wide Gram costs much the same for few rows as for many.

    Args:
        labels: The labels of all examples.
        folds: The fold of each example.
        new_gram: Creates an empty Gram of a width, possibly on an accelerator.
    """

    def __init__(self, labels: Labels, folds: np.ndarray, new_gram: NewGram = BlasGram) -> None:
        self._labels = labels
        self._folds = np.asarray(folds)
        self._new_gram = new_gram
        self._shift: np.ndarray | None = None
        self._gathered: dict[int, _Fold] = {}

    def update(self, rows: np.ndarray, features: np.ndarray) -> None:
        """Add the features of some rows (positions in the labels)."""
        rows = np.asarray(rows, dtype=np.int64)
        if self._shift is None:
            self._shift = features[:_BLOCK].mean(axis=0, dtype=np.float64)
        which = self._folds[rows]
        for number in np.unique(which).tolist():
            fold = self._gathered.get(number)
            if fold is None:
                size = int((self._folds == number).sum())
                fold = self._gathered[number] = _Fold(self._shift, self._new_gram, size)
            mine = np.flatnonzero(which == number)
            while len(mine):
                taken = fold.wait(rows, features, mine)
                mine = mine[taken:]
                if fold.is_full:
                    fold.add(self._labels)

    def finish(self) -> FoldedMoments:
        """Return the accumulated Moments."""
        for fold in self._gathered.values():
            fold.add(self._labels)
        folds = [self._gathered[number].moments() for number in sorted(self._gathered)]
        return FoldedMoments.gathered(folds, self._labels.kind)


def moments_of(features: np.ndarray, labels: Labels, folds: np.ndarray) -> FoldedMoments:
    """Return the Moments of a whole matrix; ``folds`` is the fold of each example."""
    stream = MomentStream(labels, folds)
    stream.update(np.arange(len(labels)), features)
    return stream.finish()


class _Fold:
    """The sums of one fold, updated in place; rows are stored if there are no more than features."""

    def __init__(self, shift: np.ndarray, new_gram: NewGram, size: int) -> None:
        self._shift = shift
        keeps_rows = size <= len(shift)
        block = size if keeps_rows else -(-size // -(-size // _BLOCK))  # all blocks are of equal size
        self._waiting, self._rows = np.empty((block, len(shift))), np.empty(block, np.int64)
        self._filled = 0
        self._kept: list[np.ndarray] = []
        self._kept_targets: list[np.ndarray] = []
        self._gram: GramSum | None = None if keeps_rows else new_gram(len(shift))
        self._count = 0
        self._sums: list[np.ndarray] = []  # sums of features, fourth powers (three) and targets (four)

    @property
    def is_full(self) -> bool:
        """Whether the buffer is full."""
        return self._filled == len(self._waiting)

    def wait(self, rows: np.ndarray, features: np.ndarray, mine: np.ndarray) -> int:
        """Buffer as many of the chosen rows as fit, and return their number."""
        taken = mine[: len(self._waiting) - self._filled]
        for start in range(0, len(taken), _STRIP):
            strip = taken[start : start + _STRIP]
            free = slice(self._filled, self._filled + len(strip))
            np.subtract(features[strip], self._shift, out=self._waiting[free])
            self._rows[free] = rows[strip]
            self._filled += len(strip)
        return len(taken)

    def add(self, labels: Labels) -> None:
        """Add the buffered rows to the sums."""
        from scipy.linalg.blas import dgemv

        if not self._filled:
            return
        x = self._waiting[: self._filled]
        buffered = labels.take(self._rows[: self._filled])
        targets = buffered.targets()
        squares = np.einsum("ij,ij->i", x, x)  # not by numpy's BLAS: see BlasGram
        total, third = (dgemv(1.0, x.T, weights) for weights in (np.ones(len(x)), squares))
        norms = np.einsum("i,ij->j", squares, targets)
        new = [total, np.array(np.square(squares).sum()), third, np.array(squares.sum())]
        new += [targets.sum(axis=0), np.square(targets).sum(axis=0), norms, _cross(buffered, targets, x)]
        self._sums = [a + b for a, b in zip(self._sums, new, strict=True)] if self._sums else new
        self._count += len(x)
        if self._gram is None:
            self._kept.append(x)
            self._kept_targets.append(targets)
            self._waiting = np.empty_like(self._waiting)
        else:
            self._gram.add(x)
        self._filled = 0

    def moments(self) -> Moments:
        """Return the sums as Moments."""
        total, q4, v3, q2, target_sum, target_square, target_norm, cross = self._sums
        rows = None if self._gram is not None else _joined(self._kept)
        gram = None if self._gram is None else self._gram.total()
        scatter = Scatter(self._shift, self._count, total, gram, rows, (float(q4), v3, float(q2)))
        target_rows = None if rows is None else _joined(self._kept_targets)
        return Moments(scatter, target_sum, target_square, target_norm, cross, target_rows)


def _joined(parts: list[np.ndarray]) -> np.ndarray:
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _cross(labels: Labels, targets: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return Y'F; for classes, whose targets are mostly 0, by summing rows."""
    if labels.kind is not LabelKind.CLASSIFICATION:
        return np.asarray(targets.T @ x)
    from scipy.sparse import csr_array

    ones, examples = np.ones(len(x)), np.arange(len(x))
    hot = csr_array((ones, (labels.values, examples)), shape=(targets.shape[1], len(x)))
    return np.asarray(hot @ x)


def stratified_folds(labels: Labels, count: int, seed: int) -> np.ndarray:
    """Return the fold (0 .. count - 1) of each example, stratified by class or by range of numbers.

    All words of a text are in one fold, because they are not independent.
    """
    rng = np.random.default_rng(seed)
    if labels.lengths is not None:
        return np.repeat(rng.permutation(labels.examples) % count, labels.lengths)
    order = rng.permutation(len(labels))
    order = order[np.argsort(labels.strata()[order], kind="stable")]
    folds = np.empty(len(labels), dtype=np.int64)
    folds[order] = np.arange(len(labels)) % count
    return folds
