"""The base class of engines, which run evaluations in this process or elsewhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

from assay.core.job import Job
from assay.core.result import Event


@dataclass(frozen=True, slots=True)
class Stage:
    """The current stage of an evaluation, for progress displays.

    Attributes:
        what: A description of the stage, such as "encode train" or "linear_probe".
        done: The number of examples done.
        total: The total number of examples; 0 if there is nothing to count.
    """

    model: str
    task: str
    what: str
    done: int = 0
    total: int = 0


Watch = Callable[[Stage], None]


class Work(Protocol):
    """The interface of an evaluation that engines need: its jobs, in execution order."""

    @property
    def jobs(self) -> Sequence[tuple[Job, Any]]:
        """Each job with its method."""

    def without(self, keys: Collection[str]) -> Self:
        """Return the evaluation without the jobs with these keys."""


WorkT = TypeVar("WorkT", bound=Work)


class Engine(ABC):
    """Runs evaluations and yields their events, one at a time: one file in ``engines/``.

    Only the caller writes to the store; an engine yields each event immediately, so that it is saved.
    """

    @abstractmethod
    def run(
        self, evaluate: Callable[[WorkT, Watch], Iterator[Event]], evaluations: Sequence[WorkT], watch: Watch
    ) -> Iterator[Event]:
        """Run every evaluation and yield its events; ``watch`` is called with each stage."""
