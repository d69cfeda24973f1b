"""Caches values computed from the contents of examples, by their hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import closing
from io import BytesIO

import numpy as np

from assay.readers.cache_database import MemoryFile

_MOST_BYTES = 16 << 20  # more is computed again


def remembered(what: str, digests: np.ndarray, compute: Callable[[], np.ndarray]) -> np.ndarray:
    """Return an array that depends on the contents of examples alone, computed unless it is remembered.

    Args:
        what: What is computed, and its version.
        digests: The content hashes of the examples, in order.
        compute: Computes it.
    """
    key = hashlib.blake2b(what.encode() + b"\0" + digests.tobytes(), digest_size=16).digest()
    with closing(MemoryFile()) as memory:
        rows = memory.read("SELECT content FROM found WHERE key = ?", key)
        if rows:
            return np.asarray(np.load(BytesIO(rows[0][0]), allow_pickle=False))
        array = compute()
        if array.nbytes <= _MOST_BYTES:
            file = BytesIO()
            np.save(file, array, allow_pickle=False)
            memory.write("INSERT OR REPLACE INTO found VALUES (?, ?)", [(key, file.getvalue())])
        return array
