"""Near-duplicates of test in train: an image that was saved again, a text with other punctuation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from PIL import Image

from assay.core.task import Examples, Modality, Words

SIDE = 16  # pixels of a thumbnail

_IMAGE_CORRELATION = (
    0.99  # on seven real image sets: all pairs above it are one image, and similar images begin below
)
_TEXT_COSINE = 0.9  # on nine real text sets: pairs above it differ in a word or in signs
_MOST_TEST, _MOST_TRAIN = 2_000, 10_000  # examples that are compared
_BLOCK = 250  # rows of test at a time
_WORD_HASHES = 2**20
_WORD = r"\w+"

Units = Callable[[np.ndarray], Any]  # positions -> a row of length 1 for each, dense or sparse


class NearDuplicates(NamedTuple):
    """Which examples of test are near-duplicates of one of train, and of which.

    Attributes:
        test: Positions of examples, ascending.
        train: The most similar example of train, for each.
        compared: How many examples of test were compared.
    """

    test: np.ndarray
    train: np.ndarray
    compared: int


def thumbnail(image: Image.Image) -> np.ndarray:
    """Return ``SIDE * SIDE`` grey values (uint8): all that is compared of an image."""
    return np.asarray(image.convert("L").resize((SIDE, SIDE), Image.Resampling.BOX)).ravel()


def near_duplicates(
    examples: Examples, modality: Modality, thumbnails: np.ndarray | None, train: np.ndarray, test: np.ndarray
) -> NearDuplicates:
    """Return the examples of test that are near-duplicates of one of train.

    Images are compared by the correlation of their thumbnails, texts by the cosine of the counts of their
    words and neighbouring words. Of large sets a part is compared, spread over the rows.

    Args:
        examples: All examples.
        modality: What they are.
        thumbnails: The thumbnails of all images; None to read those that are compared.
        train: Positions of the examples of train.
        test: Positions of the examples of test.
    """
    train, test = _some(train, _MOST_TRAIN), _some(test, _MOST_TEST)
    if not len(train) or not len(test):
        return NearDuplicates(test[:0], train[:0], len(test))
    threshold, units = (
        (_IMAGE_CORRELATION, _standardised(examples, thumbnails))
        if modality is Modality.IMAGE
        else (_TEXT_COSINE, _counted_words(examples))
    )
    known = units(train)
    best, nearest = np.zeros(len(test)), np.zeros(len(test), dtype=np.int64)
    for start in range(0, len(test), _BLOCK):
        rows = slice(start, start + _BLOCK)
        cosines = units(test[rows]) @ known.T
        nearest[rows] = np.asarray(cosines.argmax(axis=1)).ravel()
        highest = cosines.max(axis=1)
        best[rows] = np.ravel(highest if isinstance(highest, np.ndarray) else highest.toarray())
    near = np.flatnonzero(best >= threshold)
    return NearDuplicates(test[near], train[nearest[near]], len(test))


def _some(rows: np.ndarray, most: int) -> np.ndarray:
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
        return np.asarray(grey / np.where(lengths > 0, lengths, 1))  # an image of one grey is like no other

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
