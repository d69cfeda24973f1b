"""Combines scores of models on a new task with the evidence of past tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import stats

from assay.search.history import History, normalised
from assay.search.prior import Prior, expected

FEWEST_TASKS = 5  # with two past tasks, weights learned from them failed on medical images
_DEVIATIONS = (0.1, 0.3, 1.0, 3.0)  # of all weights together; 0 leaves the prior as it is
_MODELS = 10  # a task with more counts as this many: models of one task are similar
_FEWEST_MODELS = 3


class ScoredTask(NamedTuple):
    """A past task, of whose models both scores and values are known.

    Attributes:
        expected: What its own past says of each model, normalised.
        scores: Models x scores; NaN where there is none.
        values: Normalised values, 0 the median and 1 the best; NaN where a model was not tried.
    """

    expected: np.ndarray
    scores: np.ndarray
    values: np.ndarray


@dataclass(frozen=True, slots=True, eq=False)
class Join:
    """How much the prior and each score count for a new task.

    Attributes:
        weights: What is added to the prior for one unit of the prior, and of each score as normal scores.
        past_tasks: The number of past tasks that it was learned from.
        gain: The gain in Kendall's tau-b over the prior, mean over past tasks, each left out; 0 if the prior
            is left as it is.
        left: The squared error that it leaves of that of the prior, on the past tasks, each left out.
    """

    weights: np.ndarray
    past_tasks: int
    gain: float = 0.0
    left: float = 1.0

    @property
    def is_learned(self) -> bool:
        """Whether there are enough past tasks; with fewer all scores have the same weight."""
        return self.past_tasks >= FEWEST_TASKS

    def expected(self, prior: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """Return the normalised value that is expected of each model of a new task.

        With fewer than five past tasks it is the sum of the scores, and of the prior by a fifth for each past
        task, all as normal scores; the best has 1.

        Args:
            prior: What past tasks say of each model: the mean of a ``Prior``.
            scores: Models x scores of the new task; NaN where there is none.
        """
        ranked = normal_scores(scores)
        if self.is_learned:
            return np.asarray(prior + np.column_stack([prior, ranked]) @ self.weights)
        of_prior = normal_scores(prior[:, None])[:, 0] * self.past_tasks / FEWEST_TASKS
        total = of_prior + ranked.sum(axis=1)
        return np.asarray(total / max(float(total.max()), 1e-12))

    def update(self, prior: Prior, scores: np.ndarray) -> Prior:
        """Return the prior, updated by scores: means and covariance."""
        mean = self.expected(prior.mean, scores)
        ranks = (stats.rankdata(mean) - 1) / max(1, len(mean) - 1)
        return prior._replace(
            mean=mean, ranks=ranks, covariance=self.left * prior.covariance, noise=self.left * prior.noise
        )


def normal_scores(scores: np.ndarray) -> np.ndarray:
    """Return each column of models x scores as normal scores; 0, the mean, where there is none.

    >>> normal_scores(np.array([[3.0], [1.0], [2.0], [np.nan]])).round(2)[:, 0].tolist()
    [0.97, -0.97, 0.0, 0.0]
    """
    ranked = np.zeros(scores.shape)
    for column, of_models in enumerate(scores.T):
        known = np.isfinite(of_models)
        ranked[known, column] = stats.norm.ppf((stats.rankdata(of_models[known]) - 0.5) / known.sum())
    return ranked


def scored_tasks(history: History, scores: Mapping[str, np.ndarray]) -> list[ScoredTask]:
    """Return the past tasks with scores, each with the prior from the other data sets.

    Args:
        history: The past tasks.
        scores: Models of the history x scores, for each task that has any.
    """
    found = []
    history = history.informative()
    for row, task in enumerate(history.tasks):
        past = history.without(history.groups[row]).informative()
        known = task in scores and np.isfinite(scores[task]).any(axis=1) & np.isfinite(history.values[row])
        if np.sum(known) >= _FEWEST_MODELS and len(past.tasks):
            values = np.where(known, normalised(history.values[row : row + 1])[0], np.nan)
            found.append(ScoredTask(expected(past, task), scores[task], values))
    return found


def learn_join(past: Sequence[ScoredTask]) -> Join:
    """Return how prior and scores are joined for a new task.

    Values are the prior plus a weighted sum of the prior and the scores. Ridge regression on the past tasks
    gives the weights; their deviation is the one with which each past task, left out in turn, is ordered
    best. The prior is left as it is unless the gain exceeds its standard error.
    """
    count = len(past)
    if count < FEWEST_TASKS:
        return Join(np.zeros(0), count)
    parts = [_part(one) for one in past]
    before = np.array([_tau(part.prior, part.values) for part in parts])
    best = Join(np.zeros(len(parts[0].moment)), count)
    for deviation in _DEVIATIONS:
        gains, left = np.empty(count), np.empty(count)
        for number, part in enumerate(parts):
            weights = _weights(parts, deviation, without=number)
            gains[number] = _tau(part.prior + part.inputs @ weights, part.values) - before[number]
            left[number] = part.weight * np.square(part.residuals - part.inputs @ weights).sum()
        if gains.mean() > gains.std(ddof=1) / np.sqrt(count) and gains.mean() > best.gain:
            error = sum(part.weight * np.square(part.residuals).sum() for part in parts)
            share = min(1.0, float(left.sum() / error)) if error > 0 else 1.0
            best = Join(_weights(parts, deviation), count, float(gains.mean()), share)
    return best


class _Part(NamedTuple):
    """A past task, centred: the differences between its models."""

    inputs: np.ndarray  # models x (the prior, then scores)
    prior: np.ndarray
    residuals: np.ndarray  # values minus the prior
    values: np.ndarray
    weight: float
    gram: np.ndarray
    moment: np.ndarray


def _part(past: ScoredTask) -> _Part:
    known = np.isfinite(past.values)
    inputs = np.column_stack([past.expected, normal_scores(past.scores)])[known]
    inputs = inputs - inputs.mean(axis=0)
    residuals = past.values[known] - past.expected[known]
    residuals = residuals - residuals.mean()
    weight = min(1.0, _MODELS / len(residuals))
    gram, moment = weight * inputs.T @ inputs, weight * inputs.T @ residuals
    return _Part(inputs, past.expected[known], residuals, past.values[known], weight, gram, moment)


def _weights(parts: Sequence[_Part], deviation: float, without: int = -1) -> np.ndarray:
    """Return the weights that ridge regression on the parts gives, one of them left out."""
    chosen = [part for number, part in enumerate(parts) if number != without]
    models = sum(part.weight * len(part.residuals) for part in chosen)
    noise = sum(part.weight * np.square(part.residuals).sum() for part in chosen) / models
    width = len(chosen[0].moment)
    penalty = noise * (width - 1) / deviation**2 + 1e-12  # no residuals: the prior was right, no weights
    gram = np.sum([part.gram for part in chosen], axis=0) + penalty * np.eye(width)
    return np.asarray(np.linalg.solve(gram, np.sum([part.moment for part in chosen], axis=0)))


def _tau(one: np.ndarray, other: np.ndarray) -> float:
    """Return Kendall's tau-b; 0 where all are equal."""
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return 0.0
    return float(stats.kendalltau(one, other, method="asymptotic").statistic)
