"""Where visits run: in this process, or elsewhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from assay.core.result import Event

Visit = TypeVar("Visit")


@dataclass(frozen=True, slots=True)
class Stage:
    """What is being done now, for whoever watches.

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


class Engine(ABC):
    """Runs visits and hands back what happens, one event at a time: one file in ``engines/``.

    Only the driver writes; an engine returns events as they come, so that each is durable at once.
    """

    @abstractmethod
    def run(self, perform: Callable[[Visit], Iterator[Event]], visits: Sequence[Visit]) -> Iterator[Event]:
        """Perform every visit and yield its events."""
