"""Policies of which model to try next: the search itself, and simple rules as baselines."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import numpy as np

from assay.search.posterior import Belief, believe
from assay.search.prior import Prior

_OF_THE_BEST = 0.5  # weight of the belief in a normal distribution; the rest is that in analogy


@dataclass(frozen=True, slots=True, eq=False)
class Trials:
    """What was tried on the new task so far.

    Attributes:
        tried: Positions of the models, in the order of the trials.
        values: Their values; higher is better.
        costs: The predicted cost of each model; None if all cost the same.
    """

    tried: np.ndarray
    values: np.ndarray
    costs: np.ndarray | None = None


class Policy(ABC):
    """Decides which model is tried next."""

    name: str

    @abstractmethod
    def preferences(self, prior: Prior, trials: Trials) -> np.ndarray:
        """Return a number for each model: the highest of those that were not tried is tried next."""

    def next(self, prior: Prior, trials: Trials) -> int:
        """Return the position of the next model; of equal ones the first."""
        left = np.setdiff1d(np.arange(len(prior.mean)), trials.tried)
        return int(left[np.argmax(self.preferences(prior, trials)[left])])


@final
@dataclass(frozen=True, slots=True)
class Search(Policy):
    """Tries the model with the highest mean rank first, then by expected improvement.

    Half of it is under a Gaussian process, half under the hypothesis that the task is like one of the past.
    With costs, it is divided by the square root of the cost.

    Attributes:
        of_ranks: The weight of mean ranks relative to it, 0 to 1.
    """

    of_ranks: float = 0.0
    name: str = "search"

    def preferences(self, prior: Prior, trials: Trials) -> np.ndarray:
        """Return the expected improvement; without trials, the mean rank."""
        costs = 1.0 if trials.costs is None else np.sqrt(trials.costs)
        if not len(trials.tried):
            return first_picks(prior)
        left = np.setdiff1d(np.arange(len(prior.mean)), trials.tried)
        belief = believe(prior, trials.tried, trials.values)
        return np.asarray(shares_of_untried(belief, left, first_picks(prior), self.of_ranks) / costs)


@final
class MeanRank(Policy):
    """Tries models by their mean percentile rank on past tasks, regardless of results on the new task."""

    name = "static"

    def preferences(self, prior: Prior, trials: Trials) -> np.ndarray:
        """Return the mean ranks."""
        return first_picks(prior)


@final
class Portfolio(Policy):
    """Adds the model that most improves the best of those tried, on average over past tasks."""

    name = "portfolio"

    def preferences(self, prior: Prior, trials: Trials) -> np.ndarray:
        """Return the mean improvement on past tasks; the mean ranks break ties."""
        best = prior.past[:, trials.tried].max(axis=1, initial=-1.0)
        gain = np.maximum(prior.past - best[:, None], 0.0).mean(axis=0)
        return np.asarray(gain + 1e-9 * first_picks(prior))


@final
@dataclass(frozen=True, slots=True, eq=False)
class ByColumn(Policy):
    """Tries models by a known number: a score on the new task, or a fact such as their size."""

    name: str
    numbers: np.ndarray

    def preferences(self, prior: Prior, trials: Trials) -> np.ndarray:
        """Return the numbers; models without one come last."""
        return np.where(np.isfinite(self.numbers), self.numbers, -np.inf)


def shares_of_untried(
    belief: Belief, untried: np.ndarray, ranks: np.ndarray, of_ranks: float = 0.0
) -> np.ndarray:
    """Return the improvement that models promise that were not tried, as a share of the largest.

    It is half expected improvement and half improvement by analogy, each relative to its largest value, and
    as far as mean ranks count, where a model is between the lowest and the highest of them.
    """
    total = np.zeros(len(belief.mean))
    parts = ((_OF_THE_BEST, belief.improvement), (1 - _OF_THE_BEST, belief.by_analogy))
    for weight, improvement in parts:
        total += weight * improvement / max(float(improvement[untried].max(initial=0.0)), 1e-12)
    if of_ranks and len(untried):
        least, span = float(ranks[untried].min()), max(float(np.ptp(ranks[untried])), 1e-12)
        total = (1 - of_ranks) * total + of_ranks * (ranks - least) / span
    return total


def first_picks(prior: Prior) -> np.ndarray:
    """Return the mean percentile ranks; models without past tasks come last."""
    return np.where(np.isfinite(prior.ranks), prior.ranks, -1.0)
