"""Pools token states (without padding) or feature maps to one vector per example."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from assay.core.errors import ModelError, UsageError

if TYPE_CHECKING:
    import torch


_SMALL_FLOATS = ("bfloat16", "float8_e4m3fn", "float8_e5m2")
_REAL = "Features are real numbers: return their absolute value, or real and imaginary parts side by side."


class Pooling(StrEnum):
    """The pooling of the tokens of a text to one vector."""

    MEAN = "mean"
    CLS = "cls"
    LAST = "last"
    POOLER = "pooler"

    @classmethod
    def named(cls, name: str) -> Pooling:
        """Parse the user's pooling name."""
        if name not in cls.__members__.values():
            raise UsageError(f"No pooling called '{name}'. Write one of: {', '.join(cls)}.")
        return cls(name)


class States(NamedTuple):
    """The output of an encoder for a batch of texts or audio."""

    tokens: torch.Tensor  # texts x tokens x width
    pooled: torch.Tensor | None = None  # texts x width, from the model's pooling layer
    logits: torch.Tensor | None = None  # texts x source classes


def real_array(values: object) -> np.ndarray:
    """Return the output of a model as float32; raise ``ModelError`` for what is no real number."""
    given = np.asarray(values)
    if given.dtype.kind not in "fiub" and given.dtype.name not in _SMALL_FLOATS:
        raise ModelError(f"The model gives {given.dtype} values. {_REAL}")
    with np.errstate(over="ignore"):  # infinity is reported with the name of the example
        return given.astype(np.float32)


def real_tensor(values: torch.Tensor) -> torch.Tensor:
    """Return the output of a module as dense real numbers; raise ``ModelError`` for complex ones."""
    if values.is_complex():
        raise ModelError(f"The module gives {str(values.dtype).removeprefix('torch.')} values. {_REAL}")
    dense = values.to_dense() if values.is_sparse or values.is_sparse_csr else values
    return dense if dense.is_floating_point() else dense.float()


def pooled_array(values: np.ndarray, axes: tuple[int, int]) -> np.ndarray:
    """Return examples x width: the mean over the positions of a map, or over tokens of a sequence.

    Args:
        values: What a model gave for a batch.
        axes: The spatial axes of a map.
    """
    if values.ndim in (3, 4):
        return np.asarray(values.mean(axes if values.ndim == 4 else 1))
    return values.reshape(len(values), -1)


def pool(states: States, mask: torch.Tensor, pooling: Pooling) -> torch.Tensor:
    """Return texts x width.

    transformers and sentence-transformers pool inside of their models alone; a test compares the mean with
    that of ``SentenceTransformer.encode``.

    Args:
        states: The output of the encoder.
        mask: texts x tokens, 1 for tokens of the text and 0 for padding, on either side.
        pooling: How to pool.
    """
    import torch

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


def pool_words(tokens: torch.Tensor, words: torch.Tensor, count: int, pooling: Pooling) -> torch.Tensor:
    """Return words x width, pooled over the tokens of each word; zeros for words without tokens.

    Args:
        tokens: texts x tokens x width.
        words: texts x tokens: the position of the word that a token belongs to, ascending, or -1.
        count: The number of words.
        pooling: The mean of a word's tokens, the first (``cls``), or the last.
    """
    import torch

    if pooling is Pooling.POOLER:
        raise ModelError("The pooling layer reads whole texts. Write pooling='mean', 'cls' or 'last'.")
    inside = words >= 0
    states, of = tokens[inside], words[inside]
    empty = states.new_zeros((count, tokens.shape[2]))
    if pooling is Pooling.MEAN:
        sizes = torch.bincount(of, minlength=count).clamp(min=1)
        return empty.index_add(0, of, states) / sizes.to(states.dtype)[:, None]
    edges = of[1:] != of[:-1]
    edge = edges.new_ones(min(len(of), 1))
    chosen = torch.cat([edge, edges] if pooling is Pooling.CLS else [edges, edge])
    return empty.index_copy(0, of[chosen], states[chosen])
