"""Encodes a split in batches, with prefetching, batch halving on memory errors, and output checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from typing import Any, TypeVar

import numpy as np

from assay.core.errors import ModelError
from assay.core.features import Encoded
from assay.core.model import Model
from assay.core.task import Example, Split
from assay.encoders.pixel_cache import PixelCache, pixel_budget
from assay.encoders.prepared_images import PreparedImages
from assay.environment.process_state import mend_after_call

BLOCK = 512  # examples of a block of stored features; a second of encoding, more or less


def unread_notes(truncated: tuple[int, int], unread: tuple[int, int], what: str) -> tuple[str, ...]:
    """Describe truncated and unread content in sentences, without those whose count is zero.

    Args:
        truncated: The number of truncated examples, and of all.
        unread: The number of words, or of whole texts, without features, and of all.
        what: The examples in words, such as "train texts".
    """
    sentences = []
    if truncated[0]:
        sentences.append(
            f"{truncated[0]} of {truncated[1]} {what} are longer than the model reads: what is beyond was cut"
        )
    if unread[0]:
        words = what if unread[1] == truncated[1] else f"words of {what}"
        sentences.append(
            f"{unread[0]} of {unread[1]} {words} have zeros for features: they lie beyond what the "
            "model reads, or it does not know them"
        )
    return tuple(sentences)


Content = TypeVar("Content")
Encode = Callable[[Any], Encoded]  # of examples, or of images prepared for a model
Progress = Callable[[str, int, int], object]  # description, number done, total


class Batches:
    """Encodes splits.

    Args:
        size: The batch size.
        report: Called with the progress.

    Attributes:
        notes: Caveats about this run.
        report: Called with the progress.
    """

    def __init__(self, size: int, report: Progress) -> None:
        self.notes: list[str] = []
        self._size = size
        self._too_large: int | None = None  # the least size for which memory did not suffice
        self.report = report

    def cut(self, block: np.ndarray) -> list[np.ndarray]:
        """Cut the examples of a block into batches, which hold at most one block of 512 examples.

        A full block gives batches of equal size, the last of which may be a little smaller.
        """
        size = -(-BLOCK // -(-BLOCK // self._size))
        return [block[start : start + size] for start in range(0, len(block), size)]

    def encoded(
        self, model: Model, split: Split, what: str, batches: Sequence[np.ndarray] | None = None
    ) -> Iterator[tuple[np.ndarray, Encoded]]:
        """Encode batches of a split, reading the next batch in the background.

        Args:
            model: The model.
            split: The split.
            what: The progress in words.
            batches: The examples of each batch; by default all of the split, in order.

        Yields:
            The positions of the labels of a batch, and its features with one row per label.
        """
        if batches is None:
            batches = self.cut(np.arange(len(split)))
        total, done = sum(map(len, batches)), 0
        self.report(what, 0, total)
        width = None
        with self._reading(model, split) as (read, encode):
            for rows, examples in read_ahead(read, batches):
                encoded = self._encode_batch(encode, examples)
                width = width or encoded.features.shape[1]
                if encoded.features.shape[1] != width:
                    found = encoded.features.shape[1]
                    raise ModelError(f"the model returned features {found} wide, and before {width} wide")
                _must_be_finite(encoded.features, "features", split, rows)
                if encoded.source_probs is not None:
                    _must_be_finite(encoded.source_probs, "source probabilities", split, rows)
                yield split.labels.rows_of(rows), encoded
                done += len(rows)
                self.report(what, done, total)

    @contextmanager
    def _reading(self, model: Model, split: Split) -> Iterator[tuple[Callable[[np.ndarray], Any], Encode]]:
        """Yield what reads a batch of a split for a model, and what encodes what was read."""
        pixels = model.pixels
        if model.names is not None or pixels is None:
            yield partial(_read if model.names is None else _called, split), model.encode
        elif split.digests is None or not pixel_budget():
            yield PreparedImages(split, pixels, None).read, pixels.encode
        else:
            with closing(PixelCache(pixels)) as cache:
                yield PreparedImages(split, pixels, cache).read, pixels.encode

    def _encode_batch(self, encode: Encode, examples: Any) -> Encoded:
        """Encode a batch, halving it while memory is insufficient, as it was for one of this size."""
        if self._too_large is None or len(examples) < self._too_large:
            try:
                return _own_numbers(encode(examples))
            except Exception as error:
                if not is_out_of_memory(error) or len(examples) == 1:
                    raise
            finally:
                mend_after_call()
            self._too_large = len(examples)
            self.notes.append(f"memory did not suffice for batches of {len(examples)}: they were halved")
        half = len(examples) // 2
        first, second = (self._encode_batch(encode, part) for part in (examples[:half], examples[half:]))
        return _joined(first, second)


def read_ahead(
    read: Callable[[np.ndarray], Content], batches: Sequence[np.ndarray]
) -> Iterator[tuple[np.ndarray, Content]]:
    """Yield the rows of each batch with their content, reading the next batch in the background."""
    with ThreadPoolExecutor(max_workers=1) as readers:
        coming = [readers.submit(read, rows) for rows in batches[:1]]
        for position, rows in enumerate(batches):
            content = coming.pop().result()
            coming += [readers.submit(read, following) for following in batches[position + 1 : position + 2]]
            yield rows, content


def is_out_of_memory(error: Exception) -> bool:
    """Return whether an error means out of memory (on CPUs it is a plain RuntimeError)."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(
        words in str(error).lower() for words in ("out of memory", "can't allocate memory")
    )


def _read(split: Split, rows: np.ndarray) -> list[Example]:
    return [split.examples.read(int(row)) for row in rows]


def _called(split: Split, rows: np.ndarray) -> list[Example]:
    return [split.examples.name(int(row)) for row in rows]


def _own_numbers(encoded: Encoded) -> Encoded:
    """Return what a model gave as float32 in memory of our own: it may write its next batch to the same."""
    probs = encoded.source_probs
    return encoded._replace(
        features=_copied(encoded.features, "features"),
        source_probs=None if probs is None else _copied(probs, "source probabilities"),
    )


def _copied(matrix: np.ndarray, what: str) -> np.ndarray:
    given = np.asarray(matrix)
    if (
        given.ndim != 2 or not given.shape[1] or given.dtype.kind in "cOSUMm"
    ):  # others, such as bfloat16, become float32
        raise ModelError(f"the model returned {what} of the type {given.dtype} and the shape {given.shape}")
    with np.errstate(over="ignore"):  # infinity is reported with the name of the example
        return given.astype(np.float32)


def _must_be_finite(matrix: np.ndarray, what: str, split: Split, rows: np.ndarray) -> None:
    labelled = len(split.labels.rows_of(rows))
    if len(matrix) != labelled:
        each = "examples" if split.labels.lengths is None else "words"
        raise ModelError(f"the model returned {len(matrix)} rows of {what} for {labelled} {each}")
    finite = np.isfinite(matrix).all(axis=1)
    if finite.all():
        return
    ends = (
        np.arange(1, len(rows) + 1) if split.labels.lengths is None else split.labels.lengths[rows].cumsum()
    )
    first = split.examples.name(int(rows[np.searchsorted(ends, np.argmin(finite), side="right")]))
    raise ModelError(
        f"the {what} of '{first}' are not finite (NaN or infinity). "
        "Look at this example and at the weights: assay check tells whether they are finite elsewhere."
    )


def _joined(a: Encoded, b: Encoded) -> Encoded:
    probs = (a.source_probs, b.source_probs)
    joined = None if probs[0] is None or probs[1] is None else np.concatenate([probs[0], probs[1]])
    features = np.concatenate([a.features, b.features])
    return Encoded(features, joined, a.truncated + b.truncated, a.unread + b.unread)
