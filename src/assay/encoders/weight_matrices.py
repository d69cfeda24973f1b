"""The weight matrices of a torch module, as numpy arrays."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import nn

_TABLES = ("embed", "position", "token")  # in the names of bare weights that are looked up, not multiplied by


def weight_matrices(module: nn.Module) -> Iterator[np.ndarray]:
    """Yield each weight matrix, outputs x inputs, in float32 or float64; memory holds one at a time.

    A convolution is flattened to outputs x (inputs x places of its kernel). Left out are weights with a side
    of one, and tables that are looked up: embeddings of tokens and of positions.

    Args:
        module: What holds the weights.
    """
    looked_up = {
        id(part.weight) for part in module.modules() if isinstance(part, (nn.Embedding, nn.EmbeddingBag))
    }
    seen: set[int] = set()  # shared weights count once
    for part in module.modules():
        for name, weight in part.named_parameters(recurse=False):
            if id(weight) in looked_up | seen or any(word in name for word in _TABLES):
                continue
            seen.add(id(weight))
            matrix = _matrix(part, weight.detach())
            if matrix is not None:
                yield matrix


def _matrix(part: nn.Module, weight: torch.Tensor) -> np.ndarray | None:
    if not weight.is_floating_point() or weight.ndim < 2:
        return None
    if isinstance(part, nn.modules.conv._ConvTransposeNd) or _is_conv1d_of_transformers(part):
        weight = weight.transpose(0, 1)  # these keep inputs x outputs
    flat = weight.reshape(len(weight), -1)
    if min(flat.shape) < 2:
        return None
    return np.asarray((flat if flat.dtype == torch.float64 else flat.float()).cpu())


def _is_conv1d_of_transformers(part: nn.Module) -> bool:
    """Tell a linear layer of GPT-2 and its like, which is no convolution in spite of its name."""
    return type(part).__name__ == "Conv1D" and type(part).__module__.startswith("transformers.")
