"""Where evaluations run: in this process, or elsewhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, TypeVar

from assay.core.job import Job
from assay.core.result import Event


@dataclass(frozen=True, slots=True)
class Stage:
    """What is being done now, for progress displays.

    Attributes:
        what: In words, as in "encode train" or "linear_probe".
        done: How many examples are done.
        total: Of how many; 0 where there is nothing to count.
    """

    model: str
    task: str
    what: str
    done: int = 0
    total: int = 0


Watch = Callable[[Stage], None]


class Work(Protocol):
    """What an engine must know of an evaluation: its jobs, in the order in which they are done."""

    @property
    def jobs(self) -> Sequence[tuple[Job, Any]]:
        """Each job, with what does it."""

    def without(self, keys: Collection[str]) -> Self:
        """Return what is left when the jobs with these keys are done."""


WorkT = TypeVar("WorkT", bound=Work)


class Engine(ABC):
    """Runs evaluations and yields their events, one at a time: one file in ``engines/``.

    Only the driver writes; an engine returns events as they come, so that each is durable at once.
    """

    @abstractmethod
    def run(
        self, evaluate: Callable[[WorkT, Watch], Iterator[Event]], evaluations: Sequence[WorkT], watch: Watch
    ) -> Iterator[Event]:
        """Run every evaluation and yield its events; ``watch`` is called with each stage."""
