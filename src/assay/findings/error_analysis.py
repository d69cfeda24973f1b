"""Error analysis of one task: confusions, hard examples and slices, over all models: frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assay.core.estimate import Interval


@dataclass(frozen=True, slots=True)
class ConfusedClasses:
    """How often one class is predicted in place of another.

    Attributes:
        examples: Test examples of the class; of several seeds, the mean.
    """

    truth: str
    said: str
    examples: float


@dataclass(frozen=True, slots=True)
class Confusion:
    """What a model predicts for the examples of each class; of several seeds, the mean.

    Attributes:
        model: Which.
        classes: Those that occur in test or are predicted there.
        counts: Truth x predicted, examples; None with more than fifty classes.
        most: The commonest mistakes, the commonest first.
    """

    model: str
    classes: tuple[str, ...]
    counts: tuple[tuple[float, ...], ...] | None
    most: tuple[ConfusedClasses, ...]


@dataclass(frozen=True, slots=True)
class MissedExample:
    """A test example that all models, or all but one, get wrong.

    Attributes:
        example: Its name: a path, or a row.
        truth: The class that is right.
        said: What most of the models that are wrong predict.
        right: The models that are right.
    """

    example: str
    truth: str
    said: str
    right: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ErrorAnalysis:
    """Error analysis of one task over all models; of several seeds, the majority vote.

    Attributes:
        models: Those whose predictions are kept.
        examples: Test examples.
        missed_by_all: How many no model gets right: wrong labels, or too hard.
        right_in_all: How many every model gets right: they separate no models.
        by_one: How many exactly one model gets right.
        hardest: The first few that all models miss.
        lonely: The first few that exactly one model gets right.
        classes: For each class, by model, the share of its examples that are right.
        confusion: Of the recommended model, or the best.
        separable: The share of pairs of models that differ significantly, uncorrected; None with
            fewer than two models.
    """

    models: tuple[str, ...]
    examples: int
    missed_by_all: int
    right_in_all: int
    by_one: int
    hardest: tuple[MissedExample, ...]
    lonely: tuple[MissedExample, ...]
    classes: Mapping[str, Mapping[str, float]]
    confusion: Confusion | None
    separable: float | None


@dataclass(frozen=True, slots=True)
class SliceValue:
    """What one model reaches on a slice.

    Attributes:
        value: The main metric on the examples of the slice, the mean over seeds; higher is better.
        interval: Bootstrap over these examples and the seeds; None with fewer than ten of them, where it
            would be too narrow.
    """

    model: str
    value: float
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class SliceFindings:
    """The results of models on the test examples with one value in a column.

    Attributes:
        name: The value.
        examples: How many test examples of the slice there are.
        values: Of each model with predictions, in the order of the standings; none where the metric has no
            value on the slice.
        reason: Why it has none.
    """

    column: str
    name: str
    examples: int
    values: tuple[SliceValue, ...]
    reason: str = ""
