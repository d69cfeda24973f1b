"""Turns the states of tokens into one vector per text, with padding left out."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import torch

from assay.core.errors import ModelError, UsageError


class Pooling(StrEnum):
    """How the tokens of a text become one vector."""

    MEAN = "mean"
    CLS = "cls"
    LAST = "last"
    POOLER = "pooler"

    @classmethod
    def named(cls, name: str) -> Pooling:
        """Return the pooling of a name that a user wrote."""
        if name not in cls.__members__.values():
            raise UsageError(f"No pooling called '{name}'. Write one of: {', '.join(cls)}.")
        return cls(name)


class States(NamedTuple):
    """What an encoder says of a batch of texts."""

    tokens: torch.Tensor  # texts x tokens x width
    pooled: torch.Tensor | None = None  # texts x width, by the model's own pooling layer
    logits: torch.Tensor | None = None  # texts x source classes


def pool(states: States, mask: torch.Tensor, pooling: Pooling) -> torch.Tensor:
    """Return texts x width.

    Args:
        states: What the encoder says.
        mask: texts x tokens, 1 for tokens of the text and 0 for padding, on either side.
        pooling: How to pool.
    """
    if pooling is Pooling.POOLER:
        if states.pooled is None:
            raise ModelError("The model has no pooling layer. Write pooling='mean' or pooling='cls'.")
        return states.pooled
    if pooling is Pooling.MEAN:
        weights = mask.to(states.tokens.dtype)[:, :, None]
        return (states.tokens * weights).sum(1) / weights.sum(1).clamp(min=1)
    rows = torch.arange(len(mask), device=mask.device)
    if pooling is Pooling.CLS:
        return states.tokens[rows, mask.argmax(1)]
    return states.tokens[rows, mask.shape[1] - 1 - mask.flip(1).argmax(1)]


def pool_words(tokens: torch.Tensor, places: torch.Tensor, count: int, pooling: Pooling) -> torch.Tensor:
    """Return words x width: each word is pooled from its tokens as a text is; zeros where it has none.

    Args:
        tokens: texts x tokens x width.
        places: texts x tokens: the position of the word that a token belongs to, ascending, or -1.
        count: The number of words.
        pooling: The mean of a word's tokens, the first (``cls``), or the last.
    """
    if pooling is Pooling.POOLER:
        raise ModelError("The pooling layer reads whole texts. Write pooling='mean', 'cls' or 'last'.")
    inside = places >= 0
    states, of = tokens[inside], places[inside]
    words = states.new_zeros((count, tokens.shape[2]))
    if pooling is Pooling.MEAN:
        sizes = torch.bincount(of, minlength=count).clamp(min=1)
        return words.index_add(0, of, states) / sizes.to(states.dtype)[:, None]
    edges = of[1:] != of[:-1]
    edge = edges.new_ones(min(len(of), 1))
    chosen = torch.cat([edge, edges] if pooling is Pooling.CLS else [edges, edge])
    return words.index_copy(0, of[chosen], states[chosen])
