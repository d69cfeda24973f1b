"""The base class of engines, which run evaluations in this process or elsewhere."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Protocol, TypeVar

from assay.core.result import Event
from assay.plugins.scheduler import Scheduler, Work, WorkT


@dataclass(frozen=True, slots=True)
class Stage:
    """The current stage of an evaluation, for progress displays.

    Attributes:
        model: Empty, as the task is, for what an engine says about itself.
        what: A description of the stage, such as "encode train" or "linear_probe".
        done: The number of examples done.
        total: The total number of examples; 0 if there is nothing to count.
        worker: The name of the worker, where there may be several.
    """

    model: str
    task: str
    what: str
    done: int = 0
    total: int = 0
    worker: str = ""


Watch = Callable[[Stage], None]


EvaluatedT_contra = TypeVar("EvaluatedT_contra", bound=Work, contravariant=True)


class Evaluate(Protocol[EvaluatedT_contra]):
    """Runs evaluations one after the other; each worker has its own, or its own copy made by pickle.

    It keeps the model of the last evaluation open while the next one has the same ``model_key``: ``Opened``
    is yielded only where a model was opened.
    """

    def __call__(self, evaluation: EvaluatedT_contra, watch: Watch) -> Iterator[Event]:
        """Run an evaluation and yield its events; ``watch`` is called with each stage."""

    def close(self) -> None:
        """Close the model that is open, if any."""


class Engine(ABC):
    """Runs evaluations and yields their events, one at a time: one file in ``engines/``.

    Only the caller writes to the store; an engine yields each event immediately, so that it is saved.
    """

    @abstractmethod
    def run(
        self, evaluate: Evaluate[WorkT], scheduler: Scheduler[WorkT], watch: Watch
    ) -> Generator[Event, None, None]:
        """Run what the scheduler gives, until it is done, and yield the events.

        The caller stores each event and tells the scheduler before it asks for the next one. A job that
        ends its worker becomes a failed result, and the engine runs the rest of the evaluation again
        (``evaluation.without``): the scheduler gives an evaluation only once. When the generator is closed,
        everything that runs ends.

        Args:
            evaluate: Runs an evaluation; it is closed by the engine.
            scheduler: Asked by each worker for its next evaluation.
            watch: Called with each stage.
        """
