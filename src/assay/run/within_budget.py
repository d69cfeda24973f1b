"""A scheduler that keeps recomputable files within their disk budget, between evaluations."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Generic, final

from assay.plugins.scheduler import Observed, ObservedModel, Pause, Scheduler, WorkT
from assay.store.cache import make_room


@final
class WithinBudget(Scheduler[WorkT], Generic[WorkT]):
    """Removes the least recently used features before each evaluation, but none that one now running uses.

    Args:
        scheduler: Decides what is evaluated.
        root: The folder of the store, for which the caller holds the write lock.
        most_bytes: The disk budget.
    """

    def __init__(self, scheduler: Scheduler[WorkT], root: Path, most_bytes: float) -> None:
        self._scheduler = scheduler
        self._root = root
        self._most_bytes = most_bytes
        self._started: dict[str, float] = {}  # when each worker began its evaluation

    def ask(self, worker: str) -> WorkT | Pause:
        """Make room, and return what the other scheduler gives."""
        self._started.pop(worker, None)
        now = time.time()
        make_room(self._root, self._most_bytes, min(self._started.values(), default=now))
        given = self._scheduler.ask(worker)
        if not isinstance(given, Pause):
            self._started[worker] = now
        return given

    def tell(self, event: Observed | ObservedModel) -> None:
        """Tell the other scheduler."""
        self._scheduler.tell(event)
