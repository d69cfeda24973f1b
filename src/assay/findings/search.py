"""Findings of a search besides the results of its models: what it did not finish, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from assay.core.estimate import Interval


class SearchStatus(StrEnum):
    """How far a model came in a search."""

    FINISHED = "finished"
    RULED_OUT = "ruled out"
    SCREENED = "only tried"
    FAILED = "failed"
    NOT_TRIED = "not tried"


@dataclass(frozen=True, slots=True)
class ScreenedModel:
    """A model that was looked at on a part of train, and is not finished.

    Attributes:
        examples: The examples of train that it was given, over all tasks.
        values: The expected value of the metric with its 95 % interval, for each task that has one.
        is_ruled_out: Whether it is so far behind the best model that it went no further.
    """

    model: str
    examples: int
    values: Mapping[str, tuple[float, Interval]]
    is_ruled_out: bool


@dataclass(frozen=True, slots=True)
class UntriedModel:
    """A model that was not tried, with what the search expects of it.

    Attributes:
        beliefs: The expected value of the metric and its standard deviation, for each task. The deviation
            orders models by how little is known of them; its intervals have no known coverage.
    """

    model: str
    beliefs: Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class MissBound:
    """A 90 % bound on how much better than the best model found the best of all candidates may be.

    Computed for a search that uses only the history, with the same number of trained models.

    Attributes:
        high: In the unit of the metric.
        trainings: The number of models finished.
        past_tasks: The number of data sets that it is based on.
    """

    high: float
    trainings: int
    past_tasks: int


class StopReason(StrEnum):
    """Why a search ended."""

    ALL = "all"  # every model is finished, failed or ruled out
    BUDGET = "budget"  # the time that is left is not enough for another model
    MODELS = "models"  # as many were tried as may be
    DOWNLOAD = "download"  # what the others download is more than may be
    TOLERANCE = "tolerance"  # another model is not expected to be better by more
    RUNNING = "running"  # it did not end


@dataclass(frozen=True, slots=True)
class SearchFindings:
    """How a search went.

    Attributes:
        candidates: The number of models that could be tried.
        finished: The models that went through the whole study, in the order of finishing.
        screened: Those that did not.
        failed: The models that failed before the last stage, with the reason.
        left_out: The number of models that were not candidates, or turned out to be none, by reason.
        untried: The models that were not tried, the most promising first.
        stop: Why it ended.
        seconds: What all steps took, earlier runs included.
        curve: After each model that finished: the seconds, and the best expected value on each task.
        expected_regret: How much better than the best finished model the best of the others is expected to
            be, for each task on which a finished model has a value.
        past_tasks: The number of data sets of past tasks that the order is based on.
        sources: The tables that they come from.
        bound: What may have been missed, where there is one task and enough past ones.
        contaminated: Models whose name or data say that they were trained on a task of the study.
        contaminated_by: The words of a task's name that each of them holds, where they are known.
        tasks: The addresses of the tasks.
        promising: The first of the models that were not tried, once a model finished; at most 30.
        needs: Where nothing finished, the seconds that the first model is expected to take; else None.
    """

    candidates: int
    finished: tuple[str, ...]
    screened: tuple[ScreenedModel, ...]
    failed: Mapping[str, str]
    left_out: Mapping[str, int]
    untried: tuple[str, ...]
    stop: StopReason
    seconds: float
    curve: tuple[tuple[float, tuple[float, ...]], ...] = ()
    expected_regret: Mapping[str, float] = field(default_factory=dict)
    past_tasks: int = 0
    sources: tuple[str, ...] = ()
    bound: MissBound | None = None
    contaminated: tuple[str, ...] = ()
    contaminated_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    tasks: tuple[str, ...] = ()
    promising: tuple[UntriedModel, ...] = ()
    needs: float | None = None

    def statuses(self) -> Iterator[tuple[str, SearchStatus]]:
        """Yield every model that could be tried with how far it came."""
        for model in self.finished:
            yield model, SearchStatus.FINISHED
        for one in self.screened:
            yield one.model, SearchStatus.RULED_OUT if one.is_ruled_out else SearchStatus.SCREENED
        for model in self.failed:
            yield model, SearchStatus.FAILED
        for model in self.untried:
            yield model, SearchStatus.NOT_TRIED
