"""The weight of mean ranks in a search of few models: the value that was best on past tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from assay.search.policies import Search
from assay.search.simulation import Case, at, by_group, replay

WEIGHTS = (0.0, 0.5, 1.0)
MOST_MODELS = 20  # of more, the search beat the mean ranks on every table; of few, it gains little or loses
_FEWEST_GROUPS = 9
_TRIALS = (3, 5, 10)


class RankWeights(NamedTuple):
    """What searches of past tasks missed with each weight of mean ranks.

    Attributes:
        regrets: The normalised regret of each past task, a mean over numbers of trials: weights x tasks; no
            weight is learned from it if it is empty.
        groups: The data set of each task.
    """

    regrets: np.ndarray
    groups: tuple[str, ...]

    def best(self, without: str | None = None) -> float:
        """Return the weight that missed least on past data sets, one of them left out.

        Of equal ones it is the least. It is 0 with fewer than nine data sets.
        """
        rows = [row for row, group in enumerate(self.groups) if group != without]
        groups = [self.groups[row] for row in rows]
        if not self.regrets.size or len(set(groups)) < _FEWEST_GROUPS:
            return 0.0
        means = [by_group(of_weight[rows], groups).mean() for of_weight in self.regrets]
        return WEIGHTS[int(np.argmin(means))]


def rank_weights(every: Sequence[Case]) -> RankWeights:
    """Replay the search with each weight on past tasks of at most 20 models, each left out of its past."""
    if max((len(case.models) for case in every), default=0) > MOST_MODELS:
        return RankWeights(np.zeros((0, 0)), ())
    regrets = []
    for weight in WEIGHTS:
        replays = [replay(case, Search(weight), max(_TRIALS)) for case in every]
        regrets.append(np.mean([at(replays, trials) for trials in _TRIALS], axis=0))
    return RankWeights(np.array(regrets), tuple(case.group for case in every))
