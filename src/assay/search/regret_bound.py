"""How much better the best untried model may be than the best one found: a bound from past searches."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from assay.search.history import History
from assay.search.policies import Policy
from assay.search.simulation import Replay, cases, replay

LEVEL = 0.9
FEWEST_TASKS = 9  # ceil(.9 (n + 1)) <= n


class Bound(NamedTuple):
    """An upper bound on the regret, in the unit of the metric.

    Attributes:
        high: In nine of ten searches like this one no more was missed.
        past_tasks: The number of data sets that it is based on.
    """

    high: float
    past_tasks: int


def shares_left(replays: Sequence[Replay], tops: Sequence[float], trials: int) -> np.ndarray:
    """Return the regret of each past search, relative to the distance to the maximum of the metric.

    Of several tasks of one data set the largest share counts.

    Args:
        replays: The searches.
        tops: The best value found in each after so many trials.
        trials: The number of models tried.
    """
    shares: dict[str, float] = {}
    for one, room in zip(replays, tops, strict=True):
        left = one.left[min(trials, len(one.left)) - 1]
        share = float(left / room) if room > 0 else 0.0
        shares[one.group] = max(share, shares.get(one.group, 0.0))
    return np.array(list(shares.values()))


def bound(shares: np.ndarray, room: float) -> Bound | None:
    """Return the conformal bound; None with fewer than nine data sets, where there is none at this level.

    Args:
        shares: What past searches missed: see ``shares_left``.
        room: The top of the metric minus the best value found now.
    """
    count = len(shares)
    rank = math.ceil(LEVEL * (count + 1))
    if count < FEWEST_TASKS or rank > count:
        return None
    return Bound(float(np.sort(shares)[rank - 1] * max(room, 0.0)), count)


def past_shares(history: History, policy: Policy, trials: int, top: float) -> np.ndarray:
    """Return the regret of the policy on each past data set, leaving it out of the history.

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
