"""64-bit content hashes of examples, for finding duplicates and for the fingerprint of a task."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from assay.core.task import Words

Digestible = np.ndarray | str | tuple[str, ...] | Words

_END = "\0"  # the terminator of a text or word; it does not occur in text files


def digest_bytes(content: bytes) -> int:
    """Return the hash of a file's content."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")


def digest_example(example: Digestible) -> int:
    """Return the hash of an array, text, pair or words; words hash differently from their plain text."""
    if isinstance(example, np.ndarray):
        return digest_bytes(repr(example.shape).encode() + example.tobytes())
    if isinstance(example, Words):
        example = ("", *example.words)
    return digest_bytes((example if isinstance(example, str) else _END.join(example)).encode())


def digest_examples(examples: Iterable[Digestible]) -> np.ndarray:
    """Return the hash of each example (uint64)."""
    return np.fromiter((digest_example(example) for example in examples), dtype=np.uint64)
