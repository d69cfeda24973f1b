"""Ranks of models within tasks, and what they add up to: who beats whom, and how often."""

from __future__ import annotations

import numpy as np
from scipy import stats


def task_ranks(values: np.ndarray) -> np.ndarray:
    """Return the rank of each model within each task: 1 is best, equal values share the mean rank.

    Args:
        values: Models x tasks, higher is better; NaN where there is none, which stays NaN.

    >>> task_ranks(np.array([[0.9, 0.5], [0.8, 0.5], [0.9, np.nan]])).tolist()
    [[1.5, 1.5], [3.0, 1.5], [1.5, nan]]
    """
    return np.asarray(stats.rankdata(-values, axis=0, nan_policy="omit"), dtype=np.float64)


def beaten(values: np.ndarray) -> np.ndarray:
    """Return how many other models each model beats on each task, an equal one half; NaN without a value."""
    return np.asarray(np.isfinite(values).sum(axis=0) - task_ranks(values))


def average_ranks(values: np.ndarray) -> np.ndarray:
    """Return each model's mean rank over the tasks on which it has a value."""
    return np.asarray(np.nanmean(task_ranks(values), axis=1))


def win_rates(values: np.ndarray) -> np.ndarray:
    """Return the share of (other model, task) pairs that each model beats, ties half; NaN without any pair.

    Only tasks on which both have a value make a pair, so holes cost nothing and earn nothing.
    """
    others = np.where(np.isfinite(values), np.isfinite(values).sum(axis=0) - 1, 0).sum(axis=1)
    wins = np.nansum(beaten(values), axis=1)
    return np.asarray(np.divide(wins, others, out=np.full(len(values), np.nan), where=others > 0))


def borda(values: np.ndarray) -> np.ndarray:
    """Return each model's Borda points: over tasks, how many models it beats; a missing task earns nothing.

    This is how the MTEB leaderboard counts, so a model that left out tasks is placed low for it.

    References:
        ``embeddings-benchmark/mteb`` mteb/benchmarks/_create_table.py
        What are the best systems? New perspectives on NLP benchmarking (Colombo et al., 2022),
        https://arxiv.org/abs/2202.03799
    """
    return np.asarray(np.nansum(beaten(values), axis=1))
