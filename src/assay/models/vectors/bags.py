"""An opened bag-of-words model: the optionally weighted mean of a text's word vectors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import final

import numpy as np

from assay.core.errors import ModelError
from assay.core.features import Encoded
from assay.core.model import Model, ModelFacts
from assay.core.task import Example
from assay.core.trainable import Trainable
from assay.encoders.examples import are_words, as_texts, as_words
from assay.encoders.identity import Origin
from assay.encoders.pairs import encode_texts
from assay.models.vectors.word_vectors import WordVectors

_SAMPLES = 32  # texts to test a model on


@final
class BagEncoder(Model):
    """Encodes a text as the weighted mean of its word vectors; a text without known words is all zeros.

    Args:
        vectors: By word.
        weights: One for each word, float32.
        facts: What is known of it.
        device: Where it is trained, as torch names it; it encodes on the CPU.
    """

    def __init__(self, vectors: WordVectors, weights: np.ndarray, facts: ModelFacts, device: str) -> None:
        self._device = device
        self._vectors: WordVectors | None = vectors
        self._weights = weights
        self._facts = facts

    @property
    def facts(self) -> ModelFacts:
        """The facts about this model; a pair has four times the features of a text."""
        return self._facts

    @property
    def samples(self) -> Sequence[Example]:
        """Texts of words that are in the file: it may know none of ordinary English."""
        words = self.vectors.words
        return [
            " ".join(words[row % len(words)] for row in (start, 2 * start + 1)) for start in range(_SAMPLES)
        ]

    @property
    def vectors(self) -> WordVectors:
        """The vectors that initialise a trainable embedding."""
        if self._vectors is None:
            raise ModelError("The model is closed. Open it again.")
        return self._vectors

    def encode(self, examples: Sequence[Example]) -> Encoded:
        """Return float32 features; of a pair u, v: u, v, abs(u - v), u * v; of words each its vector.

        A word that is not in the file, and a text or pair without any that is, are all zeros, and counted as
        unread.
        """
        if are_words(examples):
            return self._words([word for text in as_words(examples) for word in text.words])
        features = encode_texts(as_texts(examples), self._means, self._facts.width)
        return Encoded(features, None, unread=int((~features.any(axis=1)).sum()))

    @contextmanager
    def training(self) -> Iterator[Trainable]:
        """Train an embedding inside that begins with the vectors; the vectors stay as they are."""
        from assay.models.vectors.bag_training import BagTrainable  # torch, which frozen vectors do without

        yield BagTrainable(self.vectors, self._weights, self._device)

    def close(self) -> None:
        """Free the vectors."""
        self._vectors = None

    def _words(self, words: list[str]) -> Encoded:
        rows_of = [self.vectors.rows(word) for word in words]
        features = np.zeros((len(words), self._facts.width), np.float32)
        for position, rows in enumerate(rows_of):
            if rows:  # several where it is written as one and looked up as two, as in "do n't"
                features[position] = self.vectors.matrix[rows].mean(axis=0, dtype=np.float64)
        return Encoded(features, None, unread=sum(not rows for rows in rows_of))

    def _means(self, texts: list[str]) -> np.ndarray:
        means = np.zeros((len(texts), self._facts.width), np.float32)
        for position, rows in enumerate(map(self.vectors.rows, texts)):
            if rows:
                weighted = self.vectors.matrix[rows] * self._weights[rows, None]
                means[position] = weighted.mean(axis=0, dtype=np.float64)
        return means


def facts_of(vectors: WordVectors, preprocessing: str, fingerprint: str, origin: Origin) -> ModelFacts:
    """Return the facts about a bag of these vectors."""
    return ModelFacts(
        width=vectors.matrix.shape[1],
        parameters=vectors.matrix.size,
        macs=None,
        bytes=vectors.matrix.nbytes,
        input="text",
        preprocessing=preprocessing,
        source_classes=0,
        weights=origin.weights,
        fingerprint=fingerprint,
        licence=origin.licence,
        is_random=origin.is_random,
    )
