"""What changes when one model replaces another, and whether it may: frozen values that a report renders."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.core.estimate import Interval
from assay.findings.across import PracticalEquivalence
from assay.findings.facts import ModelRow, TaskFacts


@dataclass(frozen=True, slots=True)
class Flip:
    """An example on which one model is right and the other is wrong.

    Attributes:
        example: Its name: a path, or a row.
        truth: The class that is right.
        before: What the present model predicts.
        after: What the new model predicts.
    """

    example: str
    truth: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ClassChange:
    """What changes for one class.

    Attributes:
        examples: Test examples of the class.
        before: The share of them that the present model gets right.
        after: The same of the new model.
        negative: How many were right and become wrong.
        positive: How many were wrong and become right.
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
    """On which test examples two models differ; of several seeds, the majority vote.

    Attributes:
        examples: How many test examples there are.
        negative: Right before, wrong after.
        positive: Wrong before, right after.
        both_wrong: Wrong before and after.
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
class Spaces:
    """The similarity of the features of two models on the same test examples.

    Attributes:
        examples: On how many.
        widths: Features before and after.
        cka: Linear CKA without bias: 1 is the same up to rotation and scale, 0 is unrelated.
        neighbours: How many nearest neighbours (cosine) of each example are compared.
        overlap: The share of them that both models name, each in its own space.
        in_old_index: The share of them that features after find among features before: whether an index of
            the present model can stay in use. None where the widths differ: then it cannot.
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
    """What changes on one task.

    Attributes:
        measure: The name of the metric.
        shown_negated: A reader sees the negative of values, and lower is better.
        before: The value of the present model; higher is better, as is every number here.
        after: The value of the new model.
        difference: After less before.
        interval: Of the difference: test examples and seeds resampled, the same for both; None where the
            predictions of one are not kept.
        p_value: Paired test, corrected by Holm over the tasks; None without predictions.
        seeds: How many of each.
        flips: None where examples are not right or wrong, and without predictions.
        spaces: None where the features of one are not kept.
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
    spaces: Spaces | None


@dataclass(frozen=True, slots=True)
class OverTasks:
    """What changes on tasks like these, where values are shares or correlations.

    Attributes:
        tasks: How many.
        mean: The mean difference, after less before.
        p_value: Wilcoxon's signed-rank test.
        practical: How probable it is that the model after is practically better, equal, or worse.
    """

    tasks: int
    mean: float
    p_value: float
    practical: PracticalEquivalence


@dataclass(frozen=True, slots=True)
class Change:
    """What changes when one model replaces another.

    Attributes:
        before: The present model.
        after: The model that takes its place.
        method: By which both were measured.
        tasks: Those on which both have a value.
        missing: Why there is no result on other tasks, in sentences.
        over_tasks: None with fewer than five tasks whose values are shares or correlations.
        remarks: The answer, in sentences.
        refusal: Why the model after may not be taken, whatever it reaches; empty where no limit forbids it.
    """

    before: ModelRow
    after: ModelRow
    method: str
    tasks: tuple[TaskChange, ...]
    missing: tuple[str, ...]
    over_tasks: OverTasks | None = None
    remarks: tuple[str, ...] = ()
    refusal: str = ""


class Verdict(StrEnum):
    """Whether the data show a regression."""

    PASS = "pass"  # noqa: S105  # no password: no regression larger than is allowed
    FAIL = "fail"  # a larger one
    UNDECIDED = "not enough data to tell"


@dataclass(frozen=True, slots=True)
class TaskVerdict:
    """Whether the data show a regression on one task.

    Attributes:
        task: The address of the task.
        difference: After less before; higher is better.
        interval: Of the difference; None where predictions are not kept.
        reason: Why, in one sentence.
        examples_needed: How many test examples would decide, if the difference stayed what it is; None where
            it is decided, and where no number would.
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
        max_regression: How much may be lost, in units of the metric.
        tasks: Each task.
        change: What the verdict comes from.
    """

    verdict: Verdict
    max_regression: float
    tasks: tuple[TaskVerdict, ...]
    change: Change
