"""A scheduler that splits large evaluations into parts for idle workers."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import final

from assay.plugins.scheduler import Observed, ObservedModel, Pause, Scheduler
from assay.run.evaluation import Evaluation
from assay.run.partial_encoding import EncodingPart, parts_of


@dataclass(slots=True)
class _Cut:
    """An evaluation in parts, which runs on the worker that it was given to once no part is left or runs."""

    evaluation: Evaluation
    left: deque[EncodingPart]
    running: set[str] = field(default_factory=set)  # workers


@final
class InParts(Scheduler[Evaluation | EncodingPart]):
    """Gives the parts of a large evaluation to its worker, and to others that would be idle.

    Args:
        scheduler: Decides which evaluation is whose.
    """

    def __init__(self, scheduler: Scheduler[Evaluation]) -> None:
        self._scheduler = scheduler
        self._cut: dict[str, _Cut] = {}  # by the worker whose evaluation it is

    def ask(self, worker: str) -> Evaluation | EncodingPart | Pause:
        """Return what the other scheduler gives, or parts of it first."""
        for cut in self._cut.values():
            cut.running.discard(worker)  # it has ended
        if worker in self._cut:
            return self._next_of(worker)
        given = self._scheduler.ask(worker)
        if isinstance(given, Pause):
            return self._help(worker, given)
        parts = parts_of(given)
        if not parts:
            return given
        self._cut[worker] = _Cut(given, deque(parts))
        return self._next_of(worker)

    def tell(self, event: Observed | ObservedModel) -> None:
        """Tell the other scheduler."""
        self._scheduler.tell(event)

    def _next_of(self, worker: str) -> Evaluation | EncodingPart | Pause:
        cut = self._cut[worker]
        if cut.left:
            return _given(cut, worker)
        if cut.running:
            return Pause.WAIT
        return self._cut.pop(worker).evaluation

    def _help(self, worker: str, pause: Pause) -> EncodingPart | Pause:
        with_work = [cut for cut in self._cut.values() if cut.left]
        if with_work:
            return _given(max(with_work, key=lambda cut: len(cut.left)), worker)
        return Pause.WAIT if self._cut else pause


def _given(cut: _Cut, worker: str) -> EncodingPart:
    cut.running.add(worker)
    return cut.left.popleft()
