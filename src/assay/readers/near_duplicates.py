"""Detects near-duplicates between test and train, such as re-saved images or changed punctuation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from assay.core.task import Examples, Modality, Words
from assay.readers.content_cache import remembered

SIDE = 16  # thumbnail side in pixels
MOST_TRAIN = 10_000  # maximum number of compared examples of train
BLOCK = 250  # rows compared at a time

_IMAGE_CORRELATION = (
    0.99  # on seven real image sets: all pairs above it are one image, and similar images begin below
)
_MOST_TEST = 2_000  # maximum number of compared examples of test
_TEXT_COSINE = 0.9  # on nine real text sets: pairs above it differ in a word or in signs
_WORD_HASHES = 2**20
_WORD = r"\w+"

Units = Callable[[np.ndarray], Any]  # positions -> unit vectors as rows, dense or sparse


class NearDuplicates(NamedTuple):
    """The near-duplicates of train examples in test.

    Attributes:
        test: Positions of near-duplicates in test, ascending.
        train: The position of the most similar train example for each.
        compared: The number of compared test examples.
    """

    test: np.ndarray
    train: np.ndarray
    compared: int


def thumbnail(image: Image.Image) -> np.ndarray:
    """Return a thumbnail of ``SIDE * SIDE`` grey values (uint8) for comparison."""
    return np.asarray(image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)).ravel()


def near_duplicates(
    examples: Examples,
    modality: Modality,
    thumbnails: np.ndarray | None,
    train: np.ndarray,
    test: np.ndarray,
    digests: np.ndarray | None = None,
) -> NearDuplicates:
    """Return the test examples that are near-duplicates of a train example.

    Images are compared by the correlation of their thumbnails, texts by the cosine similarity of their
    word unigram and bigram counts. Large sets are subsampled evenly.

    Args:
        examples: All examples.
        modality: The modality of the examples.
        thumbnails: The thumbnails of all images; None to compute those that are compared.
        train: Positions of the train examples.
        test: Positions of the test examples.
        digests: The content hashes of all examples, by which the result is remembered.
    """
    train, test = even_subsample(train, MOST_TRAIN), even_subsample(test, _MOST_TEST)
    if not len(train) or not len(test):
        return NearDuplicates(test[:0], train[:0], len(test))
    threshold, units = comparison(examples, modality, thumbnails)

    def compare() -> np.ndarray:
        return _nearest(units, train, test)

    if digests is None:
        best, nearest = compare()
    else:
        contents = digests[np.concatenate([train, test])]
        best, nearest = remembered(f"nearest 1 {modality} {len(train)}", contents, compare)
    near = np.flatnonzero(best >= threshold)
    return NearDuplicates(test[near], train[nearest[near].astype(np.int64)], len(test))


def _nearest(units: Units, train: np.ndarray, test: np.ndarray) -> np.ndarray:
    """Return for each test example the highest cosine, and the position in train of what has it."""
    known = units(train)
    best, nearest = np.zeros((2, len(test)))
    for start in range(0, len(test), BLOCK):
        rows = slice(start, start + BLOCK)
        cosines = units(test[rows]) @ known.T
        nearest[rows] = np.asarray(cosines.argmax(axis=1)).ravel()
        highest = cosines.max(axis=1)
        best[rows] = np.ravel(highest if isinstance(highest, np.ndarray) else highest.toarray())
    return np.stack([best, nearest])


def comparison(examples: Examples, modality: Modality, thumbnails: np.ndarray | None) -> tuple[float, Units]:
    """Return the similarity threshold of near-duplicates, and the embedding function."""
    if modality is Modality.IMAGE:
        return _IMAGE_CORRELATION, _standardised(examples, thumbnails)
    return _TEXT_COSINE, _counted_words(examples)


def even_subsample(rows: np.ndarray, most: int) -> np.ndarray:
    """Return a limited number of these rows, evenly spaced."""
    return rows if len(rows) <= most else rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]


def _standardised(examples: Examples, thumbnails: np.ndarray | None) -> Units:
    def units(rows: np.ndarray) -> np.ndarray:
        if thumbnails is None:
            read = (np.asarray(examples.read(int(row))) for row in rows)
            grey = np.stack([thumbnail(Image.fromarray(image)) for image in read]).astype(np.float32)
        else:
            grey = thumbnails[rows].astype(np.float32)
        grey -= grey.mean(axis=1, keepdims=True)
        lengths = np.linalg.norm(grey, axis=1, keepdims=True)
        return np.asarray(grey / np.where(lengths > 0, lengths, 1))  # a uniform image matches no other

    return units


def _counted_words(examples: Examples) -> Units:
    from sklearn.feature_extraction.text import HashingVectorizer

    counts = HashingVectorizer(
        ngram_range=(1, 2),
        token_pattern=_WORD,
        alternate_sign=False,
        n_features=_WORD_HASHES,
        dtype=np.float32,
    )

    def units(rows: np.ndarray) -> Any:
        return counts.transform(_texts([examples.read(int(row)) for row in rows]))

    return units


def _texts(examples: Sequence[Any]) -> list[str]:
    parts = [example.words if isinstance(example, Words) else example for example in examples]
    return [part if isinstance(part, str) else " ".join(map(str, part)) for part in parts]
