"""Features that a model computed for examples, with or without labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from assay.core.large_arrays import concatenated
from assay.core.task import Labels


class Encoded(NamedTuple):
    """The output of a model for one batch."""

    features: np.ndarray  # examples x width, float32; for tokenised texts, one row per word
    source_probs: np.ndarray | None  # examples x source classes, rows sum to 1
    truncated: int = 0  # number of examples truncated to the model's maximum length
    unread: int = 0  # number of words, or of texts without a known one, whose rows are zeros


@dataclass(frozen=True, slots=True)
class Features:
    """Features without labels.

    Attributes:
        matrix: Examples x width, read-only.
        device: The torch device on which the model ran, and on which a protocol may train.
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
        """The number of features per example."""
        return int(self.matrix.shape[1])


@dataclass(frozen=True, slots=True)
class LabelledFeatures:
    """Features of a split with their labels."""

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
        """The torch device on which the model ran."""
        return self.features.device

    def take(self, examples: np.ndarray) -> LabelledFeatures:
        """Return a subset of the examples; for texts with labelled words, all words of each text."""
        rows = self.labels.rows_of(examples)
        return LabelledFeatures(Features(self.matrix[rows], self.device), self.labels.of(examples))

    def followed_by(self, other: LabelledFeatures) -> LabelledFeatures:
        """Concatenate these examples with those of another split of the same task."""
        both = concatenated(self.matrix, other.matrix)
        return LabelledFeatures(Features(both, self.device), self.labels.followed_by(other.labels))


@dataclass(frozen=True, slots=True)
class LabelledSourceProbs:
    """Source class probabilities (examples x source classes) with the task's labels."""

    probs: np.ndarray
    labels: Labels

    def __post_init__(self) -> None:
        if len(self.probs) != len(self.labels):
            raise ValueError(f"{len(self.probs)} rows of probabilities have {len(self.labels)} labels.")
