"""The scheduler of a search: maps the steps that the planner chooses to evaluations, and learns from them."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from typing import final

import numpy as np

from assay.core.model import ModelSource
from assay.core.result import Status
from assay.findings.search import StopReason
from assay.findings.search_progress import SearchProgress
from assay.plugins.protocol import ModelProtocol
from assay.plugins.registry import Named
from assay.plugins.scheduler import Observed, ObservedModel, Pause, Scheduler
from assay.run.evaluation import Evaluation
from assay.run.search.candidates import Candidates, NoCandidate
from assay.run.search.running_step import Records, RunningStep, begun, keys_of, stored_steps
from assay.run.search.spending import Spending
from assay.run.search.stages import SCREEN
from assay.search.costs import Costs, StepTime
from assay.search.planner import Observation, Planner, Step
from assay.store.search_log import SetupCost

_PAIRED = 0.5  # of the deviation of an estimate: models are judged on the same examples
_Z = 1.96
_OF_THE_CONTROL = 0.25  # of what is left of the budget, above which the control waits


@final
class SearchScheduler(Scheduler[Evaluation]):
    """Gives the evaluations of the step that promises most for its cost, until the budget is spent.

    Args:
        candidates: The models.
        planner: Decides.
        costs: Predicts the cost of steps.
        spending: What is left of the budget.
        records: What the store knows; it is replayed instead of run again.
        controls: Returns evaluations of the control for the first model that finishes. They run at once if
            they take a small part of what is left of the budget, and else if nothing else is left to do.

    Attributes:
        left_out: Models that turned out to be no candidates, with the reason.
        failed: Models that failed, with the key of a job that says why.
        evaluations: Those whose results are the study's.
        curve: For each model that finished, the seconds that all steps took by then.
        stop: Why it ended.
        spent: The seconds that all steps took, those of earlier runs included.
        steps: How many steps ended.
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
        self.steps = 0
        self._candidates, self._costs, self._spending = candidates, costs, spending
        self._records, self._openings = records, dict(records.openings)
        self._controls, self._has_controls = controls, False
        self._stored: deque[Step] | None = None  # steps of earlier runs that are still to be replayed
        self._running: dict[str, RunningStep] = {}
        self._counted: set[str] = set()  # keys of jobs whose cost is counted
        self._excluded = int(planner.dropped.sum())
        self._begun: Counter[bool] = Counter()  # models, by whether their first step was replayed

    def ask(self, worker: str) -> Evaluation | Pause:
        """Return the next evaluation of a worker."""
        while True:
            running = self._running.get(worker)
            if running is not None and running.queue:
                return running.queue.popleft()
            if running is not None:
                self._end(self._running.pop(worker))
            following = self._begin()
            if following is None:
                return Pause.WAIT if self._running else Pause.DONE
            self._running[worker] = following

    def tell(self, event: Observed | ObservedModel) -> None:
        """Learn from an event."""
        if isinstance(event, Observed):
            for running in self._running.values():
                if event.job.key in running.keys:
                    running.observed[event.job.key] = event

    def progress(self) -> SearchProgress:
        """Return how far the search is."""
        planner, names = self.planner, self._candidates.models
        finished = np.flatnonzero(planner.is_finished)
        known = [one for one in planner.outlooks() if np.isfinite(one.best)] if len(finished) else []
        promise = sum((one.mean[finished] / one.belief.scale for one in known), np.zeros(len(finished)))
        dropped = {*self.left_out, *self.failed}
        begun = [model for model in np.flatnonzero(planner.reached >= 0) if model not in dropped]
        seconds, most_seconds = self._spending.time_of(self.spent)
        return SearchProgress(
            candidates=len(names) - len(self.left_out) - self._excluded,
            finished=len(finished),
            screened=len(begun) - len(finished),
            failed=len(self.failed),
            leader=str(names[finished[int(promise.argmax())]]) if len(finished) else "",
            seconds=seconds,
            most_seconds=most_seconds,
            most_models=self._spending.most_models(self._begun[True]),
        )

    def _begin(self) -> RunningStep | None:
        """Return the next step, begun; None if there is none now."""
        if self._stored is None:
            self._stored = deque(stored_steps(self._candidates, self._records))
        while True:
            if not self._stored and self._is_time_for_controls(_OF_THE_CONTROL):
                return self._run_controls()
            step = self._stored.popleft() if self._stored else self._chosen()
            if step is None:
                return self._run_controls() if self._is_time_for_controls(1.0) else None
            try:
                evaluations = self._candidates.evaluations(*step)
            except NoCandidate as reason:
                self.left_out[step.model] = str(reason)
                self.planner.drop(step.model)
                continue
            return self._run(step, evaluations)

    def _is_time_for_controls(self, share: float) -> bool:
        """Return whether to run the control now: stored, or a small part of the remaining budget."""
        if self._has_controls or not self.curve:
            return False
        takes = self._costs.caution * self._costs.whole(self.curve[0][1])
        return takes <= share * self._spending.left(self.spent) or self._is_control_known

    @cached_property
    def _control(self) -> list[Evaluation]:
        """The evaluations of the control, once a model has finished."""
        return list(self._controls(self._candidates.models[self.curve[0][1]]))

    @cached_property
    def _is_control_known(self) -> bool:
        keys = keys_of(self._control)
        return keys <= self._records.known(keys).keys()

    def _run_controls(self) -> RunningStep:
        self._has_controls = True
        return self._run(None, self._control)

    def _run(self, step: Step | None, evaluations: Sequence[Evaluation]) -> RunningStep:
        running = begun(step, evaluations, self._records, self._spending.clock())
        self.evaluations += evaluations if step is None else self._asked(step, evaluations)
        if step is not None:
            if self.planner.reached[step.model] < 0:
                self._begun[running.is_replayed] += 1
            if not running.is_replayed:
                running.downloads = self._costs.fetch(step.model)
                self._spending.downloaded += running.downloads
            self.planner.start(step)
        return running

    def _asked(self, step: Step, evaluations: Sequence[Evaluation]) -> list[Evaluation]:
        """Return the part of a step that the study asks for."""
        asked = {str(run.method) for run in self._candidates.stages[step.stage].asked}
        others = {job.key for one in evaluations for job, _ in one.jobs if job.method not in asked}
        return [one.without(others) for one in evaluations] if asked else []

    def _chosen(self) -> Step | None:
        reached = self.planner.reached
        costs, allowed = self._costs.next(reached), self._allowed(reached)
        step = self.planner.next(costs, np.all(list(allowed.values()), axis=0))
        if step is None and not self._running:
            self.stop = self._why_none(costs, allowed)
        return step

    def _why_none(self, costs: np.ndarray, allowed: Mapping[StopReason, np.ndarray]) -> StopReason:
        if self.planner.next(costs) is None:
            return StopReason.TOLERANCE if self._is_left() else StopReason.ALL
        alone = (reason for reason, models in allowed.items() if self.planner.next(costs, models) is None)
        return next(alone, StopReason.BUDGET)

    def _is_left(self) -> bool:
        """Return whether any candidate is still undecided."""
        dropped = np.zeros(len(self._candidates.models), dtype=bool)
        dropped[[*self.left_out, *self.failed]] = True
        return bool((~self.planner.is_finished & ~self.planner.ruled_out() & ~dropped).any())

    def _allowed(self, reached: np.ndarray) -> dict[StopReason, np.ndarray]:
        """Return whether each part of the budget suffices to finish each model, as far as is known."""
        untried, left = reached < 0, self._spending.left(self.spent)
        has_time = np.full(len(reached), left > 0)
        if self._costs.is_measured:  # without a finished model there is no answer: it may take a risk
            has_time &= self._costs.rest(reached) * (self._costs.caution if self.curve else 1.0) <= left
        may_begin = self._spending.models_left(self._begun[False], self._begun[True]) > 0
        return {
            StopReason.BUDGET: has_time,
            StopReason.MODELS: ~untried | may_begin,
            StopReason.DOWNLOAD: self._spending.can_open(self._costs.is_away()),
        }

    def _end(self, running: RunningStep) -> None:
        """Tell the planner what a finished step showed."""
        results = list(running.observed.values())
        first = min(running.keys, default="")
        if running.is_replayed:
            opening = self._openings.get(first, SetupCost())
        else:
            ran = (one for one in results if one.job.key not in running.replayed)
            jobs = sum(one.encode_seconds + one.seconds for one in ran)
            rest = max(0.0, self._spending.clock() - running.start - jobs)
            opening = self._openings[first] = SetupCost(rest, running.downloads)
            self._records.keep_openings(self._openings)
        fresh = [one for one in results if one.job.key not in self._counted]
        self._counted.update(one.job.key for one in fresh)
        measured = StepTime(
            opening.seconds,
            sum(one.encode_seconds for one in fresh),
            sum(one.seconds for one in fresh),
            opening.downloaded,
        )
        self.spent += measured.total
        self.steps += 1
        step = running.step
        if step is None:
            return
        ok = [one for one in results if one.status is Status.OK]
        needed = [one for one in results if one.job.method in self._candidates.stages[step.stage].needed]
        if all(one.status is not Status.OK for one in needed):
            self._give_up(step, needed)
            return
        self._costs.tell(step.model, step.stage, measured)
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

    def _seen(self, fingerprint: str, results: list[Observed]) -> Observation | None:
        """Return what results say of a model on one task: metrics on val of training, or else the screen."""
        own = [one for one in results if one.job.fingerprint == fingerprint]
        trained = [one.val_value for one in own if one.val_value is not None and self._is_trained(one)]
        if trained:
            return Observation(float(np.mean(trained)), 0.02 * max(1.0, abs(float(np.mean(trained)))))
        for one in own:
            if one.job.method == SCREEN and one.estimate is not None and one.metric:
                interval = one.interval
                width = 0.0 if interval is None else (interval.high - interval.low) / 2
                return Observation(one.estimate, _PAIRED * width / _Z)
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
