"""How much better the best untried model may be than the best one found: a bound from past searches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from assay.search.history import History
from assay.search.policies import Policy
from assay.search.simulation import Replay, cases, replay

LEVEL = 0.9
FEWEST_TASKS = 9  # n >= .9 (n + 1)
_ROUNDING = 1e-9  # of sums of weights


class Bound(NamedTuple):
    """An upper bound on the regret, in the unit of the metric.

    Attributes:
        high: In nine of ten searches like this one no more was missed.
        past_tasks: The number of data sets that it is based on.
    """

    high: float
    past_tasks: int


def shares_left(replays: Sequence[Replay], tops: Sequence[float], trials: int) -> dict[str, np.ndarray]:
    """Return the regret of each past search, relative to the distance to the maximum of the metric.

    Args:
        replays: The searches.
        tops: The distance of the best value found in each after so many trials to the maximum.
        trials: The number of models tried.

    Returns:
        The shares of the tasks of each data set.
    """
    shares: dict[str, list[float]] = {}
    for one, room in zip(replays, tops, strict=True):
        left = one.left[min(trials, len(one.left)) - 1]
        shares.setdefault(one.group, []).append(float(left / room) if room > 0 else 0.0)
    return {group: np.array(of_group) for group, of_group in shares.items()}


def bound(shares: Mapping[str, np.ndarray], room: float) -> Bound | None:
    """Return the conformal bound; None with fewer than nine data sets, where there is none at this level.

    Data sets count alike, and their tasks share that: the bound is for one task of a new data set.

    References:
        Distribution-Free Inference with Hierarchical Data (Lee et al., 2023), https://arxiv.org/abs/2306.06342

    Args:
        shares: What past searches missed: see ``shares_left``.
        room: The top of the metric minus the best value found now.
    """
    count = len(shares)
    if count < FEWEST_TASKS:
        return None
    missed = np.concatenate(list(shares.values()))
    weights = np.concatenate([np.full(len(of_group), 1 / len(of_group)) for of_group in shares.values()])
    order = np.argsort(missed, kind="stable")
    reached = np.cumsum(weights[order]) >= LEVEL * (count + 1) - _ROUNDING  # the new data set counts as well
    return Bound(float(missed[order[np.argmax(reached)]] * max(room, 0.0)), count)


def past_shares(history: History, policy: Policy, trials: int, top: float) -> dict[str, np.ndarray]:
    """Return the regret of the policy on the tasks of each past data set, leaving it out of the history.

    Args:
        history: The past tasks.
        policy: What decides.
        trials: The number of models tried.
        top: The highest value that the metric can have.
    """
    every = cases(history)
    replays = [replay(case, policy, trials) for case in every]
    found = [
        case.values.max() - one.left[min(trials, len(one.left)) - 1]
        for case, one in zip(every, replays, strict=True)
    ]
    return shares_left(replays, [top - value for value in found], trials)
