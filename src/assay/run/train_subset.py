"""Train in its fixed order, and the part of it that methods use."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from assay.core.task import Split
from assay.moments.stream import stratified_folds
from assay.plugins.train_view import FOLDS, SEED
from assay.readers.train_order import train_order
from assay.run.pieces import Piece


@dataclass(frozen=True, eq=False)
class TrainSubset:
    """All of train, of which methods see the first examples of a fixed order, sorted by row.

    Attributes:
        whole: All of train.
        train_rows: The number of examples that methods see; None for all.
    """

    whole: Split
    train_rows: int | None = None

    @property
    def count(self) -> int:
        """The number of examples that methods see."""
        return len(self.whole) if self.train_rows is None else min(self.train_rows, len(self.whole))

    @property
    def is_whole(self) -> bool:
        """Whether methods see all of train."""
        return self.count == len(self.whole)

    @property
    def part(self) -> int | None:
        """The number of examples that methods see, as keys name it: None for all."""
        return None if self.is_whole else self.count

    @cached_property
    def order(self) -> np.ndarray:
        """The examples of train in their fixed order."""
        return train_order(self.whole)

    @cached_property
    def split(self) -> Split:
        """The examples that methods see."""
        return self.whole if self.is_whole else self.whole.take(np.sort(self.order[: self.count]))

    @cached_property
    def rows(self) -> np.ndarray:
        """The rows of all features of train that belong to the labels of ``split``."""
        return self.whole.labels.rows_of(np.sort(self.order[: self.count]))

    @cached_property
    def rows_in_order(self) -> np.ndarray:
        """The same rows in the fixed order of their examples."""
        return self.whole.labels.rows_of(self.order[: self.count])

    def rows_of(self, piece: Piece) -> np.ndarray:
        """Return the rows of a piece of train in the fixed order of their examples."""
        return self.whole.labels.rows_of(self.order[piece.start : piece.stop])

    @cached_property
    def folds_of_whole(self) -> np.ndarray:
        """The fold of each label of all of train."""
        contents = self.whole.digests if self.whole.alike is None else self.whole.alike
        return stratified_folds(self.whole.labels, FOLDS, SEED, contents)

    @property
    def regrouped(self) -> str:
        """A hash of the folds if near-duplicates in train decide them, as keys name it; empty if not."""
        if self.whole.alike is None:
            return ""
        return hashlib.sha256(self.folds_of_whole.astype(np.uint8).tobytes()).hexdigest()[:8]

    @cached_property
    def folds(self) -> np.ndarray:
        """The fold of each label of ``split``, without a gap in their numbers."""
        if self.is_whole:
            return self.folds_of_whole
        return np.unique(self.folds_of_whole[self.rows], return_inverse=True)[1]
