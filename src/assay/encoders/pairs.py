"""Features of pairs of texts: of each text alone and compared, for encoders that read one text at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np

from assay.core.errors import UnknownName
from assay.encoders.examples import Text

if TYPE_CHECKING:
    import torch


class Pairs(StrEnum):
    """How a model that reads one input gets a pair of texts."""

    TOGETHER = "together"  # as one input, for models that were trained on pairs
    APART = "apart"  # each alone, and compared

    @classmethod
    def named(cls, name: str) -> Pairs:
        """Return what a user wrote."""
        if name not in cls.__members__.values():
            raise UnknownName("way to read pairs", name, cls)
        return cls(name)


def encode_texts(texts: Sequence[Text], encode: Callable[[list[str]], np.ndarray], width: int) -> np.ndarray:
    """Return examples x width; of a pair u, v: u, v, abs(u - v), u * v, four times as wide.

    Args:
        texts: All texts, or all pairs.
        encode: Returns one row of features for each text.
        width: That of a text; what the result has where there are no texts.
    """
    if not texts:
        return np.empty((0, width), np.float32)
    sides = [encode(side) for side in sides_of(texts)]
    if len(sides) == 1:
        return sides[0]
    left, right = sides
    return np.concatenate([left, right, np.abs(left - right), left * right], axis=1)


def sides_of(texts: Sequence[Text]) -> list[list[str]]:
    """Return all texts; of pairs all first texts, and all second ones."""
    if isinstance(texts[0], str):
        return [[str(text) for text in texts]]
    return [[text[side] for text in texts] for side in (0, 1)]


def compared(sides: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the features of single texts as they are, and of pairs u, v: u, v, abs(u - v), u * v.

    References:
        Sentence-BERT (Reimers and Gurevych, 2019), https://arxiv.org/abs/1908.10084, whose classifier reads
        u, v and abs(u - v); the product is from InferSent (Conneau et al., 2017),
        https://arxiv.org/abs/1705.02364.
    """
    import torch

    if len(sides) == 1:
        return sides[0]
    left, right = sides
    return torch.cat([left, right, (left - right).abs(), left * right], dim=1)
