"""Significance tests across tasks: each model against the best one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy import stats

from assay.analysis.across_tasks.intervals import FEWEST_TASKS, interquartile_mean
from assay.analysis.per_task.significance import ALPHA, holm
from assay.findings.across import Generality, PracticalEquivalence, Unit
from assay.findings.matrix import Matrix

ROPE = 0.01  # of the compatibility index: 1 % of the distance from chance level to the best
_DIGITS = 12  # differences that are equal up to rounding errors must share a rank
_PRIOR = 0.5  # weight of the prior observation of a zero difference
_SAMPLES = 20_000  # error of a probability below 0.007 in 95 % of runs
_CHUNK = 4_000_000  # numbers held at once: 32 MB


def fewest_tasks(tests: int) -> int:
    """Return the smallest number of tasks with which so many Holm-corrected tests can be significant.

    A model that wins every task has p = 2 / 2^tasks.

    >>> fewest_tasks(1), fewest_tasks(9)
    (6, 9)
    """
    return math.ceil(math.log2(2 * max(1, tests) / ALPHA))


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
    return np.array([_signed_rank_test(row) for row in np.round(differences, _DIGITS)])


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
    first, second = np.triu_indices(tasks + 1)
    sums = (with_prior[:, first] + with_prior[:, second]).T  # pairs of tasks x models
    counted = np.where(first == second, 1.0, 2.0)[:, None]  # each pair counts in both orders
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
        PracticalEquivalence(better=float(better), equal=float(equal), worse=float(worse), rope=rope)
        for better, equal, worse in (most / _SAMPLES).T
    )


def _signed_rank_test(differences: np.ndarray) -> float:
    signs = np.sign(differences)
    doubled = np.rint(2 * stats.rankdata(np.abs(differences))).astype(int)  # integers: tied ranks end in .5
    chances = np.ones(1)  # distribution of the rank sum of gains under random signs
    for rank in doubled[signs != 0]:
        longer = np.zeros(len(chances) + rank)
        longer[:-rank] += chances / 2
        longer[rank:] += chances / 2
        chances = longer
    total = len(chances) - 1
    gains_less_losses = 2 * np.arange(total + 1) - total
    reached = np.abs(gains_less_losses) >= abs(int(signs @ doubled))
    return float(min(1.0, chances[reached].sum()))


class Comparable(NamedTuple):
    """The indices by which models are compared."""

    indices: Matrix  # no value is missing
    here: np.ndarray | None  # draws x models: the mean index on these tasks, examples resampled


def against_best(
    ordered: Sequence[Generality], comparable: Comparable, rope: float, seed: int
) -> tuple[tuple[Generality, ...], Unit | None]:
    """Test each model against the first one; return the models and the unit of the tests.

    The task is the unit of Wilcoxon's signed-rank test of the index. With too few tasks for that test to be
    significant for so many models, they are compared on exactly these tasks, with the standard error of
    the paired bootstrap over seeds and examples. Both tests are Holm-corrected.

    Args:
        ordered: Models, best first.
        comparable: The index of the models that have one on all tasks.
        rope: Region of practical equivalence of the index.
        seed: Seed of the draws.
    """
    index, here = comparable
    position = {model: row for row, model in enumerate(index.models)}
    if ordered[0].index is None:
        return tuple(ordered), None
    others = [model.model for model in ordered[1:] if model.index is not None]
    first, rows = position[ordered[0].model], [position[model] for model in others]
    differences = index.values[rows] - index.values[first]
    if len(index.tasks) >= fewest_tasks(len(others)):
        p_values, unit = wilcoxon(differences), Unit.TASKS
    else:
        means = interquartile_mean(index.values)
        p_values, unit = _by_examples(means[rows] - means[first], here, first, rows), Unit.EXAMPLES
    is_tested = np.isfinite(p_values)
    corrected = dict(zip(np.array(others, dtype=object)[is_tested], holm(p_values[is_tested]), strict=True))
    many = len(index.tasks) >= FEWEST_TASKS
    equal = dict(zip(others, practical(differences, rope, seed) if many else (), strict=many))
    best = replace(ordered[0], p_value=1.0, is_tied_best=True) if corrected else ordered[0]
    rest = [_with(model, corrected.get(model.model), equal.get(model.model)) for model in ordered[1:]]
    return (best, *rest), unit if corrected else None


def _with(model: Generality, p_value: float | None, equal: PracticalEquivalence | None) -> Generality:
    if p_value is None:
        return replace(model, practical=equal)
    return replace(model, p_value=float(p_value), is_tied_best=bool(p_value >= ALPHA), practical=equal)


def _by_examples(
    differences: np.ndarray, here: np.ndarray | None, first: int, rows: Sequence[int]
) -> np.ndarray:
    """Return the p-value of each difference on these tasks; NaN without stored predictions."""
    if here is None:
        return np.full(len(rows), np.nan)
    spread = (here[:, rows] - here[:, [first]]).std(axis=0)
    ratio = np.divide(
        np.abs(differences), spread, out=np.zeros(len(rows)), where=spread != 0
    )  # equal models: 0
    return np.asarray(2 * stats.norm.sf(np.where(np.isnan(spread), np.nan, ratio)))
