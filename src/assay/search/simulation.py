"""Replays searches on a matrix of results: each task in turn is new, and the others are the past."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from assay.search.history import History, spread_of
from assay.search.names import matches
from assay.search.policies import Policy, Trials
from assay.search.prior import Prior, learn

_FEWEST = 3  # models with a value, for a task to be replayed or to be a past one


class Case(NamedTuple):
    """One task as if it were new."""

    task: str
    group: str
    models: tuple[str, ...]  # those with a value on it
    values: np.ndarray
    prior: Prior


class Replay(NamedTuple):
    """What a policy found on one task.

    Attributes:
        regrets: (best - best found) / (best - median) after each trial; 0 once the best model is found.
        left: Best minus best found after each trial, in the unit of the metric.
        spent: The cost after each trial, as a share of the cost of all models.
    """

    task: str
    group: str
    regrets: np.ndarray
    left: np.ndarray
    spent: np.ndarray


def cases(history: History, *, exclude_contaminated: bool = False) -> list[Case]:
    """Return the tasks that can be replayed: models differ on them, and there are past tasks to learn from.

    All tasks of the same data set are left out of the past. The past says what it says of all models; those
    that have a value on the task can be tried.

    Args:
        history: All tasks.
        exclude_contaminated: Leave out models whose name holds that of the task.
    """
    every = []
    for row, task in enumerate(history.tasks):
        is_candidate = np.isfinite(history.values[row])
        if exclude_contaminated:
            is_candidate &= matches(task, history.models) == 0
        known = np.flatnonzero(is_candidate)
        values = history.values[row, known]
        past = usable(history.without(history.groups[row]))
        if len(known) >= _FEWEST and spread_of(values) > 0 and len(usable(past.of_models(known)).tasks):
            models = tuple(history.models[column] for column in known)
            every.append(Case(task, history.groups[row], models, values, learn(past, task, known)))
    return every


def usable(history: History) -> History:
    """Return the tasks from which a search can learn."""
    counts = np.isfinite(history.values).sum(axis=1)
    return history.of_tasks(np.flatnonzero(counts >= _FEWEST)).informative()


def replay(case: Case, policy: Policy, trials: int, costs: np.ndarray | None = None) -> Replay:
    """Return the results of a policy on a task.

    Args:
        case: The task.
        policy: What decides.
        trials: How many models are tried, at most all.
        costs: The cost of each model of the case; by default all cost the same.
    """
    tried: list[int] = []
    for _ in range(min(trials, len(case.values))):
        so_far = np.array(tried, dtype=np.int64)
        tried.append(policy.next(case.prior, Trials(so_far, case.values[so_far], costs)))
    return _result(case, np.array(tried), costs)


def replay_random(
    case: Case, trials: int, seed: int, costs: np.ndarray | None = None, orders: int = 200
) -> list[Replay]:
    """Return the results of random orders, one for each order."""
    rng = np.random.default_rng(seed)
    count = min(trials, len(case.values))
    return [_result(case, rng.permutation(len(case.values))[:count], costs) for _ in range(orders)]


def _result(case: Case, tried: np.ndarray, costs: np.ndarray | None) -> Replay:
    found = np.maximum.accumulate(case.values[tried])
    left = case.values.max() - found
    spent = np.ones(len(case.values)) if costs is None else costs
    return Replay(
        case.task, case.group, left / spread_of(case.values), left, np.cumsum(spent[tried]) / spent.sum()
    )


def at(replays: Sequence[Replay], trials: int) -> np.ndarray:
    """Return the normalised regret of each task after this number of trials, or after all of its models."""
    return np.array([replay.regrets[min(trials, len(replay.regrets)) - 1] for replay in replays])


def at_cost(replays: Sequence[Replay], share: float) -> np.ndarray:
    """Return the normalised regret of each task once a share of the cost of all models is spent.

    Before the first model is done it is 1, that of the median model; after the last trial it stays.
    """
    done = [int(np.searchsorted(one.spent, share + 1e-12, side="right")) for one in replays]
    return np.array([one.regrets[n - 1] if n else 1.0 for one, n in zip(replays, done, strict=True)])


def cost_to_within(replays: Sequence[Replay], tolerance: float) -> np.ndarray:
    """Return the share of the cost of trying all that comes within a tolerance of the best; 1 for a miss."""
    shares = []
    for one in replays:
        close = np.flatnonzero(one.left <= tolerance)
        shares.append(float(one.spent[close[0]]) if len(close) else 1.0)
    return np.array(shares)


def by_group(values: np.ndarray, groups: Sequence[str]) -> np.ndarray:
    """Return the mean of each data set: its tasks are not independent."""
    _, places = np.unique(np.array(groups), return_inverse=True)
    return np.asarray(np.bincount(places, weights=values) / np.bincount(places))


def costs_of(models: Sequence[str], costs: Mapping[str, float] | None) -> np.ndarray | None:
    """Return the costs of these models; None without costs."""
    return None if costs is None else np.array([costs[model] for model in models], dtype=float)
