"""The base class of schedulers, which decide what is evaluated next, and learn from the results."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Hashable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Generic, Protocol, Self, TypeVar

from assay.core.estimate import Interval
from assay.core.job import Job
from assay.core.model import ModelFacts
from assay.core.result import Cost, Event, Opened, Result, Speed, Status


class Work(Protocol):
    """The interface of an evaluation that engines and schedulers need."""

    @property
    def jobs(self) -> Sequence[tuple[Job, Any]]:
        """Each job with its method, in execution order."""

    @property
    def model_key(self) -> Hashable:
        """The model: evaluations with equal keys can run on the same opened model."""

    @property
    def device(self) -> str:
        """The torch device that its model runs on."""

    @property
    def expected_bytes(self) -> int:
        """The memory that it is expected to take; 0 if that is unknown."""

    @property
    def memory_bytes(self) -> float | None:
        """The memory that a process which runs it may hold; None for no bound."""

    def without(self, keys: Collection[str]) -> Self:
        """Return the evaluation without the jobs with these keys."""


WorkT = TypeVar("WorkT", bound=Work)


class Pause(StrEnum):
    """What a worker is told when there is no evaluation for it."""

    WAIT = "wait"  # ask again after an event of another worker
    DONE = "done"  # do not ask again


@dataclass(frozen=True, slots=True)
class Observed:
    """A finished job as a scheduler sees it: nothing in it was measured on test.

    Attributes:
        estimate: The value of a score, computed on train; None for protocols and without a value.
        interval: The confidence interval of the estimate, or None.
        metric: The metric that the score estimates; empty if the score has its own scale.
        val_value: The main metric on val of a protocol; None if nothing was judged on val.
        seconds: The time of the method, excluding encoding.
        encode_seconds: The encoding time.
    """

    job: Job
    status: Status
    estimate: float | None
    interval: Interval | None
    metric: str
    val_value: float | None
    seconds: float
    encode_seconds: float
    cost: Cost


@dataclass(frozen=True, slots=True)
class ObservedModel:
    """An opened model as a scheduler sees it."""

    model: str
    identity: str
    facts: ModelFacts
    speed: Speed | None


class Scheduler(ABC, Generic[WorkT]):
    """Decides which evaluation a worker runs next.

    Everything is called from one thread. The caller tells it each event once it is stored, before any worker
    asks again for what that event freed.
    """

    @abstractmethod
    def ask(self, worker: str) -> WorkT | Pause:
        """Return the next evaluation of a worker, or why there is none.

        A worker that asks again has ended its previous evaluation. An evaluation is given only once: the
        engine repeats what a crash interrupted. ``Pause.WAIT`` is only returned while another worker runs
        an evaluation, because otherwise no event would follow.

        Args:
            worker: The name of the worker; one that replaces a worker has the same name.
        """

    @abstractmethod
    def tell(self, event: Observed | ObservedModel) -> None:
        """Learn from an event of any worker."""


def observed(event: Event) -> Observed | ObservedModel:
    """Return what a scheduler may see of an event: estimates on train and metrics on val, never test."""
    if isinstance(event, Opened):
        return ObservedModel(event.model, event.identity, event.facts, event.speed)
    result = event.result
    return Observed(
        job=result.job,
        status=result.status,
        estimate=None if _is_of_test(result) else result.value,
        interval=None if _is_of_test(result) else result.interval,
        metric=result.metric,
        val_value=result.val_value,
        seconds=result.seconds,
        encode_seconds=result.encode_seconds,
        cost=result.cost,
    )


def evaluations_of(scheduler: Scheduler[WorkT], worker: str) -> Iterator[WorkT]:
    """Yield what the only worker of an engine is given, until the scheduler is done."""
    while not isinstance(given := scheduler.ask(worker), Pause):
        yield given
    if given is Pause.WAIT:
        raise RuntimeError(f"{type(scheduler).__name__} waits for an event while no evaluation runs.")


def _is_of_test(result: Result) -> bool:
    return bool(result.metrics)  # of protocols alone, and of each that has a value
