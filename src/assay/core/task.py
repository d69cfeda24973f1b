"""What to predict, from which examples, judged by which metric."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import numpy as np

Example = np.ndarray | str | tuple[str, str]  # RGB image (height x width x 3, uint8), text, pair of texts


class Kind(StrEnum):
    """The type of a task."""

    CLASSIFICATION = "classification"
    MULTILABEL = "multilabel"
    REGRESSION = "regression"


class Modality(StrEnum):
    """What the examples of a task are, and what a model reads."""

    IMAGE = "image"
    TEXT = "text"


class Examples(ABC):
    """The examples of one split, read when they are needed."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def read(self, row: int) -> Example:
        """Return one example."""

    @abstractmethod
    def name(self, row: int) -> str:
        """Return what a user would call this example: a path, or a row number."""


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of some examples.

    Attributes:
        kind: What the values are.
        values: For classification, positions in ``classes`` (int64); for multilabel, 1 where a class applies
            and 0 where not (int64, examples x classes); for regression, numbers (float64), one or several
            of each example.
        classes: The class names of the task, in order; empty for regression.
    """

    kind: Kind
    values: np.ndarray  # examples, or examples x columns
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wanted = np.float64 if self.kind is Kind.REGRESSION else np.int64
        values = np.array(self.values, dtype=wanted)
        values.flags.writeable = False
        object.__setattr__(self, "values", values)

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: Sequence[int] | np.ndarray) -> Labels:
        """Return the labels of some rows."""
        return Labels(self.kind, self.values[np.asarray(rows, dtype=np.int64)], self.classes)

    def followed_by(self, other: Labels) -> Labels:
        """Return these labels and then those of another split of the same task."""
        return Labels(self.kind, np.concatenate([self.values, other.values]), self.classes)

    def targets(self) -> np.ndarray:
        """Return examples x columns: a one-hot column for each class, or the numbers."""
        if self.kind is not Kind.CLASSIFICATION:
            return self.values.reshape(len(self.values), -1).astype(np.float64)
        hot = np.zeros((len(self.values), len(self.classes)))
        hot[np.arange(len(self.values)), self.values] = 1.0
        return hot

    def strata(self) -> np.ndarray:
        """Return a number for each example by which to spread it evenly: its class, or set of classes."""
        if self.values.ndim == 1:
            return self.values
        if self.kind is Kind.REGRESSION:
            return np.asarray(self.values[:, 0])
        return np.unique(self.values, axis=0, return_inverse=True)[1].ravel()


@dataclass(frozen=True, slots=True)
class Split:
    """Examples with their labels."""

    examples: Examples
    labels: Labels

    def __len__(self) -> int:
        return len(self.examples)


@dataclass(frozen=True, slots=True)
class Task:
    """What to predict, from which examples, judged by which metric.

    Attributes:
        address: The address that loads it again.
        metric: The name of the main metric.
        fingerprint: A hash of every example, every label and the split: part of the key of a job.
        notes: What was guessed, left out or is doubtful, in sentences for the user.
    """

    address: str
    kind: Kind
    modality: Modality
    metric: str
    classes: tuple[str, ...]
    train: Split
    val: Split
    test: Split
    fingerprint: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskSource(ABC):
    """Where tasks come from: one file in ``tasks/``; the fields are the settings that a user may write.

    To add one, derive a frozen dataclass whose first field is ``name`` (what stands behind the colon),
    and load a :class:`Task`. Whatever is wrong with the data raises ``UnreadableTask`` and says which.
    """

    name: str

    summary: ClassVar[str] = ""  # one line for lists
    packages: ClassVar[tuple[str, ...]] = ()  # what must be installed; imported only when used

    @abstractmethod
    def load(self, address: str, seed: int) -> Task:
        """Read the task; where there is no official split, ``seed`` decides the split."""
