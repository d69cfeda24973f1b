"""Significance tests across tasks, of all pairs of models."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Literal, NamedTuple

import numpy as np

from assay.analysis.across_tasks.intervals import FEWEST_TASKS, interquartile_mean
from assay.analysis.pairwise import ALPHA, MOST_STEPPED, Pairwise, compare_pairs, difference_variances
from assay.analysis.per_task.significance import UNDERSTATED
from assay.findings.across import Generality, PracticalEquivalence, Unit
from assay.findings.matrix import Matrix
from assay.numerics.distributions import normal_tail

ROPE = 0.01  # of the compatibility index: 1 % of the distance from chance level to the best
_DIGITS = 12  # differences that are equal up to rounding errors must share a rank
_PRIOR = 0.5  # weight of the prior observation of a zero difference
_SAMPLES = 20_000  # error of a probability below 0.007 in 95 % of runs
_CHUNK = 4_000_000  # numbers held at once: 32 MB
_MANY_TASKS = 40
_SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")


@lru_cache
def fewest_tasks(models: int) -> int:
    """Return the smallest number of tasks with which so many models can differ significantly.

    A model that wins every task has p = 2 / 2^tasks.

    >>> fewest_tasks(2), fewest_tasks(10), fewest_tasks(20)
    (6, 11, 13)
    """
    pairs = max(1, models * (models - 1) // 2)
    needed = ALPHA / pairs
    if 2 < models <= MOST_STEPPED:
        from scipy import stats

        ratio = stats.studentized_range.ppf(1 - ALPHA, models, np.inf) / math.sqrt(2)
        needed = max(needed, float(2 * normal_tail(ratio)))
    return math.ceil(math.log2(2 / needed))


def wilcoxon(differences: np.ndarray) -> np.ndarray:
    """Return the two-sided p-value of Wilcoxon's signed-rank test for each row of differences.

    It is exact also with ties and zeros: the share of all sign assignments to the ranks that reach the
    observed sum. (The usual normal approximation for ties is off by a factor with ten tasks.)

    Args:
        differences: Models x tasks. Zeros are ranked with the others, and their ranks are split between
            both signs, as in Demsar (2006).

    References:
        Individual comparisons by ranking methods (Wilcoxon, 1945), https://doi.org/10.2307/3001968
    """
    return _signed_rank_tests(differences)[0]


def practical(differences: np.ndarray, rope: float, seed: int) -> tuple[PracticalEquivalence, ...]:
    """Return for each row the probabilities that a model is practically better, equivalent or worse.

    This is the Bayesian signed-rank test: task weights are drawn from a Dirichlet process, and each draw
    counts for the outcome with most weight.

    Args:
        differences: Models x tasks: the model's value minus that of another.
        rope: Region of practical equivalence, in the unit of the differences.
        seed: Seed of the draws.

    References:
        A Bayesian Wilcoxon signed-rank test based on the Dirichlet process (Benavoli et al., 2014),
        https://proceedings.mlr.press/v32/benavoli14.html
        Time for a change: a tutorial for comparing multiple classifiers through Bayesian analysis
        (Benavoli et al., 2017), https://www.jmlr.org/papers/v18/16-305.html
    """
    models, tasks = differences.shape
    with_prior = np.hstack([np.zeros((models, 1)), differences])
    weights = np.random.default_rng(seed).dirichlet(np.append(_PRIOR, np.ones(tasks)), size=_SAMPLES)
    if tasks > _MANY_TASKS:  # whose pairs cost more than sorting them for each model
        of_tasks = np.ascontiguousarray(weights.T)  # numpy gathers long rows faster than short ones
        return tuple(_practical_of(np.sort(row), of_tasks[np.argsort(row)], rope) for row in with_prior)
    first, second = np.triu_indices(tasks + 1)
    sums = (with_prior[:, first] + with_prior[:, second]).T  # pairs of tasks x models
    counted = np.where(first == second, 1.0, 2.0)[:, None]  # each pair counts in both orders
    above, below = (counted * np.heaviside(sign * sums - 2 * rope, 0.5) for sign in (1.0, -1.0))
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
        PracticalEquivalence(better=float(better), equal=float(equal), worse=float(worse), rope=rope)
        for better, equal, worse in (most / _SAMPLES).T
    )


def _practical_of(ascending: np.ndarray, weights: np.ndarray, rope: float) -> PracticalEquivalence:
    """Return the probabilities of one model from its sorted differences.

    Args:
        ascending: The differences, with that of the prior.
        weights: Their weights in each draw, differences x draws.
        rope: See :func:`practical`.
    """
    below = np.vstack([np.zeros((1, weights.shape[1])), np.cumsum(weights, axis=0)])

    def share_below(limit: float) -> np.ndarray:
        """Return the weight of all pairs whose sum is below a limit, with half of those equal to it."""
        edges = [np.searchsorted(ascending, limit - ascending, side) for side in _SIDES]
        share = np.zeros(weights.shape[1])
        for weight, first, second in zip(weights, *edges, strict=True):
            share += weight * (below[first] + below[second])
        return share / 2

    better, worse = 1 - share_below(2 * rope), share_below(-2 * rope)
    equal = 1 - better - worse
    is_better, is_worse = better >= np.maximum(equal, worse), worse > np.maximum(equal, better)
    shares = float(is_better.mean()), float(is_worse.mean())
    return PracticalEquivalence(better=shares[0], equal=1 - sum(shares), worse=shares[1], rope=rope)


def _signed_rank_tests(differences: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the p-value of each row of differences, and the sum of its signed ranks."""
    from scipy import stats

    rounded = np.round(differences, _DIGITS)
    signs = np.sign(rounded).astype(int)
    doubled = np.rint(2 * stats.rankdata(np.abs(rounded), axis=1)).astype(int)  # tied ranks end in .5
    sums = (signs * doubled).sum(axis=1)
    ranks = np.sort(np.where(signs != 0, doubled, 0), axis=1)
    p_values = [
        _tail(tuple(row), abs(total)) for row, total in zip(ranks.tolist(), sums.tolist(), strict=True)
    ]
    return np.array(p_values), sums


def _tail(ranks: tuple[int, ...], total: int) -> float:
    """Return the share of sign assignments whose sum of signed ranks is at least as far from zero."""
    tails = _tails(ranks)
    return float(tails[total])


@lru_cache(maxsize=256)
def _tails(ranks: tuple[int, ...]) -> np.ndarray:
    """Return for each distance from zero the share of sign assignments that reach it."""
    chances = np.ones(1)  # distribution of the rank sum of gains under random signs
    for rank in filter(None, ranks):
        longer = np.zeros(len(chances) + rank)
        longer[: len(chances)] += chances / 2
        longer[rank:] += chances / 2
        chances = longer
    top = len(chances) - 1
    of_distance = np.zeros(top + 1)
    np.add.at(of_distance, np.abs(2 * np.arange(top + 1) - top), chances)
    return np.asarray(np.minimum(1.0, np.cumsum(of_distance[::-1])[::-1]))


class Comparable(NamedTuple):
    """The indices by which models are compared."""

    indices: Matrix  # no value is missing
    here: np.ndarray | None  # draws x models: the mean index on these tasks, examples resampled


def compare_over_tasks(
    ordered: Sequence[Generality], comparable: Comparable, rope: float, seed: int
) -> tuple[tuple[Generality, ...], Unit | None]:
    """Test all pairs of models; return the models with their ranks and the unit of the tests.

    The task is the unit of Wilcoxon's signed-rank test of the index. With too few tasks for that test to be
    significant for so many models, they are compared on exactly these tasks, with the standard error of
    the paired bootstrap over seeds and examples. Both are adjusted for all pairs.

    Args:
        ordered: Models, best first.
        comparable: The index of the models that have one on all tasks.
        rope: Region of practical equivalence of the index.
        seed: Seed of the draws.
    """
    index = comparable.indices
    if ordered[0].index is None:
        return tuple(ordered), None
    is_over_tasks = len(index.tasks) >= fewest_tasks(len(index.models))
    compared = _over_tasks(index, seed) if is_over_tasks else _by_examples(comparable, seed)
    first = index.models.index(ordered[0].model)
    many = len(index.tasks) >= FEWEST_TASKS
    others = [row for row in range(len(index.models)) if row != first]
    equal = practical(index.values[others] - index.values[first], rope, seed) if many else ()
    equal_of = {index.models[row]: part for row, part in zip(others, equal, strict=many)}
    models = [replace(model, practical=equal_of.get(model.model)) for model in ordered]
    if compared is None:
        return tuple(models), None
    tested, pairs = compared
    spans = dict(zip(tested, pairs.ranks(), strict=True))
    against = pairs.p_values[tested.index(ordered[0].model)] if ordered[0].model in tested else None
    p_values = {} if against is None else dict(zip(tested, against.tolist(), strict=True))
    models = [
        replace(model, ranks=spans.get(model.model), p_value=p_values.get(model.model)) for model in models
    ]
    return tuple(models), Unit.TASKS if is_over_tasks else Unit.EXAMPLES


def _over_tasks(index: Matrix, seed: int) -> tuple[tuple[str, ...], Pairwise]:
    """Compare all models by Wilcoxon's test.

    The adjustment assumes independent errors of the models, as Tukey's and Nemenyi's tests do: correlations
    cannot be estimated from a few tasks, and make the largest difference of equal models smaller.
    """
    means = interquartile_mean(index.values)
    models = len(means)
    first, second = np.triu_indices(models, 1)
    p_values = np.ones((models, models))
    step = max(1, _CHUNK // len(index.tasks))
    for start in range(0, len(first), step):
        rows, columns = first[start : start + step], second[start : start + step]
        of_pairs, sums = _signed_rank_tests(index.values[rows] - index.values[columns])
        agrees = np.sign(sums) == np.sign(means[rows] - means[columns])  # else neither is called better
        p_values[rows, columns] = p_values[columns, rows] = np.where(agrees, of_pairs, 1.0)
    independent = np.eye(models) if models <= MOST_STEPPED else np.empty((0, models))
    return index.models, compare_pairs(means, p_values, independent, seed)


def _by_examples(comparable: Comparable, seed: int) -> tuple[tuple[str, ...], Pairwise] | None:
    """Compare the models with stored predictions on these tasks; None with fewer than two."""
    index, here = comparable
    if here is None:
        return None
    kept = np.flatnonzero(np.isfinite(here).all(axis=0))
    if len(kept) < 2:
        return None
    means, drawn = interquartile_mean(index.values)[kept], here[:, kept]
    deviations = np.sqrt(UNDERSTATED * difference_variances(drawn))
    distances = np.abs(means[:, None] - means)
    ratios = np.divide(distances, deviations, out=np.zeros_like(distances), where=deviations > 0)
    p_values = 2 * normal_tail(ratios)  # equal models: 1
    tested = tuple(index.models[row] for row in kept)
    return tested, compare_pairs(means, p_values, drawn, seed)
