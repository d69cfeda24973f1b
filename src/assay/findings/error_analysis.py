"""Error analysis of one task: confusions, hard examples and slices, over all models: frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assay.core.estimate import Interval

MOST_HARDEST, MOST_CORRECT_BY_ONE = 12, 6  # examples of each kind that are shown as pictures or texts


@dataclass(frozen=True, slots=True)
class ConfusedClasses:
    """How often one class is predicted instead of another.

    Attributes:
        examples: Number of test examples confused; the mean over seeds.
    """

    truth: str
    predicted: str
    examples: float


@dataclass(frozen=True, slots=True)
class Confusion:
    """The confusion matrix of a model; the mean over seeds.

    Attributes:
        model: Address of the model.
        classes: The classes that occur in test or are predicted there.
        counts: Number of examples, true x predicted class; None with more than fifty classes.
        most: The most frequent confusions, in descending order.
    """

    model: str
    classes: tuple[str, ...]
    counts: tuple[tuple[float, ...], ...] | None
    most: tuple[ConfusedClasses, ...]


@dataclass(frozen=True, slots=True)
class MissedExample:
    """A test example that all models, or all but one, get wrong.

    Attributes:
        row: Position of its label in the test labels, from 0.
        example: Its name: a path, or a row.
        truth: The true class.
        predicted: The class that most of the wrong models predict.
        right: The models that are right.
    """

    row: int
    example: str
    truth: str
    predicted: str
    right: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorAnalysis:
    """Error analysis of one task over all models; several seeds are combined by majority vote.

    Attributes:
        models: The models with stored predictions.
        examples: Number of test examples.
        missed_by_all: Number that no model gets right: mislabelled or too hard.
        right_in_all: Number that every model gets right: they do not separate models.
        by_one: Number that exactly one model gets right.
        hardest: A few that all models miss: first those on whose wrong class most models agree, and of these
            one of each true class in turn.
        correct_by_one: A few that exactly one model gets right, in the same order.
        classes: Accuracy on each class, by model.
        confusion: The confusion matrix of the recommended model, or of the best.
        separable: The share of pairs of models that differ significantly; None with fewer than two models.
    """

    models: tuple[str, ...]
    examples: int
    missed_by_all: int
    right_in_all: int
    by_one: int
    hardest: tuple[MissedExample, ...]
    correct_by_one: tuple[MissedExample, ...]
    classes: Mapping[str, Mapping[str, float]]
    confusion: Confusion | None
    separable: float | None


@dataclass(frozen=True, slots=True)
class SliceValue:
    """The result of one model on a slice.

    Attributes:
        value: The main metric on the examples of the slice, the mean over seeds; higher is better.
        interval: Bootstrap over these examples and the seeds; None with fewer than ten examples, where it
            would be too narrow.
    """

    model: str
    value: float
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class SliceFindings:
    """The results of models on the test examples with one value in a column.

    Attributes:
        name: The value in the column.
        examples: Number of test examples in the slice.
        values: Result of each model with predictions, in the order of the standings; empty if the metric is
            undefined on the slice.
        reason: Why the metric is undefined.
    """

    column: str
    name: str
    examples: int
    values: tuple[SliceValue, ...]
    reason: str = ""
