"""A task: examples with labels in three splits, and the metric that evaluates predictions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import numpy as np

from assay.core.slices import SliceColumn


class LabelKind(StrEnum):
    """The type of labels."""

    CLASSIFICATION = "classification"  # one class
    MULTILABEL = "multilabel"  # any number of classes
    REGRESSION = "regression"  # one number, or several


class TaskKind(StrEnum):
    """The type of a task."""

    CLASSIFICATION = "classification"
    MULTILABEL = "multilabel"
    REGRESSION = "regression"
    TOKENS = "tokens"  # one class for each word of a text

    @property
    def label_kind(self) -> LabelKind:
        """The kind of the labels of such a task: labels of words are classes."""
        return LabelKind.CLASSIFICATION if self is TaskKind.TOKENS else LabelKind(self.value)


class Modality(StrEnum):
    """The type of a task's examples, and of a model's input."""

    IMAGE = "image"
    TEXT = "text"
    AUDIO = "audio"


@dataclass(frozen=True, slots=True)
class Words:
    """A text that is split into words already, each of which has a label."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """Audio of one channel, as it is stored; the model resamples it."""

    samples: np.ndarray  # float32, from -1 to 1
    rate: int  # samples a second


# an RGB image (height x width x 3, uint8), a text, a pair of texts, a text of labelled words, a sound
Example = np.ndarray | str | tuple[str, str] | Words | Sound


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
class SelectedExamples(Examples):
    """Some rows of other examples, in a given order."""

    examples: Examples
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, row: int) -> Example:
        """Return one example."""
        return self.examples.read(int(self.rows[row]))

    def name(self, row: int) -> str:
        """Return what the chosen example is called."""
        return self.examples.name(int(self.rows[row]))


@dataclass(frozen=True, slots=True)
class InMemoryExamples(Examples):
    """Examples in memory."""

    examples: Sequence[Example]
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.examples)

    def read(self, row: int) -> Example:
        """Return one example; of an array a copy."""
        example = self.examples[row]
        return example.copy() if isinstance(example, np.ndarray) else example

    def name(self, row: int) -> str:
        """Return the name that the source gave."""
        return self.names[row]


@dataclass(frozen=True, slots=True)
class JoinedExamples(Examples):
    """Examples, followed by others."""

    first: Examples
    second: Examples

    def __len__(self) -> int:
        return len(self.first) + len(self.second)

    def read(self, row: int) -> Example:
        """Return one example."""
        count = len(self.first)
        return self.first.read(row) if row < count else self.second.read(row - count)

    def name(self, row: int) -> str:
        """Return what a user would call it."""
        count = len(self.first)
        return self.first.name(row) if row < count else self.second.name(row - count)


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of some examples.

    Attributes:
        kind: What the values are: classes, several classes at once, or numbers.
        values: For classification, positions in ``classes`` (int64); for multilabel, 1 where a class applies
            and 0 where not (int64, examples x classes); for regression, numbers (float64), one or several
            of each example.
        classes: The class names of the task, in order; empty for regression.
        lengths: Where each word of a text has a label, the number of words of each text; else None.
    """

    kind: LabelKind
    values: np.ndarray  # examples, or examples x columns; of texts with labelled words, all words in turn
    classes: tuple[str, ...] = ()
    lengths: np.ndarray | None = None

    def __post_init__(self) -> None:
        wanted = np.float64 if self.kind is LabelKind.REGRESSION else np.int64
        object.__setattr__(self, "values", _read_only(self.values, wanted))
        if self.lengths is None:
            return
        object.__setattr__(self, "lengths", _read_only(self.lengths, np.int64))
        if int(self.lengths.sum()) != len(self.values):
            raise ValueError(f"{int(self.lengths.sum())} words have {len(self.values)} labels.")

    def __len__(self) -> int:
        return len(self.values)

    @property
    def examples(self) -> int:
        """The number of examples; fewer than labels where each word of a text has one."""
        return len(self.values) if self.lengths is None else len(self.lengths)

    @property
    def task_kind(self) -> TaskKind:
        """The type of a task with such labels."""
        return TaskKind(self.kind.value) if self.lengths is None else TaskKind.TOKENS

    def rows_of(self, examples: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return the positions of the labels of some examples."""
        chosen = np.asarray(examples, dtype=np.int64)
        if self.lengths is None:
            return chosen
        lengths = self.lengths[chosen]
        starts = (np.cumsum(self.lengths) - self.lengths)[chosen]
        within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return np.asarray(np.repeat(starts, lengths) + within)

    def of(self, examples: Sequence[int] | np.ndarray) -> Labels:
        """Return the labels of some examples."""
        lengths = None if self.lengths is None else self.lengths[np.asarray(examples, dtype=np.int64)]
        return Labels(self.kind, self.values[self.rows_of(examples)], self.classes, lengths)

    def take(self, rows: Sequence[int] | np.ndarray) -> Labels:
        """Return some labels: of words, each for itself."""
        return Labels(self.kind, self.values[np.asarray(rows, dtype=np.int64)], self.classes)

    def followed_by(self, other: Labels) -> Labels:
        """Return these labels and then those of another split of the same task."""
        lengths = None
        if self.lengths is not None and other.lengths is not None:
            lengths = np.concatenate([self.lengths, other.lengths])
        return Labels(self.kind, np.concatenate([self.values, other.values]), self.classes, lengths)

    def targets(self) -> np.ndarray:
        """Return examples x columns: a one-hot column for each class, or the numbers."""
        if self.kind is not LabelKind.CLASSIFICATION:
            return self.values.reshape(len(self.values), -1).astype(np.float64)
        hot = np.zeros((len(self.values), len(self.classes)))
        hot[np.arange(len(self.values)), self.values] = 1.0
        return hot

    def strata(self) -> np.ndarray:
        """Return a number for each example by which to stratify: its class, or set of classes."""
        if self.values.ndim == 1:
            return self.values
        if self.kind is LabelKind.REGRESSION:
            return np.asarray(self.values[:, 0])
        return np.unique(self.values, axis=0, return_inverse=True)[1].ravel()


def _read_only(values: np.ndarray, wanted: type) -> np.ndarray:
    array: np.ndarray = np.array(values, dtype=wanted)
    array.flags.writeable = False
    return array


class SplitName(StrEnum):
    """The splits of a task."""

    TRAIN = "train"
    VAL = "val"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class Split:
    """Examples with their labels."""

    examples: Examples
    labels: Labels

    def __len__(self) -> int:
        return len(self.examples)

    def followed_by(self, other: Split) -> Split:
        """Return these examples and then those of another split of the same task."""
        return Split(JoinedExamples(self.examples, other.examples), self.labels.followed_by(other.labels))

    def take(self, rows: Sequence[int] | np.ndarray) -> Split:
        """Return some of the examples with their labels."""
        return Split(SelectedExamples(self.examples, np.asarray(rows, dtype=np.int64)), self.labels.of(rows))


@dataclass(frozen=True, slots=True)
class Task:
    """What to predict, from which examples, evaluated by which metric.

    Attributes:
        address: The address that loads it again.
        metric: The name of the main metric.
        fingerprint: A hash of every example, every label and the split: part of the key of a job.
        notes: What was inferred, left out or is doubtful, in sentences for the user.
        slices: The columns by which test results are reported separately; they are part of no key.
    """

    address: str
    kind: TaskKind
    modality: Modality
    metric: str
    classes: tuple[str, ...]
    train: Split
    val: Split
    test: Split
    fingerprint: str
    notes: tuple[str, ...] = ()
    slices: tuple[SliceColumn, ...] = ()

    def split(self, name: SplitName) -> Split:
        """Return a split by its name."""
        return {SplitName.TRAIN: self.train, SplitName.VAL: self.val, SplitName.TEST: self.test}[name]


@dataclass(frozen=True, slots=True)
class TaskSource(ABC):
    """Where tasks come from: one file in ``tasks/``; the fields are the settings that a user may write.

    To add one, derive a frozen dataclass whose first field is ``name`` (the part after the colon),
    and load a :class:`Task`. Whatever is wrong with the data raises ``UnreadableTask`` and says which.
    """

    name: str

    summary: ClassVar[str] = ""  # one line for lists
    packages: ClassVar[tuple[str, ...]] = ()  # what must be installed; imported only when used

    @abstractmethod
    def load(self, address: str, seed: int) -> Task:
        """Read the task; where there is no official split, ``seed`` decides the split."""
