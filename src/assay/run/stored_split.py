"""The features and source probabilities of one split in the store, block by block.

The blocks of train begin small, so that a search can look at a few examples: 64, 64, 128, 256, then 512 each.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from assay.core.errors import ModelError
from assay.core.features import Encoded
from assay.core.task import Labels
from assay.encoders.batches import BLOCK, unread_notes
from assay.store.arrays import Arrays
from assay.store.block_file import BlockFile

_SMALL = (64, 128, 256)  # the ends of the first blocks of train


class StoredSplit:
    """Features and source probabilities of a split, in files that grow by blocks of at most 512 examples.

    It holds neither examples nor labels, so it may exist for test.

    Args:
        arrays: The store.
        key: The key of the files.
        labels: The labels of the split.
        order: The examples in the order in which they are encoded.
        begins_small: Whether the first blocks are smaller than the others.

    Attributes:
        examples: The examples of each block.
        rows: The rows of the features of each block, in the order of its examples.
        starts: The number of rows before each block.
    """

    def __init__(
        self, arrays: Arrays, key: str, labels: Labels, order: np.ndarray, *, begins_small: bool = False
    ) -> None:
        small = _SMALL if begins_small else ()
        ends = [end for end in (*small, *range(BLOCK, len(order), BLOCK)) if end < len(order)]
        self._ends = [*ends, len(order)] if len(order) else []
        self.examples = np.split(order, ends)[: len(self._ends)]
        lengths = np.ones(len(order), np.int64) if labels.lengths is None else labels.lengths[order]
        self.starts = np.append(0, lengths.cumsum())[[0, *ends]].tolist()
        self.rows = np.split(labels.rows_of(order), self.starts[1:])[: len(self.examples)]
        self._ascending = [np.argsort(rows) for rows in self.rows]  # files hold rows in ascending order
        self._arrays, self._key = arrays, key

    @cached_property
    def features(self) -> BlockFile:
        """The features."""
        return self._arrays.blocks("features", self._key, self._blocks, None)

    @cached_property
    def source(self) -> BlockFile:
        """The source probabilities; without blocks if the model gives none."""
        return self._arrays.blocks("features", f"{self._key}-source", self._blocks, None)

    @cached_property
    def _unread(self) -> BlockFile:
        """The numbers of truncated examples and unread words, a row for each block that has any."""
        each = [np.array([block]) for block in range(len(self.rows))]
        return self._arrays.blocks("features", f"{self._key}-unread", each, 2)

    @property
    def _blocks(self) -> list[np.ndarray]:
        return [rows[ascending] for rows, ascending in zip(self.rows, self._ascending, strict=True)]

    def blocks_within(self, start: int, stop: int) -> range:
        """Return the blocks that overlap a range of positions, which starts at a block border."""
        return range(bisect_right(self._ends, start), bisect_left(self._ends, stop) + 1 if stop else 0)

    def write(self, block: int, encoded: Encoded, *, with_source: bool) -> None:
        """Write a block whose rows are in the order of its examples; the features last, as its mark."""
        ascending = self._ascending[block]
        if encoded.truncated or encoded.unread:
            self._unread.write(block, np.array([[encoded.truncated, encoded.unread]], np.float32))
        if with_source and encoded.source_probs is not None:
            self.source.write(block, encoded.source_probs[ascending])
        self.features.write(block, encoded.features[ascending])

    def require_read(self, blocks: Sequence[int], what: str) -> None:
        """Raise ``ModelError`` if the model read nothing of all examples of some blocks."""
        _, unread = self._counts(blocks)
        if unread and unread == sum(len(self.rows[block]) for block in blocks):
            raise ModelError(
                f"The model knows no word of the {what}: all features are zeros. Choose a model of their "
                "language, or one that reads letters."
            )

    def _counts(self, blocks: Sequence[int]) -> tuple[int, int]:
        """Return the numbers of truncated examples and of unread rows in some blocks."""
        kept = [block for block in blocks if self._unread.present[block]]
        counts = self._unread.matrix[kept].sum(axis=0) if kept else (0, 0)
        return int(counts[0]), int(counts[1])

    def notes(self, blocks: Sequence[int], what: str) -> tuple[str, ...]:
        """Return caveats about some blocks: content that the model did not read, and damaged blocks.

        Args:
            blocks: The positions of the blocks.
            what: The examples in words, such as "train texts".
        """
        written = self._arrays.read_json("features", self._key, _texts)  # by schema version 3, for the split
        sentences = written or ()
        truncated, unread = self._counts(blocks)
        if truncated or unread:
            examples, words = (
                sum(len(part[block]) for block in blocks) for part in (self.examples, self.rows)
            )
            sentences = unread_notes((truncated, examples), (unread, words), what)
        opened = (part for name, part in vars(self).items() if name in {"features", "source"})
        damaged = sum(part.damaged for part in opened)
        if not damaged:
            return sentences
        were = (
            "damaged block of stored features was"
            if damaged == 1
            else "damaged blocks of stored features were"
        )
        return *sentences, f"{what}: {damaged} {were} encoded again"


def _texts(stored: Any) -> tuple[str, ...]:
    if not isinstance(stored, list) or not all(isinstance(text, str) for text in stored):
        raise TypeError
    return tuple(stored)


def joined(batches: Iterable[Encoded]) -> Encoded:
    """Return batches as one, in single precision; without source probabilities if one of them has none."""
    parts = list(batches)
    probs = [part.source_probs for part in parts if part.source_probs is not None]
    return Encoded(
        np.concatenate([part.features for part in parts]).astype(np.float32, copy=False),
        np.concatenate(probs) if len(probs) == len(parts) else None,
        sum(part.truncated for part in parts),
        sum(part.unread for part in parts),
    )


def distinct(digests: np.ndarray | None, examples: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Return the examples of different contents, and for each example the position of its equal among them.

    The positions are None if all are different, or if the content hashes are None.
    """
    if digests is None:
        return examples, None
    _, first, inverse = np.unique(digests[examples], return_index=True, return_inverse=True)
    if len(first) == len(examples):
        return examples, None
    kept = np.sort(first)
    return examples[kept], np.searchsorted(kept, first[inverse])


def repeated(encoded: Encoded, rows: np.ndarray | None) -> Encoded:
    """Return some rows in another order, some of them several times; all as they are for None."""
    if rows is None:
        return encoded
    probs = encoded.source_probs
    return encoded._replace(
        features=encoded.features[rows], source_probs=None if probs is None else probs[rows]
    )
