"""Static word vectors as bags of words: ``vectors:./glove.6B.100d.txt``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from assay.core.errors import CheckpointError, UnknownName, UsageError
from assay.core.model import Model, ModelSource
from assay.core.paths import path_of
from assay.core.task import Modality
from assay.encoders.identity import Origin, file_hash, identity_of, require_file
from assay.models.vectors.vector_files import has_mark
from assay.models.vectors.word_vectors import WordVectors, open_vectors

_POOLINGS = ("mean", "sif")
_ZIPF_SHIFT = 2.7  # of Zipf's law as Mandelbrot has it, for words of English text


@dataclass(frozen=True, slots=True)
class VectorsSource(ModelSource):
    r"""Word vectors of GloVe, word2vec (text or binary) or fastText (.vec); a text is the mean of its words.

    Features of a pair of texts are u, v, abs(u - v) and u * v in a row. Of a text of labelled words each word
    is its vector, and zeros where it has none. ``fine_tune`` trains all vectors with the head, from where
    they are; every step moves all of them, so of a large file name the first, as in ``limit=50000``.

    >>> from tempfile import NamedTemporaryFile
    >>> with NamedTemporaryFile("w", suffix=".vec") as file:
    ...     written = file.write("2 3\ncat 1 0 0\ndog 0 1 0\n")
    ...     file.flush()
    ...     VectorsSource(file.name).open("cpu").encode(["cat dog", "Dog!"]).features.tolist()
    [[0.5, 0.5, 0.0], [0.0, 1.0, 0.0]]

    References:
        A Simple but Tough-to-Beat Baseline for Sentence Embeddings (Arora et al., 2017): the weights
        a / (a + p(word)) of "sif". The common component that the paper takes out afterwards is left in:
        it depends on the other texts.

    Attributes:
        pooling: "mean", or "sif" to weight rare words higher.
        a: The constant of "sif".
        counts: For "sif": a file with a word and its count on each line, as GloVe and word2vec write; None
            to derive the frequency of a word from its rank in the file, by Zipf's law.
        limit: How many words are read, from the first; None for all.
        pretrained: False for random vectors of the same words.
        seed: Draws random vectors.
    """

    pooling: str = "mean"
    a: float = 1e-3
    counts: str | None = None
    limit: int | None = None
    pretrained: bool = True
    seed: int = 0

    summary: ClassVar[str] = "word vectors of GloVe, word2vec and fastText, as bags of words"
    packages: ClassVar[tuple[str, ...]] = ()

    def check(self) -> None:
        """Raise ``UsageError`` for missing files and invalid settings."""
        require_file(self.name)
        if self.pooling not in _POOLINGS:
            raise UnknownName("pooling", self.pooling, _POOLINGS)
        if self.a <= 0:
            raise UsageError(f"Setting 'a' is {self.a}; write a positive number, as in a=0.001.")
        if self.limit is not None and self.limit < 1:
            raise UsageError(f"Setting 'limit' is {self.limit}; write 1 or more, or leave it out.")
        if self.counts is not None:
            require_file(self.counts)

    def modality(self) -> Modality:
        """Return the text modality."""
        return Modality.TEXT

    def identity(self) -> str:
        """Return the settings and the hashes of the files."""
        counts = "" if self.counts is None else f" counts {file_hash(self.counts)}"
        marked = " marked" if has_mark(require_file(self.name)) else ""  # whose first word was another before
        placeless = replace(self, name="", counts=None)
        return identity_of(f"word vectors 1 {file_hash(self.name)}{counts}{marked}", placeless)

    def untrained(self) -> ModelSource:
        """Return random vectors of the same words, different from the current ones."""
        return replace(self, pretrained=False, seed=self.seed + 1)

    def open(self, device: str) -> Model:
        """Read the file, or its cached copy."""
        from assay.models.vectors.bags import BagEncoder, facts_of

        vectors = open_vectors(require_file(self.name), self.limit)
        origin = Origin(f"{self.name}: {_in_words(vectors)}")
        fingerprint = f"{file_hash(self.name)}-{self.limit}"
        if not self.pretrained:
            vectors = replace(vectors, matrix=self._drawn(vectors.matrix.shape))
            described = f"random vectors of {len(vectors.words):,} words, seed {self.seed}"
            origin = Origin(described, is_random=True)
            fingerprint = f"{fingerprint}-{self.seed}"
        preprocessing = (
            "mean of the words" if self.pooling == "mean" else f"SIF mean of the words, a={self.a:g}"
        )
        facts = facts_of(vectors, preprocessing, fingerprint, origin)
        return BagEncoder(vectors, self._weights(vectors), facts, device)

    def _drawn(self, shape: tuple[int, ...]) -> np.ndarray:
        return np.random.default_rng(self.seed).standard_normal(shape, dtype=np.float32)

    def _weights(self, vectors: WordVectors) -> np.ndarray:
        if self.pooling == "mean":
            return np.ones(len(vectors.words), np.float32)
        return np.asarray(self.a / (self.a + self._frequencies(vectors)), np.float32)

    def _frequencies(self, vectors: WordVectors) -> np.ndarray:
        """Return the share of each word in running text."""
        if self.counts is None:
            frequencies = 1 / (np.arange(len(vectors.words)) + _ZIPF_SHIFT)
            return np.asarray(frequencies / frequencies.sum())
        counts = _read_counts(path_of(self.counts))
        return np.array([counts.get(word, 0) for word in vectors.words]) / max(sum(counts.values()), 1)


def _in_words(vectors: WordVectors) -> str:
    text = f"{len(vectors.words):,} words"
    if vectors.left_out:
        text += f", {vectors.left_out} that came again left out"
    rows = len(vectors.words) + vectors.left_out
    if vectors.promised is not None and rows > vectors.promised:
        text += f"; its header promises {vectors.promised:,}"
    return text


def _read_counts(path: Path) -> dict[str, int]:
    counts: dict[str, int] = {}
    for number, line in enumerate(path.read_text("utf-8", "replace").splitlines(), 1):
        word, _, count = line.rpartition(" ")
        if not word or not count.isdigit():
            raise CheckpointError(f"Line {number} of '{path}' is '{line}'; a word and its count are needed.")
        counts[word] = int(count)
    return counts
