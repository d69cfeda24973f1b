"""Sums Moments of train and stores them, so that a later score need not read the features again."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from io import BytesIO
from zipfile import BadZipFile, ZipFile

import numpy as np

from assay.core.keys import content_key
from assay.moments.folded import FoldedMoments
from assay.moments.merging import merged_parts
from assay.moments.scatter import NewGram
from assay.moments.stream import FOLDS_VERSION, SUMS_VERSION, MomentStream
from assay.plugins.train_view import FOLDS, SEED
from assay.run.pieces import Piece
from assay.run.train_subset import TrainSubset
from assay.store.arrays import Arrays

_ROWS = 4096  # rows of stored features that are added to the Moments at once


class StoredMoments:
    """The Moments of train by one model, in one file.

    Args:
        arrays: The store.
        features: The key of the features.
        seen: The examples of train that they are summed over, and their folds.
        new_gram: Creates an empty Gram of a width.
    """

    def __init__(self, arrays: Arrays, features: str, seen: TrainSubset, new_gram: NewGram) -> None:
        self._arrays, self._seen, self._new_gram = arrays, seen, new_gram
        version = content_key(folds=(FOLDS, SEED, FOLDS_VERSION), sums=SUMS_VERSION)[:8]
        regrouped = f"-{seen.regrouped}" if seen.regrouped else ""
        self._key = f"{features}-{seen.part or 'all'}-{version}{regrouped}"

    def stream(self) -> MomentStream:
        """Return what sums features of train."""
        return MomentStream(self._seen.whole.labels, self._seen.folds_of_whole, self._new_gram)

    def summed(self, pieces: Sequence[Piece], features: np.ndarray) -> FoldedMoments:
        """Return the sum of the Moments of all pieces, or that of the features if one is not kept."""
        rows = {piece: self._seen.rows_of(piece) for piece in pieces}
        parts = ((self._folds_in(piece), self._of_piece(piece).read(rows[piece])) for piece in pieces)
        merged = merged_parts(parts, self._seen.whole.labels.kind)
        return merged or self._sum(self._seen.rows_in_order, features)

    def _sum(self, rows: np.ndarray, features: np.ndarray) -> FoldedMoments:
        stream = self.stream()
        for start in range(0, len(rows), _ROWS):
            some = rows[start : start + _ROWS]
            stream.update(some, features[some])
        return stream.finish()

    def keep_piece(self, piece: Piece, features: np.ndarray) -> None:
        """Sum a piece of the features of all of train, unless its Moments are kept."""
        rows, kept = self._seen.rows_of(piece), self._of_piece(piece)
        if kept.read(rows) is None:
            kept.write(self._sum(rows, features), features[:1].nbytes * len(rows))

    def _of_piece(self, piece: Piece) -> StoredMoments:
        kept = copy(self)
        kept._key = f"{self._key}-{piece.start}-{piece.stop}"
        return kept

    def _folds_in(self, piece: Piece) -> Sequence[int]:
        folds: list[int] = np.unique(self._seen.folds_of_whole[self._seen.rows_of(piece)]).tolist()
        return folds

    def read(self, rows: np.ndarray | None = None) -> FoldedMoments | None:
        """Return the Moments, equal to the last bit to those that were written, or None.

        A file that holds something else than Moments of so many examples is named, and not used.

        Args:
            rows: The rows of features that they sum; by default those of all examples that methods see.
        """
        content = self._arrays.read("moments", self._key)
        if content is None:
            return None
        labels, folds = self._seen.whole.labels, self._seen.folds_of_whole
        counts = np.unique(folds[self._seen.rows_in_order if rows is None else rows], return_counts=True)[1]
        try:
            moments = _loaded(content.tobytes())
            if moments.kind is labels.kind and _counts(moments) == counts.tolist():
                return moments
        except (ArithmeticError, AttributeError, BadZipFile, LookupError, OSError, TypeError, ValueError):
            pass
        self._arrays.refuse("moments", f"{self._key}.npy", "it does not hold what is expected")
        return None

    def write(self, moments: FoldedMoments, features_bytes: int) -> None:
        """Write the Moments if they are smaller than the features that they sum."""
        if moments.size_in_bytes >= features_bytes:
            return
        file = BytesIO()
        moments.save(file)
        self._arrays.write("moments", self._key, np.frombuffer(file.getbuffer(), np.uint8)[None])  # one block


def _loaded(content: bytes) -> FoldedMoments:
    """Return the Moments in a file; raise ``ValueError`` if it is packed, or a number is not finite."""
    with ZipFile(BytesIO(content)) as file:
        if sum(part.file_size for part in file.infolist()) > len(content):
            raise ValueError("what we write is not packed")
    moments = FoldedMoments.load(BytesIO(content))
    if not np.isfinite(moments.total.scatter.feature_sum).all():
        raise ValueError("a sum is not finite")
    return moments


def _counts(moments: FoldedMoments) -> list[int]:
    return [fold.scatter.count for fold in moments.folds]
