"""Texts in memory, and the content hash of a text."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from assay.core.task import Examples


@dataclass(frozen=True, slots=True)
class Texts(Examples):
    """Texts in memory."""

    texts: tuple[str, ...]
    names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.texts)

    def read(self, row: int) -> str:
        """Return one text."""
        return self.texts[row]

    def name(self, row: int) -> str:
        """Return the name that the source gave."""
        return self.names[row]


def digest_text(text: str) -> int:
    """Return the content hash of a text, 64 bits."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def digest_texts(texts: Iterable[str]) -> np.ndarray:
    """Return the content hash of each text (uint64)."""
    return np.fromiter((digest_text(text) for text in texts), dtype=np.uint64)
