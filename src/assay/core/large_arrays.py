"""Arrays with a row per example: in memory, or on disk if they exceed a share of the memory limit."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from tempfile import TemporaryFile
from typing import NamedTuple

import numpy as np

_SHARE = 8  # an array may take this part of the bound: a protocol holds three or four of them at once
_NUMBERS = 1 << 22  # copied at a time


class _Bound(NamedTuple):
    most_bytes: float
    folder: Path | None


_NONE = _Bound(math.inf, None)
_BOUND: ContextVar[_Bound] = ContextVar("memory bound", default=_NONE)


@contextmanager
def memory_bound(most_bytes: float | None, folder: Path) -> Iterator[None]:
    """Keep large arrays on disk inside.

    Args:
        most_bytes: The memory that the process may take; None for no bound.
        folder: Where the arrays lie, in files without a name that end with them.
    """
    token = _BOUND.set(_Bound(math.inf if most_bytes is None else most_bytes, folder))
    try:
        yield
    finally:
        _BOUND.reset(token)


def is_large(numbers: float, itemsize: int = 8) -> bool:
    """Return whether an array of so many numbers exceeds its share of the memory."""
    return numbers * itemsize > _BOUND.get().most_bytes / _SHARE


def empty(shape: tuple[int, ...], dtype: type[np.generic]) -> np.ndarray:
    """Return an array without values; a large one is a memory map of a file that ends with it.

    Raises:
        OSError: The disk has no room for it.
    """
    if not is_large(math.prod(shape), np.dtype(dtype).itemsize):
        return np.empty(shape, dtype)
    with TemporaryFile(dir=_BOUND.get().folder) as file:
        if hasattr(os, "posix_fallocate"):  # else a disk that is full ends the process with a signal
            os.posix_fallocate(file.fileno(), 0, math.prod(shape) * np.dtype(dtype).itemsize)
        return np.memmap(file, dtype, "w+", shape=shape)


def concatenated(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the rows of two matrices of one type in one."""
    count = len(first) + len(second)
    if not is_large(count * first.shape[1], first.itemsize):
        return np.concatenate([first, second])
    both = empty((count, first.shape[1]), np.result_type(first, second).type)
    step = max(1, _NUMBERS // first.shape[1])
    for matrix, begin in ((first, 0), (second, len(first))):
        for start in range(0, len(matrix), step):
            rows = matrix[start : start + step]
            both[begin + start : begin + start + len(rows)] = rows
    return both
