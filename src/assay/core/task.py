"""Tasks: examples with labels in three splits, and the metric that evaluates predictions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from assay.core.slices import SliceColumn


class LabelKind(StrEnum):
    """The type of the labels."""

    CLASSIFICATION = "classification"  # one class per label
    MULTILABEL = "multilabel"  # any number of classes per label
    REGRESSION = "regression"  # one or more numbers per label


class TaskKind(StrEnum):
    """The type of a task."""

    CLASSIFICATION = "classification"
    MULTILABEL = "multilabel"
    REGRESSION = "regression"
    TOKENS = "tokens"  # one class per word of a text

    @property
    def label_kind(self) -> LabelKind:
        """The kind of the task's labels; the labels of words are classes."""
        return LabelKind.CLASSIFICATION if self is TaskKind.TOKENS else LabelKind(self.value)


class Modality(StrEnum):
    """The data type of a task's examples and of a model's input."""

    IMAGE = "image"
    TEXT = "text"
    AUDIO = "audio"


@dataclass(frozen=True, slots=True)
class Words:
    """A text split into words, each with a label."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Sound:
    """Single-channel audio at its stored sampling rate; the model resamples it."""

    samples: np.ndarray  # float32, from -1 to 1
    rate: int  # samples per second


# an RGB image (height x width x 3, uint8), a text, a pair of texts, a text with labelled words, or audio
Example = np.ndarray | str | tuple[str, str] | Words | Sound


class Examples(ABC):
    """The examples of one split, read on demand."""

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def read(self, row: int) -> Example:
        """Return one example."""

    @abstractmethod
    def name(self, row: int) -> str:
        """Return a name that the user recognises: a path or a row number."""


@dataclass(frozen=True, slots=True)
class SelectedExamples(Examples):
    """A selection of other examples, in a given order."""

    examples: Examples
    rows: np.ndarray

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, row: int) -> Example:
        """Return one example."""
        return self.examples.read(int(self.rows[row]))

    def name(self, row: int) -> str:
        """Return the name of the selected example."""
        return self.examples.name(int(self.rows[row]))


@dataclass(frozen=True, slots=True)
class InMemoryExamples(Examples):
    """Examples in memory."""

    examples: Sequence[Example]
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.examples)

    def read(self, row: int) -> Example:
        """Return one example; arrays are copied."""
        example = self.examples[row]
        return example.copy() if isinstance(example, np.ndarray) else example

    def name(self, row: int) -> str:
        """Return the name given by the source."""
        return self.names[row]


@dataclass(frozen=True, slots=True)
class JoinedExamples(Examples):
    """The concatenation of two sets of examples."""

    first: Examples
    second: Examples

    def __len__(self) -> int:
        return len(self.first) + len(self.second)

    def read(self, row: int) -> Example:
        """Return one example."""
        count = len(self.first)
        return self.first.read(row) if row < count else self.second.read(row - count)

    def name(self, row: int) -> str:
        """Return a name that the user recognises."""
        count = len(self.first)
        return self.first.name(row) if row < count else self.second.name(row - count)


@dataclass(frozen=True, slots=True)
class Labels:
    """The labels of a set of examples.

    Attributes:
        kind: The label kind.
        values: For classification, indices into ``classes`` (int64); for multilabel, 1 for each class that
            applies, else 0 (int64, examples x classes); for regression, one or more numbers per example
            (float64).
        classes: The class names of the task, in order; empty for regression.
        lengths: If each word of a text has a label, the number of words of each text; otherwise None.
    """

    kind: LabelKind
    values: np.ndarray  # examples, or examples x columns; for labelled words, the words of all texts in order
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
        """The number of examples; smaller than the number of labels if each word has a label."""
        return len(self.values) if self.lengths is None else len(self.lengths)

    @property
    def task_kind(self) -> TaskKind:
        """The kind of a task with these labels."""
        return TaskKind(self.kind.value) if self.lengths is None else TaskKind.TOKENS

    def rows_of(self, examples: Sequence[int] | np.ndarray) -> np.ndarray:
        """Return the positions of the labels of the given examples."""
        chosen = np.asarray(examples, dtype=np.int64)
        if self.lengths is None:
            return chosen
        lengths = self.lengths[chosen]
        starts = (np.cumsum(self.lengths) - self.lengths)[chosen]
        within = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return np.asarray(np.repeat(starts, lengths) + within)

    def of(self, examples: Sequence[int] | np.ndarray) -> Labels:
        """Return the labels of the given examples."""
        lengths = None if self.lengths is None else self.lengths[np.asarray(examples, dtype=np.int64)]
        return Labels(self.kind, self.values[self.rows_of(examples)], self.classes, lengths)

    def take(self, rows: Sequence[int] | np.ndarray) -> Labels:
        """Return individual labels by position; labelled words lose their grouping into texts."""
        return Labels(self.kind, self.values[np.asarray(rows, dtype=np.int64)], self.classes)

    def followed_by(self, other: Labels) -> Labels:
        """Concatenate these labels with those of another split of the same task."""
        first, second = self.lengths, other.lengths
        lengths = None if first is None or second is None else np.concatenate([first, second])
        return Labels(self.kind, np.concatenate([self.values, other.values]), self.classes, lengths)

    def targets(self) -> np.ndarray:
        """Return targets, examples x columns: one-hot classes, or the numbers."""
        if self.kind is not LabelKind.CLASSIFICATION:
            return self.values.reshape(len(self.values), -1).astype(np.float64)
        hot = np.zeros((len(self.values), len(self.classes)))
        hot[np.arange(len(self.values)), self.values] = 1.0
        return hot

    def strata(self) -> np.ndarray:
        """Return a stratification value per example: its class, set of classes, or first number."""
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
    """Examples with their labels.

    Attributes:
        digests: A 64-bit content hash of each example (uint64), equal for equal contents; None if unknown.
        alike: A number for each example, equal for near-duplicates too; None if there are none or if unknown.
    """

    examples: Examples
    labels: Labels
    digests: np.ndarray | None = None
    alike: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.examples)

    def followed_by(self, other: Split) -> Split:
        """Concatenate these examples with those of another split, with which they were not compared."""
        first, second = self.digests, other.digests
        digests = None if first is None or second is None else np.concatenate([first, second])
        examples = JoinedExamples(self.examples, other.examples)
        return Split(examples, self.labels.followed_by(other.labels), digests)

    def take(self, rows: Sequence[int] | np.ndarray) -> Split:
        """Return a subset of the examples with their labels."""
        chosen = np.asarray(rows, dtype=np.int64)
        digests, alike = (part if part is None else part[chosen] for part in (self.digests, self.alike))
        return Split(SelectedExamples(self.examples, chosen), self.labels.of(chosen), digests, alike)


@dataclass(frozen=True, slots=True)
class Task:
    """A task: train, val and test splits, and the metric that evaluates predictions.

    Attributes:
        address: The address from which the task can be loaded again.
        metric: The name of the main metric.
        fingerprint: A hash of all examples, all labels and the splits; part of the key of a job.
        notes: Sentences for the user about inferred settings, excluded data and possible problems.
        slices: The columns by which test results are reported separately; not part of any key.
        warnings: Those of the notes that make results unreliable.
        columns: Which columns of a table are used, and which are not; empty for other sources.
        inputs: The columns of a table that hold an example; empty for other sources.
        split_source: Where the splits come from, as in "random split (seed 0)".
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
    warnings: tuple[str, ...] = ()
    split_source: str = ""
    columns: str = ""
    inputs: tuple[str, ...] = ()

    def split(self, name: SplitName) -> Split:
        """Return a split by its name."""
        return {SplitName.TRAIN: self.train, SplitName.VAL: self.val, SplitName.TEST: self.test}[name]
