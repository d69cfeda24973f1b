"""Preprocesses the examples of a split once and caches them as far as memory allows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, final

import numpy as np

from assay.core.task import Examples
from assay.core.trainable import Trainable
from assay.encoders.batches import read_ahead

_MOST_BYTES = 2 << 30  # maximum size of cached images: 14 000 of 224 x 224 pixels


@final
class PreparedExamples:
    """Examples that are preprocessed on first use and cached until the cache is full.

    Args:
        examples: The examples of one split.
        trainable: The model that preprocesses them.
    """

    def __init__(self, examples: Examples, trainable: Trainable) -> None:
        self._examples = examples
        self._trainable = trainable
        self._kept: dict[int, Any] = {}
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._examples)

    def batches(self, batches: Sequence[np.ndarray]) -> Iterator[tuple[np.ndarray, list[Any]]]:
        """Yield preprocessed batches; the next batch is read in the background."""
        return read_ahead(self._read, batches)

    def _read(self, rows: np.ndarray) -> list[Any]:
        return [self._prepared(int(row)) for row in rows]

    def _prepared(self, row: int) -> Any:
        if row in self._kept:
            return self._kept[row]
        prepared = self._trainable.prepared(self._examples.read(row))
        size = prepared.nbytes if isinstance(prepared, np.ndarray) else 0  # texts are small
        if self._bytes + size <= _MOST_BYTES:
            self._kept[row] = prepared
            self._bytes += size
        return prepared


def in_order(count: int, size: int) -> list[np.ndarray]:
    """Return the rows of each batch, in order."""
    return [np.arange(start, min(start + size, count)) for start in range(0, count, size)]


def shuffled(order: np.ndarray, size: int) -> list[np.ndarray]:
    """Return the rows of each batch in a given order; a final batch of one row is merged into the previous.

    Batch normalisation cannot compute a variance from one example.
    """
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    if len(batches) > 1 and len(batches[-1]) == 1:
        batches[-2:] = [np.concatenate(batches[-2:])]
    return batches
