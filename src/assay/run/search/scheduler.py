"""The scheduler of a search: maps the steps that the planner chooses to evaluations, and learns from them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple, final

import numpy as np

from assay.core.model import ModelSource
from assay.core.result import Status
from assay.plugins.protocol import ModelProtocol
from assay.plugins.registry import Named
from assay.plugins.scheduler import Observed, ObservedModel, Pause, Scheduler
from assay.run.evaluation import Evaluation
from assay.run.search.candidates import Candidates, NoCandidate
from assay.run.search.spending import Spending
from assay.run.search.stages import SCREEN
from assay.search.costs import Costs, StepTime
from assay.search.planner import Planner, Seen, Step

_PAIRED = 0.5  # of the deviation of an estimate: models are judged on the same examples
_Z = 1.96


class StopReason(StrEnum):
    """Why a search ended."""

    ALL = "all"  # every model is finished, failed or ruled out
    BUDGET = "budget"
    TOLERANCE = "tolerance"


@dataclass
class _RunningStep:
    """A step of a worker; None for the control."""

    step: Step | None
    queue: deque[Evaluation]
    keys: set[str]
    start: float
    observed: dict[str, Observed] = field(default_factory=dict)
    opening: float = 0.0
    is_replayed: bool = True  # until something of it runs


class Records(NamedTuple):
    """What the store knows of earlier runs.

    Attributes:
        known: Returns of an evaluation, by key, the jobs that need not run again.
        openings: The seconds that opening took, by the first key of the step.
        keep_openings: Is told of all these seconds after each step.
    """

    known: Callable[[Evaluation], Mapping[str, Observed]]
    openings: Mapping[str, float]
    keep_openings: Callable[[Mapping[str, float]], None]


@final
class SearchScheduler(Scheduler[Evaluation]):
    """Gives the evaluations of the step that promises most for its cost, until the budget is spent.

    Args:
        candidates: The models.
        planner: Decides.
        costs: Predicts the cost of steps.
        spending: What is left of the budget.
        records: What the store knows; it is replayed instead of run again.
        controls: Returns evaluations of the control for the first model that finishes.

    Attributes:
        left_out: Models that turned out to be no candidates, with the reason.
        failed: Models that failed, with the key of a job that says why.
        evaluations: Those whose results are the study's.
        curve: For each model that finished, the seconds that all steps took by then.
        stop: Why it ended.
        spent: The seconds that all steps took.
    """

    def __init__(
        self,
        candidates: Candidates,
        planner: Planner,
        costs: Costs,
        spending: Spending,
        records: Records,
        controls: Callable[[Named[ModelSource]], Iterable[Evaluation]],
    ) -> None:
        self.planner = planner
        self.left_out: dict[int, str] = {}
        self.failed: dict[int, str] = {}
        self.evaluations: list[Evaluation] = []
        self.curve: list[tuple[float, int]] = []
        self.stop = StopReason.ALL
        self.spent = 0.0
        self._candidates, self._costs, self._spending = candidates, costs, spending
        self._records, self._openings = records, dict(records.openings)
        self._controls, self._has_controls = controls, False
        self._running: dict[str, _RunningStep] = {}
        self._asked: dict[str, tuple[str, float]] = {}  # the model and time of each worker's evaluation
        self._counted: set[str] = set()  # keys of jobs whose cost is counted
        self._begun: Counter[bool] = Counter()  # models, by whether their first step was replayed

    def ask(self, worker: str) -> Evaluation | Pause:
        """Return the next evaluation of a worker."""
        self._asked.pop(worker, None)
        while True:
            evaluation = self._next_of(worker)
            if evaluation is not None:
                self._asked[worker] = (str(evaluation.model), self._spending.clock())
                return evaluation
            if worker in self._running:
                self._end(self._running.pop(worker))
            begun = self._begin()
            if begun is None:
                return Pause.WAIT if self._running else Pause.DONE
            self._running[worker] = begun

    def tell(self, event: Observed | ObservedModel) -> None:
        """Learn from an event."""
        if isinstance(event, Observed):
            for running in self._running.values():
                if event.job.key in running.keys:
                    running.observed[event.job.key] = event
            return
        for worker, (model, start) in self._asked.items():
            if model == event.model and worker in self._running:
                self._running[worker].opening += self._spending.clock() - start
                return

    def _next_of(self, worker: str) -> Evaluation | None:
        """Return what is left of a worker's step that the store does not know."""
        running = self._running.get(worker)
        while running is not None and running.queue:
            evaluation = running.queue.popleft()
            known = self._records.known(evaluation)
            running.observed.update(known)
            left = evaluation.without(known.keys())
            if left.jobs:
                running.is_replayed = False
                return left
        return None

    def _begin(self) -> _RunningStep | None:
        """Return the next step, begun; None if there is none now."""
        finished = np.flatnonzero(self.planner.is_finished)
        if len(finished) and not self._has_controls:
            self._has_controls = True
            model = self._candidates.models[int(finished[0])]
            return self._run(None, list(self._controls(model)))
        while True:
            step = self._chosen()
            if step is None:
                return None
            try:
                evaluations = self._candidates.evaluations(*step)
            except NoCandidate as reason:
                self.left_out[step.model] = str(reason)
                self.planner.drop(step.model)
                continue
            self.planner.start(step)
            return self._run(step, evaluations)

    def _run(self, step: Step | None, evaluations: list[Evaluation]) -> _RunningStep:
        if step is None or self._candidates.stages[step.stage].counts:
            self.evaluations += evaluations
        keys = {job.key for evaluation in evaluations for job, _ in evaluation.jobs}
        return _RunningStep(step, deque(evaluations), keys, self._spending.clock())

    def _chosen(self) -> Step | None:
        reached = self.planner.reached
        costs = self._costs.next(reached)
        affordable = self._affordable(reached)
        step = self.planner.next(costs, affordable)
        if step is None and not self._running:
            could = self.planner.next(costs)
            self.stop = (
                StopReason.BUDGET
                if could is not None
                else StopReason.TOLERANCE
                if self._is_left()
                else StopReason.ALL
            )
        return step

    def _is_left(self) -> bool:
        """Return whether a model that is neither finished nor ruled out was not dropped either."""
        dropped = np.zeros(len(self._candidates.models), dtype=bool)
        dropped[[*self.left_out, *self.failed]] = True
        return bool((~self.planner.is_finished & ~self.planner.ruled_out() & ~dropped).any())

    def _affordable(self, reached: np.ndarray) -> np.ndarray:
        """Return whether the budget suffices to finish each model; before any was measured, for all."""
        untried = reached < 0
        left = self._spending.left
        affordable = np.full(len(reached), left > 0)
        if self._costs.is_measured:
            affordable &= self._costs.rest(reached) <= left
        if self._spending.models_left(self._begun[False], self._begun[True]) <= 0:
            affordable &= ~untried
        affordable &= ~untried | self._spending.can_download(untried)
        return affordable

    def _end(self, running: _RunningStep) -> None:
        """Tell the planner what a finished step showed."""
        results = list(running.observed.values())
        first = min(running.keys, default="")
        if running.is_replayed:
            running.opening = self._openings.get(first, 0.0)
        else:
            self._openings[first] = running.opening
            self._records.keep_openings(self._openings)
        fresh = [one for one in results if one.job.key not in self._counted]
        self._counted.update(one.job.key for one in fresh)
        measured = StepTime(
            running.opening, sum(one.encode_seconds for one in fresh), sum(one.seconds for one in fresh)
        )
        self.spent += measured.total
        if running.is_replayed:
            self._spending.before += measured.total
        step = running.step
        if step is None:
            return
        if step.stage == 0:
            self._begun[running.is_replayed] += 1
        self._costs.tell(step.model, step.stage, measured)
        ok = [one for one in results if one.status is Status.OK]
        if not ok:
            self._give_up(step, results)
            return
        self.planner.tell(step, [self._seen(task.fingerprint, ok) for task in self._candidates.tasks])
        if step.stage == self.planner.stages - 1:
            self.curve.append((self.spent, step.model))

    def _give_up(self, step: Step, results: list[Observed]) -> None:
        if not results:
            self.left_out[step.model] = "are beyond a limit, as it turned out once they were opened"
        elif all(one.status is Status.SKIPPED for one in results) and step.stage < self.planner.stages - 1:
            self.planner.tell(step, [None] * len(self._candidates.tasks))  # the screen does not apply
            return
        else:
            failed = [one.job.key for one in results if one.status is not Status.OK]
            self.failed[step.model] = failed[0]
        self.planner.drop(step.model)

    def _seen(self, fingerprint: str, results: list[Observed]) -> Seen | None:
        """Return what results say of a model on one task: metrics on val of training, or else the screen."""
        own = [one for one in results if one.job.fingerprint == fingerprint]
        trained = [one.val_value for one in own if one.val_value is not None and self._is_trained(one)]
        if trained:
            return Seen(float(np.mean(trained)), 0.02 * max(1.0, abs(float(np.mean(trained)))))
        for one in own:
            if one.job.method == SCREEN and one.estimate is not None and one.metric:
                interval = one.interval
                width = 0.0 if interval is None else (interval.high - interval.low) / 2
                return Seen(one.estimate, _PAIRED * width / _Z)
        return None

    def _is_trained(self, one: Observed) -> bool:
        return one.job.method in self._trained

    @cached_property
    def _trained(self) -> set[str]:
        """The methods that train the model."""
        return {
            str(run.method)
            for stage in self._candidates.stages
            for run in stage.runs
            if isinstance(run.method.plugin, ModelProtocol)
        }
