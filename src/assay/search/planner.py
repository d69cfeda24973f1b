"""Chooses the next step: an untried model, or more examples for one that was tried."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, final

import numpy as np
from scipy import stats

from assay.search.policies import first_picks, shares_of_untried
from assay.search.posterior import DIVERGED, Belief, believe, believe_nothing, expected_improvement
from assay.search.prior import Prior

_HOPELESS = 2.0  # standard deviations behind the best at which a model is ruled out
_RATIO_SPREAD = 0.15  # of the logarithm of the share of its errors that a model keeps in the next stage
_RATIO_WEIGHT = 2.0  # models that this counts as
_LEAST_ERROR = 1e-3
_MOST_AT_ONCE = 200  # models that the expected regret is computed of: those that promise most
_GRID = 200
_FEWEST = 3  # models that say how far models of a task without past lie apart


class Step(NamedTuple):
    """What is done with one model next.

    Attributes:
        model: Its position among the candidates.
        stage: How much of the data it is given; the last stage is the whole study.
    """

    model: int
    stage: int


class Observation(NamedTuple):
    """What a step showed of a model on one task: a value of the metric, higher is better."""

    value: float
    deviation: float


class Forecast(NamedTuple):
    """What is expected of each model at the last stage of one task, and how far the best may be exceeded."""

    mean: np.ndarray
    deviation: np.ndarray
    best: float  # the highest expected value among finished models; -inf without any
    belief: Belief


@final
class Planner:
    """Decides which step of which model is next, from the results of earlier steps.

    A model goes through stages: each gives it more examples of train, the last one is the whole study. The
    first model goes through all of them. Then the step is next that promises the largest improvement on the
    best model for the square root of its cost. What a model showed at an early stage is corrected by the
    share of their errors that others kept from there on; a model far behind the best is ruled out and goes
    no further.

    Args:
        priors: What is believed of the models before any step, for each task.
        stages: The number of stages of each model, at least one.
        tolerances: For each task, the expected regret that is small enough to stop; None to stop only when
            every model is finished or ruled out.
        tops: For each task, the highest value that its metric can have; by default 1.
        of_ranks: How much mean ranks on past tasks count for models that were not tried, 0 to 1.
    """

    def __init__(
        self,
        priors: Sequence[Prior],
        stages: int = 1,
        tolerances: Sequence[float] | None = None,
        tops: Sequence[float] | None = None,
        of_ranks: float = 0.0,
    ) -> None:
        self.priors = tuple(priors)
        self.stages = stages
        self._of_ranks = of_ranks
        models = len(self.priors[0].mean)
        self._tolerances = tolerances
        self._tops = [1.0] * len(priors) if tops is None else list(tops)
        self._values = np.full((len(self.priors), stages, models), np.nan)
        self._deviations = np.zeros_like(self._values)
        self._reached = np.full(models, -1)
        self._running = np.zeros(models, dtype=bool)
        self._dropped = np.zeros(models, dtype=bool)

    @property
    def reached(self) -> np.ndarray:
        """The last stage that each model finished; -1 for none."""
        return self._reached.copy()

    @property
    def is_finished(self) -> np.ndarray:
        """Whether each model finished the last stage."""
        return np.asarray(self._reached == self.stages - 1)

    @property
    def dropped(self) -> np.ndarray:
        """Whether each model was given up."""
        return self._dropped.copy()

    def seen(self, model: int) -> list[Observation | None]:
        """Return the result of the last finished stage of a model, for each task."""
        stages = [np.flatnonzero(np.isfinite(of_task[:, model])) for of_task in self._values]
        return [
            Observation(
                float(self._values[task, own[-1], model]), float(self._deviations[task, own[-1], model])
            )
            if len(own)
            else None
            for task, own in enumerate(stages)
        ]

    def start(self, step: Step) -> None:
        """Note that a step runs, so that it is not chosen again."""
        self._running[step.model] = True

    def tell(self, step: Step, seen: Sequence[Observation | None]) -> None:
        """Learn the result of a finished step on each task; None without one."""
        self._running[step.model] = False
        self._reached[step.model] = max(step.stage, self._reached[step.model])
        for task, one in enumerate(seen):
            if one is not None:
                self._values[task, step.stage, step.model] = one.value
                self._deviations[task, step.stage, step.model] = one.deviation

    def drop(self, model: int) -> None:
        """Give up a model that failed, or that is left out."""
        self._running[model], self._dropped[model] = False, True

    def next(self, costs: np.ndarray, is_affordable: np.ndarray | None = None) -> Step | None:
        """Return the next step; None if there is none, or none that is worth it.

        Args:
            costs: The predicted cost of the next step of each model.
            is_affordable: Whether the budget suffices for each model; by default for all.
        """
        free = ~self._dropped & ~self._running & ~self.is_finished
        if is_affordable is not None:
            free &= is_affordable
        if not free.any():
            return None
        if not self.is_finished.any():
            return self._first(free)
        outlooks = self.outlooks()
        if self._is_enough(outlooks):
            return None
        free &= ~self._ruled_out(outlooks)
        if not free.any():
            return None
        worth = self._gains(outlooks) / np.sqrt(costs)
        if not any(np.isfinite(outlook.best) for outlook in outlooks):  # steps show nothing, as of heads
            worth = self.promise()
        return self._step(int(np.flatnonzero(free)[np.argmax(worth[free])]))

    def ruled_out(self) -> np.ndarray:
        """Return for each model whether it is so far behind the best that it goes no further."""
        return self._ruled_out(self.outlooks()) if self.is_finished.any() else np.zeros_like(self._dropped)

    def expected_regret(self) -> np.ndarray:
        """Return for each task how much better than the best finished model the best of the others may be."""
        return np.array([self._regret(outlook) for outlook in self.outlooks()])

    def outlooks(self) -> list[Forecast]:
        """Return the expected value of each model at the last stage, for each task."""
        return [self._outlook(task) for task in range(len(self.priors))]

    def promise(self) -> np.ndarray:
        """Return how good each model is expected to be, in spreads of models, a mean over tasks.

        Before any model finished it is its mean rank on past tasks.
        """
        if not self.is_finished.any():
            return np.asarray(np.mean([first_picks(prior) for prior in self.priors], axis=0))
        return np.asarray(np.mean([one.mean / one.belief.scale for one in self.outlooks()], axis=0))

    def _first(self, free: np.ndarray) -> Step | None:
        """Return a step of the model that goes through all stages first, or of another while it runs."""
        begun = free & (self._reached >= 0)
        if begun.any() and not self._running[self._reached >= 0].any():
            return self._step(int(np.argmax(np.where(begun, self._reached, -1))))
        untried = free & (self._reached < 0)
        if not untried.any():
            return None
        return self._step(int(np.flatnonzero(untried)[np.argmax(self.promise()[untried])]))

    def _step(self, model: int) -> Step:
        return Step(model, int(self._reached[model]) + 1)

    def _outlook(self, task: int) -> Forecast:
        prior = self.priors[task]
        tried, values, deviations = self._corrected(task)
        if not len(prior.past) and len(tried) >= _FEWEST:
            prior = prior._replace(spreads=np.array([max(np.ptp(values) / 2, prior.spreads[0] / 10)]))
        belief = believe(prior, tried, values, deviations) if len(tried) else believe_nothing(prior)
        is_far = values < values.max(initial=-np.inf) - DIVERGED * belief.scale  # it counted as less far
        belief.mean[tried[is_far]], belief.deviation[tried[is_far]] = values[is_far], deviations[is_far]
        finished = np.intersect1d(tried, np.flatnonzero(self.is_finished))
        best = float(belief.mean[finished].max()) if len(finished) else -np.inf
        return Forecast(belief.mean, belief.deviation, best, belief)

    def _corrected(self, task: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the models with a value on a task, and the mean and deviation of their last stage."""
        values, deviations = self._values[task], self._deviations[task]
        kept, spreads = self._kept_errors(task)
        stage = np.where(np.isfinite(values), np.arange(self.stages)[:, None], -1).max(axis=0)
        tried = np.flatnonzero(stage >= 0)
        at, value = stage[tried], values[stage[tried], tried]
        errors = self._tops[task] - value
        changed = at < self.stages - 1
        later = np.where(changed, self._tops[task] - kept[at] * errors, value)
        deviation = np.hypot(kept[at] * deviations[at, tried], kept[at] * np.abs(errors) * spreads[at])
        return tried, later, deviation

    def _kept_errors(self, task: int) -> tuple[np.ndarray, np.ndarray]:
        """Return the ratio of the final error to the error at each stage, with its spread."""
        errors = np.maximum(self._tops[task] - self._values[task], _LEAST_ERROR)
        logarithms, variances = np.zeros(self.stages), np.zeros(self.stages)
        for stage in range(self.stages - 2, -1, -1):
            ratios = np.log(errors[stage + 1] / errors[stage])
            ratios = ratios[np.isfinite(ratios)]
            mean = float(ratios.mean()) if len(ratios) else 0.0
            squares = float(np.square(ratios - mean).sum()) + _RATIO_WEIGHT * _RATIO_SPREAD**2
            logarithms[stage] = logarithms[stage + 1] + mean
            variances[stage] = variances[stage + 1] + squares / (len(ratios) + _RATIO_WEIGHT)
        return np.exp(logarithms), np.sqrt(variances)

    def _gains(self, outlooks: Sequence[Forecast]) -> np.ndarray:
        """Return the improvement on the best that each model promises, in spreads, summed over tasks."""
        total = np.zeros(len(self._reached))
        untried = np.flatnonzero((self._reached < 0) & ~self._dropped)
        for prior, outlook in zip(self.priors, outlooks, strict=True):
            if not np.isfinite(outlook.best):
                continue
            gains = expected_improvement(outlook.mean, outlook.deviation, outlook.best)
            most = float(gains[untried].max(initial=0.0))
            ranks = first_picks(prior)
            shares = shares_of_untried(outlook.belief, untried, ranks, self._of_ranks)
            gains[untried] = most * shares[untried]
            total += gains / max(outlook.belief.scale, 1e-12)
        return total

    def _ruled_out(self, outlooks: Sequence[Forecast]) -> np.ndarray:
        """Return whether each begun model is far behind the best on every task."""
        is_behind = (self._reached >= 0) & ~self.is_finished
        for outlook in outlooks:
            is_behind &= outlook.mean + _HOPELESS * outlook.deviation < outlook.best
        return np.asarray(is_behind)

    def _is_enough(self, outlooks: Sequence[Forecast]) -> bool:
        if self._tolerances is None:
            return False
        regrets = np.array([self._regret(outlook) for outlook in outlooks])
        if not np.min(self._tolerances) > 0:
            return not regrets.any()
        return float(np.mean(regrets / np.array(self._tolerances))) <= 1.0

    def _regret(self, outlook: Forecast) -> float:
        """Return the expected excess of the best unfinished model over the best finished one.

        Models are taken as independent given what was seen, which overstates it.
        """
        left = np.flatnonzero(~self.is_finished & ~self._dropped)
        if not len(left) or not np.isfinite(outlook.best):
            return 0.0 if not len(left) else np.inf
        means, deviations = outlook.mean[left] - outlook.best, np.maximum(outlook.deviation[left], 1e-12)
        promising = np.argsort(means + 3 * deviations)[-_MOST_AT_ONCE:]
        means, deviations = means[promising], deviations[promising]
        highest = float((means + 4 * deviations).max())
        if highest <= 0:
            return 0.0
        grid = (np.arange(_GRID) + 0.5) * highest / _GRID
        none_above = stats.norm.cdf((grid[:, None] - means) / deviations).prod(axis=1)
        return float((1 - none_above).sum() * highest / _GRID)
