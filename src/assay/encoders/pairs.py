"""Features of text pairs for encoders of single texts: the features of both texts and their comparison."""

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
    """The input format of text pairs."""

    TOGETHER = "together"  # as one input, for models trained on pairs
    APART = "apart"  # as two inputs, whose features are compared

    @classmethod
    def named(cls, name: str) -> Pairs:
        """Parse the user's setting."""
        if name not in cls.__members__.values():
            raise UnknownName("way to read pairs", name, cls)
        return cls(name)


def encode_texts(texts: Sequence[Text], encode: Callable[[list[str]], np.ndarray], width: int) -> np.ndarray:
    """Return features, examples x width; for a pair u, v the concatenation of u, v, abs(u - v) and u * v.

    Args:
        texts: All texts, or all pairs.
        encode: Returns one row of features per text.
        width: The feature width of a text, used if there are no texts.
    """
    if not texts:
        return np.empty((0, width), np.float32)
    sides = [encode(side) for side in sides_of(texts)]
    if len(sides) == 1:
        return sides[0]
    left, right = sides
    return np.concatenate([left, right, np.abs(left - right), left * right], axis=1)


def sides_of(texts: Sequence[Text]) -> list[list[str]]:
    """Return all texts; for pairs, all first texts followed by all second texts."""
    if isinstance(texts[0], str):
        return [[str(text) for text in texts]]
    return [[text[side] for text in texts] for side in (0, 1)]


def compared(sides: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return features of single texts unchanged, and of pairs u, v as u, v, abs(u - v), u * v.

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
