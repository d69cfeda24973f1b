"""What was found across tasks, where the task is the unit: frozen values that a report renders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from assay.core.estimate import Interval
from assay.core.task import Modality


class Unit(StrEnum):
    """What was resampled to test the differences of models."""

    TASKS = "tasks"  # the answer holds for tasks like these
    EXAMPLES = "examples"  # the answer holds for these very tasks


@dataclass(frozen=True, slots=True)
class PracticalEquivalence:
    """How probable it is that a model is practically better than, equal to, or worse than the first model.

    Attributes:
        rope: Differences of the index up to this are practically none.
    """

    better: float
    equal: float
    worse: float
    rope: float


@dataclass(frozen=True, slots=True)
class Omnibus:
    """Friedman's test: whether the mean ranks of many models differ by more than chance.

    Attributes:
        chi_square: Friedman's statistic, corrected for ties.
        statistic: Iman and Davenport's F of it, to which the p-value belongs.
        critical_difference: By how much two mean ranks must differ for Nemenyi's test (5 %).
    """

    chi_square: float
    statistic: float
    p_value: float
    models: int
    tasks: int
    critical_difference: float


@dataclass(frozen=True, slots=True)
class Generality:
    """How well a model does across tasks.

    Index, ranks and what follows from them compare models with a value on all tasks of ``Across.tasks``;
    for the others they are None, and ``win_rate`` and ``strength``, which compare models where they meet,
    are all there is.

    Attributes:
        tasks: The tasks on which it has a value.
        missing: The others, each with its reason.
        index: Interquartile mean of the compatibility index over tasks; None for estimates.
        interval: Of the index, for tasks like these: tasks resampled; None with fewer than five.
        interval_here: Of the index, on these very tasks: seeds and test examples resampled; None where
            predictions are not kept.
        average_rank: Mean rank over tasks, 1 is best.
        ranks: The best and the worst place by the index in 95 % of the draws of tasks.
        win_rate: Share of (other model, task) pairs that it beats, ties half.
        borda: How many models it beats, summed over tasks; a missing task earns nothing.
        strength: Of Bradley and Terry's model, in log-odds; 0 wins as often as it loses.
        worst_task: The task of its lowest index, or of its worst rank where there is no index.
        profile: The share of tasks on which the index is at least each of ``Across.thresholds``.
        p_value: Against the first model, corrected by Holm; 1 for that itself; None where nothing is tested.
        is_tied_best: Not significantly different from the first model; None where nothing could be tested.
        practical: Against the first model; None for that itself, and with fewer than five tasks.
    """

    model: str
    tasks: tuple[str, ...]
    missing: Mapping[str, str]
    win_rate: float
    borda: float
    strength: float
    strength_interval: Interval | None
    worst_task: str
    worst_index: float | None
    index: float | None = None
    interval: Interval | None = None
    interval_here: Interval | None = None
    average_rank: float | None = None
    ranks: tuple[int, int] | None = None
    profile: tuple[float, ...] = ()
    p_value: float | None = None
    is_tied_best: bool | None = None
    practical: PracticalEquivalence | None = None


@dataclass(frozen=True, slots=True)
class Criterion:
    """One way to say which model is best across tasks.

    Attributes:
        name: In words, as in "mean rank".
        leaders: The models that it puts first.
        value: Theirs.
        value_of_first: That of the model that the table puts first.
        tau: Kendall's tau-b between its order and that of the table; None where one is constant.
    """

    name: str
    leaders: tuple[str, ...]
    value: float
    value_of_first: float
    tau: float | None


@dataclass(frozen=True, slots=True)
class Across:
    """What was found across the tasks of one modality.

    Attributes:
        modality: Of the tasks; None for a matrix without one.
        tasks: Those on which all models with an index, or a mean rank, have a value.
        index_tasks: Those of them where some model beats guessing: the tasks behind the index.
        all_tasks: Those on which any model has one.
        index_zero: What an index of 0 is: "guessing", or "the median model" where chance level is not known.
        models: Best first: by index, then mean rank; after them, by strength, those with missing values.
        unit: What was resampled to test differences; None where nothing could be.
        omnibus: Friedman's test; None with fewer than three models.
        cliques: Groups of models whose mean ranks lie within the critical difference, best first.
        thresholds: The indices that the profiles speak of.
        criteria: Which model is first by which criterion.
        remarks: What a reader must know before trusting the order, in sentences.
    """

    modality: Modality | None
    tasks: tuple[str, ...]
    index_tasks: tuple[str, ...]
    all_tasks: tuple[str, ...]
    index_zero: str
    models: tuple[Generality, ...]
    unit: Unit | None
    omnibus: Omnibus | None
    cliques: tuple[tuple[str, ...], ...]
    thresholds: tuple[float, ...]
    criteria: tuple[Criterion, ...]
    remarks: tuple[str, ...] = field(default=())
