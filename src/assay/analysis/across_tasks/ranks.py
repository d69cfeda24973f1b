"""Ranks of models within tasks, their aggregates, and Friedman's test."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

from assay.analysis.pairwise import ALPHA
from assay.findings.across import Omnibus


def task_ranks(values: np.ndarray) -> np.ndarray:
    """Return the rank of each model within each task: 1 is best, equal values share the mean rank.

    Args:
        values: Models x tasks, higher is better; a missing value is NaN and stays NaN.

    >>> task_ranks(np.array([[0.9, 0.5], [0.8, 0.5], [0.9, np.nan]])).tolist()
    [[1.5, 1.5], [3.0, 1.5], [1.5, nan]]
    """
    from scipy import stats

    return np.asarray(stats.rankdata(-values, axis=0, nan_policy="omit"), dtype=np.float64)


def beaten(values: np.ndarray) -> np.ndarray:
    """Return the number of other models each model beats on each task, ties half; NaN if missing."""
    return np.asarray(np.isfinite(values).sum(axis=0) - task_ranks(values))


def average_ranks(values: np.ndarray) -> np.ndarray:
    """Return each model's mean rank over the tasks on which it has a value."""
    return np.asarray(np.nanmean(task_ranks(values), axis=1))


def win_rates(values: np.ndarray) -> np.ndarray:
    """Return the share of (other model, task) pairs that each model beats, ties half; NaN without pairs.

    Only tasks on which both models have a value count, so a missing value has no effect.
    """
    others = np.where(np.isfinite(values), np.isfinite(values).sum(axis=0) - 1, 0).sum(axis=1)
    wins = np.nansum(beaten(values), axis=1)
    return np.asarray(np.divide(wins, others, out=np.full(len(values), np.nan), where=others > 0))


def borda(values: np.ndarray) -> np.ndarray:
    """Return each model's Borda points: the number of models it beats, summed over tasks.

    The MTEB leaderboard counts like this. A missing task adds nothing, so models that skip tasks rank low.

    References:
        ``embeddings-benchmark/mteb`` mteb/benchmarks/_create_table.py
        What are the best systems? New perspectives on NLP benchmarking (Colombo et al., 2022),
        https://arxiv.org/abs/2202.03799
    """
    return np.asarray(np.nansum(beaten(values), axis=1))


def friedman(values: np.ndarray) -> Omnibus | None:
    """Return Friedman's test in the form of Iman and Davenport, with Nemenyi's critical difference.

    Args:
        values: Models x tasks, none missing, higher is better.

    Returns:
        None with fewer than three models or two tasks, and if all models are equal on every task.

    References:
        Statistical comparisons of classifiers over multiple data sets (Demsar, 2006),
        https://www.jmlr.org/papers/v7/demsar06a.html
    """
    models, tasks = values.shape
    if models < 3 or tasks < 2:
        return None
    ranks = task_ranks(values)
    within = np.square(ranks - (models + 1) / 2).sum()  # smaller where values are equal
    if within == 0:
        return None
    between = np.square(ranks.mean(axis=1) - (models + 1) / 2).sum() * tasks
    chi_square = tasks * (models - 1) * between / within
    left = tasks * (models - 1) - chi_square
    statistic = (tasks - 1) * chi_square / left if left > 1e-9 * chi_square else math.inf
    p_value = float(special.fdtrc(models - 1, (models - 1) * (tasks - 1), statistic))
    return Omnibus(
        chi_square=float(chi_square),
        statistic=float(statistic),
        p_value=p_value,
        models=models,
        tasks=tasks,
        critical_difference=critical_difference(models, tasks),
    )


def critical_difference(models: int, tasks: int) -> float:
    """Return the smallest significant difference of two mean ranks by Nemenyi's test.

    >>> round(critical_difference(4, 14), 2)  # Demsar (2006), section 3.2.3
    1.25
    """
    from scipy import stats

    quantile = stats.studentized_range.ppf(1 - ALPHA, models, np.inf) / math.sqrt(2)
    return float(quantile * math.sqrt(models * (models + 1) / (6 * tasks)))


def cliques(ranks: Sequence[float], difference: float) -> tuple[tuple[int, int], ...]:
    """Return maximal groups of models within a difference: the bars of a critical-difference diagram.

    Args:
        ranks: Mean ranks, best first.
        difference: The critical difference.

    Returns:
        The first and the last position of each group of at least two models.

    >>> cliques([1.0, 1.5, 2.2, 4.0], 1.25)
    ((0, 2),)
    """
    groups: list[tuple[int, int]] = []
    last = 0
    for first, rank in enumerate(ranks):
        reach = last
        while reach + 1 < len(ranks) and ranks[reach + 1] - rank <= difference:
            reach += 1
        if reach > max(first, last):
            groups.append((first, reach))
        last = max(first, reach)
    return tuple(groups)
