"""What a TensorFlow model costs and which weights it has; for the processes that hold one."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

_PRODUCTS = ("Conv2D", "DepthwiseConv2dNative", "Conv3D", "MatMul", "BatchMatMul", "BatchMatMulV2", "Einsum")


def spare_imports() -> None:
    """Keep Keras from importing what it has only for plots and wrappers: half of the time to start."""
    for package in ("matplotlib", "sklearn", "pandas"):
        sys.modules.setdefault(package, None)  # type: ignore[arg-type]  # None is how Python says: not there


def hash_of(weights: Iterable[tuple[str, np.ndarray]]) -> str:
    """Return a hash of the names, types, shapes and values of weights."""
    digest = hashlib.blake2b(digest_size=16)
    for name, values in weights:
        digest.update(f"{name}\0{values.dtype}\0{values.shape}\0".encode())
        digest.update(np.ascontiguousarray(values).reshape(-1).view(np.uint8).data)
    return digest.hexdigest()


def count_macs(graph: Any) -> int | None:
    """Return the multiply-accumulates of a graph whose shapes are known; None where nothing is countable."""
    import tensorflow as tf

    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    level = list(tf.compat.v1.profiler.profile(graph, cmd="op", options=options).children)
    flops = 0
    while level:
        node = level.pop()
        flops += node.float_ops if node.name in _PRODUCTS else 0
        level.extend(node.children)
    return flops // 2 or None  # TensorFlow counts a multiply-accumulate as two


def as_matrix(values: np.ndarray, outputs: int) -> np.ndarray | None:
    """Return a kernel as outputs x inputs in float32; None where a side of it is one.

    Args:
        values: A kernel as TensorFlow keeps it.
        outputs: The axis of its outputs.
    """
    if values.ndim < 2 or not np.issubdtype(values.dtype, np.floating):
        return None
    moved = np.moveaxis(values, outputs, 0)
    flat = moved.reshape(len(moved), -1)
    return np.ascontiguousarray(flat, dtype=np.float32) if min(flat.shape) > 1 else None
