"""Whether the ranks of many models over many tasks differ by more than chance: Friedman's test."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from assay.analysis.ranks import task_ranks
from assay.analysis.ties import ALPHA
from assay.findings.across import Omnibus


def friedman(values: np.ndarray) -> Omnibus | None:
    """Return Friedman's test of equal ranks, in the form of Iman and Davenport, with Nemenyi's difference.

    Args:
        values: Models x tasks without holes, higher is better. None with fewer than three models or two
            tasks, and where all models are equal on every task.

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
    p_value = float(stats.f.sf(statistic, models - 1, (models - 1) * (tasks - 1)))
    return Omnibus(
        chi_square=float(chi_square),
        statistic=float(statistic),
        p_value=p_value,
        models=models,
        tasks=tasks,
        critical_difference=critical_difference(models, tasks),
    )


def critical_difference(models: int, tasks: int) -> float:
    """Return by how much two mean ranks must differ for Nemenyi's test to tell two of many models apart.

    >>> round(critical_difference(4, 14), 2)  # Demsar (2006), section 3.2.3
    1.25
    """
    quantile = stats.studentized_range.ppf(1 - ALPHA, models, np.inf) / math.sqrt(2)
    return float(quantile * math.sqrt(models * (models + 1) / (6 * tasks)))


def cliques(ranks: Sequence[float], difference: float) -> tuple[tuple[int, int], ...]:
    """Return the largest groups of models that lie within a difference: the bars of a diagram of ranks.

    Args:
        ranks: Mean ranks, best first.
        difference: Nemenyi's.

    Returns:
        The first and the last place of each group of two models or more.

    >>> cliques([1.0, 1.5, 2.2, 4.0], 1.25)
    ((0, 2),)
    """
    found: list[tuple[int, int]] = []
    last = 0
    for first, rank in enumerate(ranks):
        reach = last
        while reach + 1 < len(ranks) and ranks[reach + 1] - rank <= difference:
            reach += 1
        if reach > max(first, last):
            found.append((first, reach))
        last = max(first, reach)
    return tuple(found)
