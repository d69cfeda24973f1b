"""Findings across tasks, where the task is the statistical unit: frozen values that a report renders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from assay.core.estimate import Interval
from assay.core.task import Modality


class Unit(StrEnum):
    """The unit that was resampled to test differences between models."""

    TASKS = "tasks"  # the answer holds for tasks like these
    EXAMPLES = "examples"  # the answer holds for these very tasks


@dataclass(frozen=True, slots=True)
class PracticalEquivalence:
    """Probabilities that a model is practically better than, equivalent to or worse than the first model.

    Attributes:
        rope: Region of practical equivalence: smaller differences of the index do not matter.
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
        statistic: Iman and Davenport's F statistic, to which the p-value belongs.
        critical_difference: Smallest significant difference of two mean ranks (Nemenyi's test, 5 %).
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

    Index and ranks compare models that have a value on all tasks of ``Across.tasks``; for other models they
    are None, and only ``win_rate`` and ``strength``, which compare models on shared tasks, are available.

    Attributes:
        tasks: The tasks on which the model has a value.
        missing: The other tasks, each with the reason.
        index: Interquartile mean of the compatibility index over tasks; None for estimates.
        interval: Interval of the index for tasks like these: tasks resampled; None with fewer than five.
        interval_here: Interval of the index on exactly these tasks: seeds and test examples resampled; None
            without stored predictions.
        average_rank: Mean rank over tasks, 1 is best.
        ranks: The best and the worst rank by the index that the tests leave open: 1 + the number of
            significantly better models, and the number of tested models minus the number of significantly
            worse ones; None if not tested.
        win_rate: Share of (other model, task) pairs that it beats, ties half.
        borda: Number of models it beats, summed over tasks; a missing task adds nothing.
        strength: Bradley-Terry strength in log-odds; a model with 0 wins as often as it loses.
        worst_task: The task with its lowest index, or with its worst rank if there is no index; of equal ones
            that with its lowest value.
        profile: The share of tasks on which the index is at least each of ``Across.thresholds``.
        p_value: Test against the first model, adjusted for all pairs of models; 1 for the first model; None
            without a test.
        practical: Comparison with the first model; None for the first model and with fewer than five tasks.
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
    practical: PracticalEquivalence | None = None

    @property
    def may_be_best(self) -> bool | None:
        """Whether no model is significantly better; None if not tested."""
        return None if self.ranks is None else self.ranks[0] == 1


@dataclass(frozen=True, slots=True)
class Criterion:
    """One way to say which model is best across tasks.

    Attributes:
        name: Its name, as in "mean rank".
        leaders: The models that it ranks first.
        value: The value of the leaders.
        value_of_first: The value of the model that the table ranks first.
        tau: Kendall's tau-b between its order and the order of the table; None if either is constant.
    """

    name: str
    leaders: tuple[str, ...]
    value: float
    value_of_first: float
    tau: float | None


@dataclass(frozen=True, slots=True)
class Across:
    """The findings across the tasks of one modality.

    Attributes:
        modality: Modality of the tasks; None for a matrix without one.
        tasks: The tasks on which every model with an index or a mean rank has a value.
        index_tasks: The subset of them where a model is above chance level: the tasks behind the index.
        all_tasks: The tasks on which any model has a value.
        index_zero: What an index of 0 means: "chance level", or "the median model" if it is unknown.
        models: Best first: by index, then mean rank; after them, by strength, those with missing values.
        unit: The unit that was resampled to test differences; None without a test.
        omnibus: Friedman's test; None with fewer than three models.
        cliques: Groups of models whose mean ranks lie within the critical difference, best first.
        thresholds: The thresholds of the index in the performance profiles.
        criteria: The best model by each criterion.
        remarks: Warnings about the order, in sentences.
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
