"""The features that a model gives for some examples, with or without labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from assay.core.task import Labels


class Encoded(NamedTuple):
    """What a model returns for one batch."""

    features: np.ndarray  # examples x width, float32; of tokenised texts, a row for each word
    source_probs: np.ndarray | None  # examples x source classes, rows sum to 1
    truncated: int = 0  # examples that are longer than the model reads, and were truncated
    unread: int = 0  # words without features, which are zeros


@dataclass(frozen=True, slots=True)
class Features:
    """The features of some examples, without their labels.

    Attributes:
        matrix: Read-only.  # examples x width
        device: Where the model ran, as torch names it, and where a protocol may train on them.
    """

    matrix: np.ndarray
    device: str = "cpu"

    def __post_init__(self) -> None:
        if self.matrix.ndim != 2:
            raise ValueError(f"Features are examples x width; got shape {self.matrix.shape}.")
        view = self.matrix.view()
        view.flags.writeable = False
        object.__setattr__(self, "matrix", view)

    def __len__(self) -> int:
        return len(self.matrix)

    @property
    def width(self) -> int:
        """The number of features of one example."""
        return int(self.matrix.shape[1])


@dataclass(frozen=True, slots=True)
class LabelledFeatures:
    """Features of a split with its labels."""

    features: Features
    labels: Labels

    def __post_init__(self) -> None:
        if len(self.features) != len(self.labels):
            raise ValueError(f"{len(self.features)} examples have {len(self.labels)} labels.")

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def matrix(self) -> np.ndarray:
        """Examples x width, read-only."""
        return self.features.matrix

    @property
    def device(self) -> str:
        """Where the model ran."""
        return self.features.device

    def take(self, examples: np.ndarray) -> LabelledFeatures:
        """Return some examples; of texts with labelled words, all words of each."""
        rows = self.labels.rows_of(examples)
        return LabelledFeatures(Features(self.matrix[rows], self.device), self.labels.of(examples))

    def followed_by(self, other: LabelledFeatures) -> LabelledFeatures:
        """Return these examples and then those of another split of the same task."""
        both = np.concatenate([self.matrix, other.matrix])
        return LabelledFeatures(Features(both, self.device), self.labels.followed_by(other.labels))


@dataclass(frozen=True, slots=True)
class LabelledSourceProbs:
    """Source class probabilities (examples x source classes) with the labels of the task."""

    probs: np.ndarray
    labels: Labels

    def __post_init__(self) -> None:
        if len(self.probs) != len(self.labels):
            raise ValueError(f"{len(self.probs)} rows of probabilities have {len(self.labels)} labels.")
