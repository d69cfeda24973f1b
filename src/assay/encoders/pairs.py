"""Features of pairs of texts, for encoders that read one text at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch


def encode_texts(
    texts: Sequence[str | tuple[str, str]], encode: Callable[[list[str]], np.ndarray]
) -> np.ndarray:
    """Return examples x width; of a pair u, v: u, v, abs(u - v), u * v, four times as wide.

    Args:
        texts: All texts, or all pairs.
        encode: Returns one row of features for each text.
    """
    if isinstance(texts[0], str):
        return encode([str(text) for text in texts])
    left, right = (encode([text[side] for text in texts]) for side in (0, 1))
    return np.concatenate([left, right, np.abs(left - right), left * right], axis=1)


def compared(sides: Sequence[torch.Tensor]) -> torch.Tensor:
    """Return the features of single texts as they are, and of pairs u, v: u, v, abs(u - v), u * v."""
    if len(sides) == 1:
        return sides[0]
    left, right = sides
    return torch.cat([left, right, (left - right).abs(), left * right], dim=1)
