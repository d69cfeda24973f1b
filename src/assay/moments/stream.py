"""Accumulates Moments by fold from encoded features; the sums do not depend on the batches."""

from __future__ import annotations

import numpy as np

from assay.core.task import LabelKind, Labels
from assay.moments.folded import FoldedMoments
from assay.moments.moments import Moments
from assay.moments.scatter import BlasGram, GramSum, NewGram, Scatter

_BLOCK = 512  # examples per update of a fold; larger blocks are not faster
_STRIP = 64  # examples converted to float64 at a time, so that they stay in the cache
FOLDS_VERSION = 2  # increase it when examples change their fold: stored Moments are then summed again
SUMS_VERSION = 1  # increase it when the order of the sums changes: stored Moments are then summed again


class MomentStream:
    """Accumulates FoldedMoments from rows in a fixed order.

    The result depends on that order alone, to the last bit, and not on how many rows arrive at a time: the
    shift is the mean of the first 512 rows, and each fold is summed in blocks of its next 512 rows. So a
    stream that is fed more rows gives what a stream of all of them gives.

    Args:
        labels: The labels of all examples; the rows may be a subset.
        folds: The fold of each example.
        new_gram: Creates an empty Gram of a width, possibly on an accelerator.
    """

    def __init__(self, labels: Labels, folds: np.ndarray, new_gram: NewGram = BlasGram) -> None:
        self._labels = labels
        self._folds = np.asarray(folds)
        self._sizes = np.bincount(self._folds)
        self._new_gram = new_gram
        self._first: list[tuple[np.ndarray, np.ndarray]] = []  # what came before the shift was known
        self._shift: np.ndarray | None = None
        self._gathered: dict[int, _Fold] = {}

    def update(self, rows: np.ndarray, features: np.ndarray) -> None:
        """Add the features of the next rows (positions in the labels)."""
        rows = np.asarray(rows, dtype=np.int64)
        if self._shift is None:
            taken = min(len(rows), _BLOCK - sum(len(first) for first, _ in self._first))
            self._first.append((rows[:taken], np.array(features[:taken])))
            if sum(len(first) for first, _ in self._first) < _BLOCK:
                return
            self._begin()
            rows, features = rows[taken:], features[taken:]
        self._add(rows, features)

    def finish(self) -> FoldedMoments:
        """Return the accumulated Moments; the stream takes no more rows."""
        if self._shift is None:
            self._begin()
        for fold in self._gathered.values():
            fold.add(self._labels)
        folds = [self._gathered[number].moments(self._labels) for number in sorted(self._gathered)]
        return FoldedMoments.gathered(folds, self._labels.kind)

    def _begin(self) -> None:
        rows, features = (np.concatenate(parts) for parts in zip(*self._first, strict=True))
        self._first = []
        self._shift = features.mean(axis=0, dtype=np.float64)
        self._add(rows, features)

    def _add(self, rows: np.ndarray, features: np.ndarray) -> None:
        assert self._shift is not None
        which = self._folds[rows]
        for number in np.unique(which).tolist():
            if number not in self._gathered:
                self._gathered[number] = _Fold(self._shift, self._new_gram, int(self._sizes[number]))
            fold = self._gathered[number]
            mine = np.flatnonzero(which == number)
            while len(mine):
                taken = fold.wait(rows, features, mine)
                mine = mine[taken:]
                if fold.is_full:
                    fold.add(self._labels)


def moments_of(features: np.ndarray, labels: Labels, folds: np.ndarray) -> FoldedMoments:
    """Return the Moments of a whole matrix; ``folds`` is the fold of each example."""
    stream = MomentStream(labels, folds)
    stream.update(np.arange(len(labels)), features)
    return stream.finish()


class _Fold:
    """The sums of one fold, updated in place; its rows are stored if there are no more than features.

    Args:
        shift: The value subtracted from each feature.
        new_gram: Creates an empty Gram, once there are more rows than features.
        size: The most rows that can come.
    """

    def __init__(self, shift: np.ndarray, new_gram: NewGram, size: int) -> None:
        self._shift, self._new_gram = shift, new_gram
        capacity = min(size, (len(shift) // _BLOCK + 1) * _BLOCK)  # in whole blocks, beyond the width
        self._x, self._rows = np.empty((capacity, len(shift))), np.empty(capacity, np.int64)
        self._start = self._filled = 0  # the block that is filled
        self._gram: GramSum | None = None
        self._count = 0  # of the rows in the sums
        self._sums: list[np.ndarray] = []  # sums of features, fourth powers (three) and targets (four)

    @property
    def is_full(self) -> bool:
        """Whether the block is full."""
        return self._filled == min(self._start + _BLOCK, len(self._x))

    def wait(self, rows: np.ndarray, features: np.ndarray, mine: np.ndarray) -> int:
        """Buffer as many of the chosen rows as fit into the block, and return their number."""
        taken = mine[: min(self._start + _BLOCK, len(self._x)) - self._filled]
        for start in range(0, len(taken), _STRIP):
            strip = taken[start : start + _STRIP]
            free = slice(self._filled, self._filled + len(strip))
            self._x[free] = features[strip]  # converted first, which is faster than while subtracting
            self._x[free] -= self._shift
            self._rows[free] = rows[strip]
            self._filled += len(strip)
        return len(taken)

    def add(self, labels: Labels) -> None:
        """Add the block to the sums."""
        from scipy.linalg.blas import dgemv

        x = self._x[self._start : self._filled]
        if not len(x):
            return
        some = labels.take(self._rows[self._start : self._filled])
        squares = np.einsum("ij,ij->i", x, x)  # not by numpy's BLAS: see BlasGram
        total, third = (dgemv(1.0, x.T, weights) for weights in (np.ones(len(x)), squares))
        new = [total, np.square(squares).sum(keepdims=True), third, squares.sum(keepdims=True)]
        new += _target_sums(some, squares, x)
        self._sums = [a + b for a, b in zip(self._sums, new, strict=True)] if self._sums else new
        self._count += len(x)
        self._add_gram(x)

    def _add_gram(self, x: np.ndarray) -> None:
        if self._gram is not None:
            self._gram.add(x)
            self._filled = 0
        elif self._count <= len(self._shift):
            self._start = self._filled
        else:  # from here on the Gram is smaller than the rows
            self._gram = self._new_gram(len(self._shift))
            for start in range(0, self._filled, _BLOCK):
                self._gram.add(self._x[start : min(start + _BLOCK, self._filled)])
            self._x, self._rows = np.empty((_BLOCK, len(self._shift))), np.empty(_BLOCK, np.int64)
            self._start = self._filled = 0

    def moments(self, labels: Labels) -> Moments:
        """Return the sums as Moments."""
        total, q4, v3, q2, target_sum, target_square, target_norm, cross = self._sums
        rows = None if self._gram is not None else self._x[: self._filled]
        gram = None if self._gram is None else self._gram.total()
        scatter = Scatter(self._shift, self._count, total, gram, rows, (q4.item(), v3, q2.item()))
        target_rows = None if rows is None else labels.take(self._rows[: self._filled]).targets()
        return Moments(scatter, target_sum, target_square, target_norm, cross, target_rows)


def _target_sums(labels: Labels, squares: np.ndarray, x: np.ndarray) -> list[np.ndarray]:
    """Return sums of the targets Y, of their squares, and Y's and Y'F, where s are the squared norms of rows.

    The targets of classes are mostly 0, and are not written out.
    """
    if labels.kind is not LabelKind.CLASSIFICATION:
        y = labels.targets()
        return [y.sum(axis=0), np.square(y).sum(axis=0), np.einsum("i,ij->j", squares, y), y.T @ x]
    from scipy.sparse import csr_array

    ones, count = np.ones(len(x)), len(labels.classes)
    hot = csr_array((ones, (labels.values, np.arange(len(x)))), shape=(count, len(x)))
    sizes = np.bincount(labels.values, minlength=count).astype(np.float64)
    return [sizes, sizes.copy(), np.bincount(labels.values, squares, count), np.asarray(hot @ x)]


def stratified_folds(labels: Labels, count: int, seed: int, contents: np.ndarray | None = None) -> np.ndarray:
    """Return the fold (0 .. count - 1) of each label, stratified by class or by range of numbers.

    All words of a text are in one fold, because they are not independent, and so are all examples with the
    same content.

    Args:
        labels: The labels.
        count: The number of folds.
        seed: Decides which examples of a class are in which fold.
        contents: A number for each example, equal for equal contents; None if all differ.
    """
    rng = np.random.default_rng(seed)
    order = rng.permutation(labels.examples)
    if labels.lengths is not None:
        return np.repeat(_dealt(np.argsort(order), count, contents), labels.lengths)
    return _dealt(order[np.argsort(labels.strata()[order], kind="stable")], count, contents)


def _dealt(order: np.ndarray, count: int, contents: np.ndarray | None) -> np.ndarray:
    """Deal examples to the folds in this order; one whose content came before joins it."""
    folds = np.empty(len(order), dtype=np.int64)
    if contents is None:
        folds[order] = np.arange(len(order)) % count
        return folds
    _, first, group = np.unique(contents[order], return_index=True, return_inverse=True)
    of_group = np.empty(len(first), dtype=np.int64)
    of_group[np.argsort(first)] = np.arange(len(first)) % count
    folds[order] = of_group[group]
    return folds
