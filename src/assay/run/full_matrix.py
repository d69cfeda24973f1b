"""The scheduler that runs every evaluation of a study."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable
from typing import Generic, final

from assay.plugins.scheduler import Observed, ObservedModel, Pause, Scheduler, WorkT


@final
class FullMatrix(Scheduler[WorkT], Generic[WorkT]):
    """Schedules each evaluation once, preferring the worker that has the model open.

    A worker without evaluations left of its model gets the first model that nobody has, or else helps with
    the model with the most evaluations left. One worker runs everything in the given order, model by model.
    """

    def __init__(self, evaluations: Iterable[WorkT]) -> None:
        self._left: dict[Hashable, deque[WorkT]] = {}
        self._models: dict[str, Hashable] = {}  # of each worker
        for evaluation in evaluations:
            self._left.setdefault(evaluation.model_key, deque()).append(evaluation)

    def ask(self, worker: str) -> WorkT | Pause:
        """Return the next evaluation of a worker; it never waits, because no event changes what is left."""
        model = self._models.pop(worker, None)
        if model not in self._left:
            if not self._left:
                return Pause.DONE
            taken = set(self._models.values())
            free = [model for model in self._left if model not in taken]
            model = free[0] if free else max(self._left, key=lambda model: len(self._left[model]))
        evaluation = self._left[model].popleft()
        if not self._left[model]:
            del self._left[model]
        self._models[worker] = model
        return evaluation

    def tell(self, event: Observed | ObservedModel) -> None:
        """Ignore the event: everything is evaluated regardless of the results."""
