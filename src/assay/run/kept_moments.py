"""Moments of train: summed, and kept in the store, so that a later score need not sum the features again."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from io import BytesIO

import numpy as np

from assay.core.keys import content_key
from assay.moments.folded import FoldedMoments
from assay.moments.merging import merged_parts
from assay.moments.scatter import NewGram
from assay.moments.stream import FOLDS_VERSION, SUMS_VERSION, MomentStream
from assay.plugins.train_view import FOLDS, SEED
from assay.run.pieces import Piece
from assay.run.seen_train import SeenTrain
from assay.store.arrays import Arrays

_ROWS = 4096  # rows of stored features that are added to the Moments at once


class KeptMoments:
    """The Moments of train by one model, in one file.

    Args:
        arrays: The store.
        features: The key of the features.
        seen: The examples of train that they are summed over, and their folds.
        new_gram: Creates an empty Gram of a width.
    """

    def __init__(self, arrays: Arrays, features: str, seen: SeenTrain, new_gram: NewGram) -> None:
        self._arrays, self._seen, self._new_gram = arrays, seen, new_gram
        version = content_key(folds=(FOLDS, SEED, FOLDS_VERSION), sums=SUMS_VERSION)[:8]
        regrouped = f"-{seen.regrouped}" if seen.regrouped else ""
        self._key = f"{features}-{seen.part or 'all'}-{version}{regrouped}"

    def stream(self) -> MomentStream:
        """Return what sums features of train."""
        return MomentStream(self._seen.whole.labels, self._seen.folds_of_whole, self._new_gram)

    def summed(self, pieces: Sequence[Piece], features: np.ndarray) -> FoldedMoments:
        """Return the sum of the Moments of all pieces, or that of the features if one is not kept."""
        parts = ((self._folds_in(piece), self._of_piece(piece).read()) for piece in pieces)
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
        if kept.read() is None:
            kept.write(self._sum(rows, features), features[:1].nbytes * len(rows))

    def _of_piece(self, piece: Piece) -> KeptMoments:
        kept = copy(self)
        kept._key = f"{self._key}-{piece.start}-{piece.stop}"
        return kept

    def _folds_in(self, piece: Piece) -> Sequence[int]:
        folds: list[int] = np.unique(self._seen.folds_of_whole[self._seen.rows_of(piece)]).tolist()
        return folds

    def read(self) -> FoldedMoments | None:
        """Return the Moments, equal to the last bit to those that were written, or None."""
        content = self._arrays.read("moments", self._key)
        return None if content is None else FoldedMoments.load(BytesIO(content.tobytes()))

    def write(self, moments: FoldedMoments, features_bytes: int) -> None:
        """Write the Moments if they are smaller than the features that they sum."""
        if moments.size_in_bytes >= features_bytes:
            return
        file = BytesIO()
        moments.save(file)
        self._arrays.write("moments", self._key, np.frombuffer(file.getbuffer(), np.uint8)[None])  # one block
