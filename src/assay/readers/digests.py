"""Content hashes of examples, 64 bits: they find repeated examples and make the fingerprint of a task."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import numpy as np

from assay.core.task import Words

Digestible = np.ndarray | str | tuple[str, ...] | Words

_END = "\0"  # of a text or word; no file has it in one


def digest_bytes(content: bytes) -> int:
    """Return the hash of the content of a file."""
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "little")


def digest_example(example: Digestible) -> int:
    """Return the hash of an array, of a text or pair, or of a text of words; its plain text has another."""
    if isinstance(example, np.ndarray):
        return digest_bytes(repr(example.shape).encode() + example.tobytes())
    if isinstance(example, Words):
        example = ("", *example.words)
    return digest_bytes((example if isinstance(example, str) else _END.join(example)).encode())


def digest_examples(examples: Iterable[Digestible]) -> np.ndarray:
    """Return the hash of each example (uint64)."""
    return np.fromiter((digest_example(example) for example in examples), dtype=np.uint64)
