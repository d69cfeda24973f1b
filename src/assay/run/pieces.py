"""Pieces of splits that start and end at block borders, and can be encoded separately."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from assay.core.task import SplitName
from assay.encoders.batches import BLOCK


class Piece(NamedTuple):
    """Some blocks of a split.

    Attributes:
        start: The first example, in the order of encoding.
        stop: The one after the last.
    """

    split: SplitName
    start: int
    stop: int


def pieces_of(counts: Mapping[SplitName, int], most: int) -> tuple[Piece, ...]:
    """Return pieces of at most so many examples, rounded up to whole blocks.

    >>> [piece[1:] for piece in pieces_of({SplitName.TRAIN: 1300}, 600)]
    [(0, 1024), (1024, 1300)]
    """
    step = whole_blocks(most)
    return tuple(
        Piece(name, start, min(start + step, count))
        for name, count in counts.items()
        for start in range(0, count, step)
    )


def whole_blocks(examples: int) -> int:
    """Return a number of examples rounded up to whole blocks."""
    return -(-examples // BLOCK) * BLOCK
