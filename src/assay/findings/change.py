"""Differences between two models, and the verdict of the gate: frozen values that a report renders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from assay.core.estimate import Interval
from assay.findings.across import PracticalEquivalence
from assay.findings.facts import ModelRow, TaskFacts


@dataclass(frozen=True, slots=True)
class Flip:
    """A test example on which one model is right and the other is wrong.

    Attributes:
        example: Its name: a path, or a row.
        truth: The true class.
        before: The class that the current model predicts.
        after: The class that the new model predicts.
    """

    example: str
    truth: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ClassChange:
    """The change of accuracy on one class.

    Attributes:
        examples: Test examples of the class.
        before: Accuracy of the current model on them.
        after: Accuracy of the new model on them.
        negative: Number of examples that were right and become wrong.
        positive: Number of examples that were wrong and become right.
        p_value: McNemar's exact test, corrected by Holm over the classes.
    """

    name: str
    examples: int
    before: float
    after: float
    negative: int
    positive: int
    p_value: float


@dataclass(frozen=True, slots=True)
class Flips:
    """The test examples on which two models differ; several seeds are combined by majority vote.

    Attributes:
        examples: Number of test examples.
        negative: Number that were right before and wrong after.
        positive: Number that were wrong before and right after.
        both_wrong: Number that were wrong before and after.
        regressed: The first few negative flips.
        improved: The first few positive flips.
        classes: The largest losses first.
    """

    examples: int
    negative: int
    positive: int
    both_wrong: int
    regressed: tuple[Flip, ...]
    improved: tuple[Flip, ...]
    classes: tuple[ClassChange, ...]


@dataclass(frozen=True, slots=True)
class FeatureSpaceSimilarity:
    """The similarity of the features of two models on the same test examples.

    Attributes:
        examples: Number of test examples compared.
        widths: Feature widths before and after.
        cka: Linear CKA without bias: 1 is the same up to rotation and scale, 0 is unrelated.
        neighbours: Number of nearest neighbours (cosine) of each example that are compared.
        overlap: The share of neighbours that both models have in common, each in its own space.
        in_old_index: The share of neighbours that the new features retrieve from the old features: whether an
            index of the current model stays usable. None where the widths differ, so that it is not.
        by_chance: The share that unrelated features would have in common.
    """

    examples: int
    widths: tuple[int, int]
    cka: float
    neighbours: int
    overlap: float
    in_old_index: float | None
    by_chance: float


@dataclass(frozen=True, slots=True)
class TaskChange:
    """The difference of two models on one task.

    Attributes:
        measure: The name of the metric.
        shown_negated: Reports show the negative of the values, and lower is better there.
        before: The value of the current model; higher is better for every number here.
        after: The value of the new model.
        difference: After minus before.
        interval: Interval of the difference: test examples and seeds resampled, paired; None without the
            predictions of both models.
        p_value: Paired test, corrected by Holm over the tasks; None without predictions.
        seeds: Number of seeds of each model.
        flips: Changed predictions; None without predictions, or if examples are not either right or wrong.
        spaces: Similarity of the features; None without the stored features of both models.
    """

    task: TaskFacts
    measure: str
    shown_negated: bool
    before: float
    after: float
    difference: float
    interval: Interval | None
    p_value: float | None
    seeds: tuple[int, int]
    flips: Flips | None
    spaces: FeatureSpaceSimilarity | None


@dataclass(frozen=True, slots=True)
class OverTasks:
    """The expected difference on tasks like these, over tasks whose values are shares or correlations.

    Attributes:
        tasks: Number of tasks.
        mean: The mean difference, after minus before.
        p_value: Wilcoxon's signed-rank test.
        practical: Probabilities that the new model is practically better, equivalent or worse.
    """

    tasks: int
    mean: float
    p_value: float
    practical: PracticalEquivalence


@dataclass(frozen=True, slots=True)
class Change:
    """All differences between a current model and its replacement.

    Attributes:
        before: The current model.
        after: The new model.
        method: The method that measured both.
        tasks: The tasks on which both models have a value.
        missing: Reasons why other tasks have no result, in sentences.
        over_tasks: None with fewer than five tasks whose values are shares or correlations.
        remarks: The answer, in sentences.
        refusal: Why a limit forbids the new model, regardless of its values; empty if none does.
        names: The short name of each model and task of the store, by address.
    """

    before: ModelRow
    after: ModelRow
    method: str
    tasks: tuple[TaskChange, ...]
    missing: tuple[str, ...]
    over_tasks: OverTasks | None = None
    remarks: tuple[str, ...] = ()
    refusal: str = ""
    names: Mapping[str, str] = field(default_factory=dict)


class Verdict(StrEnum):
    """Whether the data show a regression."""

    PASS = "pass"  # noqa: S105  # not a password: no regression beyond the allowed one
    FAIL = "fail"  # a larger regression
    UNDECIDED = "not enough data to tell"


@dataclass(frozen=True, slots=True)
class TaskVerdict:
    """Whether the data show a regression on one task.

    Attributes:
        task: The address of the task.
        difference: After minus before; higher is better.
        interval: Interval of the difference; None without stored predictions.
        reason: The reason for the verdict, in one sentence.
        examples_needed: Number of test examples that would decide if the difference stayed the same; None if
            it is decided already, or if no number would.
    """

    task: str
    verdict: Verdict
    difference: float
    interval: Interval | None
    reason: str
    examples_needed: int | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """Whether one model may replace another.

    Attributes:
        verdict: Fail if a task fails or a limit forbids the model, else undecided if any task is, else pass.
        max_regression: The largest allowed regression, in units of the metric.
        tasks: The verdict on each task.
        change: The differences behind the verdict.
    """

    verdict: Verdict
    max_regression: float
    tasks: tuple[TaskVerdict, ...]
    change: Change
