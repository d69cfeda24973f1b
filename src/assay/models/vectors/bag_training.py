"""Trains word vectors: a bag of words whose embedding is initialised from a file."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any, NamedTuple, final

import numpy as np
import torch
from torch import nn

from assay.core.task import Example, Words
from assay.core.trainable import Trainable
from assay.encoders.augmentation import hidden
from assay.encoders.examples import as_texts
from assay.encoders.pairs import compared
from assay.models.vectors.word_vectors import WordVectors

Bag = list[int]  # rows of the words of a text, or of one word


class Bags(NamedTuple):
    """Bags of words as one input."""

    rows: torch.Tensor  # of all words, bag after bag
    starts: torch.Tensor  # of each bag
    weights: torch.Tensor  # of each word in the sum of its bag


@final
class BagTrainable(Trainable):
    """An embedding of all words of a file, which training changes; the file and what is kept of it stay.

    Args:
        vectors: Where the embedding begins.
        weights: Of each word in the mean of a text, float32.
        device: The torch device.
    """

    def __init__(self, vectors: WordVectors, weights: np.ndarray, device: str) -> None:
        initial = torch.from_numpy(np.array(vectors.matrix))
        self.module = nn.EmbeddingBag.from_pretrained(initial, freeze=False, mode="sum").to(device).eval()
        self.device = device
        self._vectors = vectors
        self._weights = weights

    def prepared(self, example: Example) -> tuple[Bag, ...] | list[Bag]:
        """Return the bag of a text, or those of a pair; of a text of words a list with one for each."""
        if isinstance(example, Words):
            return [self._vectors.rows(word) for word in example.words]
        (text,) = as_texts([example])
        return tuple(self._vectors.rows(side) for side in ([text] if isinstance(text, str) else text))

    def inputs(self, prepared: Sequence[Any], rng: np.random.Generator | None) -> list[Bags]:
        """Return all bags as one input; of pairs one for the first texts and one for the second."""
        if isinstance(prepared[0], list):  # of words, each its vector, without its weight in a text
            return [self._joined(list(chain.from_iterable(prepared)), np.ones_like(self._weights), rng)]
        return [self._joined(side, self._weights, rng) for side in zip(*prepared, strict=True)]

    def features(self, inputs: list[Bags]) -> torch.Tensor:
        """Return texts x width, pairs x 4 width, or words x width; zeros if no word is known."""
        return compared([self.module(bags.rows, bags.starts, bags.weights) for bags in inputs])

    def _joined(self, bags: Sequence[Bag], weights: np.ndarray, rng: np.random.Generator | None) -> Bags:
        sizes = np.array([len(bag) for bag in bags])
        rows = np.fromiter(chain.from_iterable(bags), np.int64, int(sizes.sum()))
        share = torch.from_numpy(weights[rows] / np.repeat(sizes, sizes).astype(np.float32))
        if rng is not None:
            share = share.masked_fill(hidden((len(rows),), rng), 0.0)
        starts = torch.from_numpy(np.cumsum(sizes) - sizes)
        return Bags(torch.from_numpy(rows).to(self.device), starts.to(self.device), share.to(self.device))
