"""Whether one model is better than another over many tasks: signed ranks of their differences."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from assay.analysis.ties import ALPHA
from assay.findings.across import Practical

ROPE = 0.01  # of the compatibility index: a hundredth of the way from guessing to the best
_DIGITS = 12  # differences that are equal but for rounding must share a rank
_PRIOR = 0.5  # weight of the prior observation, which is no difference
_SAMPLES = 20_000  # a probability is off by 0.007 at most, in 95 of 100 runs
_CHUNK = 4_000_000  # numbers held at once: 32 MB


def fewest_tasks(tests: int) -> int:
    """Return how many tasks it takes before so many corrected tests can tell anything at all.

    A model that wins every task has p = 2 / 2^tasks.

    >>> fewest_tasks(1), fewest_tasks(9)
    (6, 9)
    """
    return math.ceil(math.log2(2 * max(1, tests) / ALPHA))


def wilcoxon(differences: np.ndarray) -> np.ndarray:
    """Return the two-sided p-value of Wilcoxon's signed-rank test for each row of differences.

    It is exact with ties and zeros too: the share of all ways to put signs before the ranks that reach the
    observed sum. (The normal approximation, which others take with ties, is off by a factor on ten tasks.)

    Args:
        differences: Models x tasks. Zeros are ranked with the others, and their ranks go half to either
            sign, as in Demsar (2006).

    References:
        Individual comparisons by ranking methods (Wilcoxon, 1945), https://doi.org/10.2307/3001968
    """
    return np.array([_signed_rank_test(row) for row in np.round(differences, _DIGITS)])


def practical(differences: np.ndarray, rope: float, seed: int) -> tuple[Practical, ...]:
    """Return for each row how probable it is that a model is practically better, equal, or worse.

    The Bayesian signed-rank test: task weights are drawn from a Dirichlet process, and in each draw one of
    better, equal and worse has most weight.

    Args:
        differences: Models x tasks: the model's value less that of another.
        rope: Differences up to this are practically none, in the unit of the differences.
        seed: Decides the draws.

    References:
        A Bayesian Wilcoxon signed-rank test based on the Dirichlet process (Benavoli et al., 2014),
        https://proceedings.mlr.press/v32/benavoli14.html
        Time for a change: a tutorial for comparing multiple classifiers through Bayesian analysis
        (Benavoli et al., 2017), https://www.jmlr.org/papers/v18/16-305.html
    """
    models, tasks = differences.shape
    with_prior = np.hstack([np.zeros((models, 1)), differences])
    first, second = np.triu_indices(tasks + 1)
    sums = (with_prior[:, first] + with_prior[:, second]).T  # pairs of tasks x models
    counted = np.where(first == second, 1.0, 2.0)[:, None]  # each pair stands for both of its orders
    above, below = (counted * np.heaviside(sign * sums - 2 * rope, 0.5) for sign in (1.0, -1.0))
    weights = np.random.default_rng(seed).dirichlet(np.append(_PRIOR, np.ones(tasks)), size=_SAMPLES)
    most = np.zeros((3, models))  # better, equal, worse
    step = max(1, _CHUNK // max(len(first), models))
    for start in range(0, _SAMPLES, step):
        drawn = weights[start : start + step]
        pairs = drawn[:, first] * drawn[:, second]
        better, worse = pairs @ above, pairs @ below
        equal = 1 - better - worse
        most[0] += (better >= np.maximum(equal, worse)).sum(axis=0)
        most[2] += (worse > np.maximum(equal, better)).sum(axis=0)
    most[1] = _SAMPLES - most[0] - most[2]
    return tuple(
        Practical(better=float(better), equal=float(equal), worse=float(worse), rope=rope)
        for better, equal, worse in (most / _SAMPLES).T
    )


def _signed_rank_test(differences: np.ndarray) -> float:
    signs = np.sign(differences)
    doubled = np.rint(2 * stats.rankdata(np.abs(differences))).astype(int)  # tied ranks end in a half
    chances = np.ones(1)  # of each sum of the ranks of gains, where every sign is a fair coin
    for rank in doubled[signs != 0]:
        longer = np.zeros(len(chances) + rank)
        longer[:-rank] += chances / 2
        longer[rank:] += chances / 2
        chances = longer
    total = len(chances) - 1
    gains_less_losses = 2 * np.arange(total + 1) - total
    reached = np.abs(gains_less_losses) >= abs(int(signs @ doubled))
    return float(min(1.0, chances[reached].sum()))
