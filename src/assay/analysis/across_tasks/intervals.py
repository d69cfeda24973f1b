"""What would come out on other tasks, or on these with other examples: draws of the mean index."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from scipy import stats

from assay.analysis.per_task.intervals import DRAWS, LEVEL, ExampleDraws
from assay.core.estimate import Interval

FEWEST_TASKS = 5  # an interval over fewer holds the truth in 90 of 100 cases at best, over three in 73
LOWEST_INDEX = (
    -1.0
)  # as far below chance level as the best is above: one ruined task weighs no more than that


def interquartile_mean(indices: np.ndarray) -> np.ndarray:
    """Return the mean over the last axis without its lowest and highest quarter.

    An index below -1 counts as -1: one ruined task weighs no more than that.

    References:
        Deep reinforcement learning at the edge of the statistical precipice (Agarwal et al., 2021),
        https://arxiv.org/abs/2108.13264
    """
    size = indices.shape[-1]
    cut = size // 4
    bounded = np.maximum(indices, LOWEST_INDEX)
    return np.asarray(np.sort(bounded, axis=-1)[..., cut : size - cut].mean(axis=-1))


def draws_of_tasks(indices: np.ndarray, seed: int) -> np.ndarray:
    """Return the mean index of each model when tasks are resampled, the same for all models: draws x models.

    Nothing below the tasks is drawn: their values carry the noise of seeds and examples already, and to add
    it once more would count it twice.

    Args:
        indices: Models x tasks.
        seed: Decides the draws.

    References:
        Bootstrap methods and their application (Davison and Hinkley, 1997), section 3.8
    """
    tasks = indices.shape[1]
    rows = np.random.default_rng(seed).integers(tasks, size=(DRAWS, tasks))
    return np.stack([interquartile_mean(of_model[rows]) for of_model in indices], axis=1)


def draws_of_examples(
    models: tuple[str, ...], tasks: tuple[str, ...], by_task: Mapping[str, ExampleDraws], seed: int
) -> np.ndarray:
    """Return the mean index of each model on these tasks when seeds and examples are resampled.

    Args:
        models: Which, in which order.
        tasks: Which.
        by_task: Draws of the index on each task; tasks without any are not there.
        seed: Decides which draw of one task goes with which of another.

    Returns:
        Draws x models; a model without draws on one of the tasks has NaN.
    """
    rng = np.random.default_rng(seed)
    missing = np.full(DRAWS, np.nan)
    parts = []
    for task in tasks:
        drawn = by_task.get(task)
        column = {}
        if drawn is not None and len(drawn.values):
            rows = rng.integers(len(drawn.values), size=DRAWS)
            column = dict(zip(drawn.models, drawn.values[rows].T, strict=True))
        parts.append(np.column_stack([column.get(model, missing) for model in models]))
    return interquartile_mean(np.stack(parts, axis=-1))


@lru_cache
def wide_tail(tasks: int) -> float:
    """Return the share of draws to cut off at each end, so that a few tasks still give 95 %.

    A bootstrap of few units is too narrow by the factor sqrt((n - 1) / n), and uses the normal where the t
    distribution is due: its quantiles are moved out by both.

    References:
        What teachers should know about the bootstrap (Hesterberg, 2015), the expanded percentile interval,
        https://doi.org/10.1080/00031305.2015.1089789
    """
    quantile = stats.t.ppf((1 - LEVEL) / 2, tasks - 1) * math.sqrt(tasks / (tasks - 1))
    return float(stats.norm.cdf(quantile))


def task_interval(draws: np.ndarray, tasks: int) -> Interval:
    """Return the 95 % interval of one number over draws of tasks."""
    low, high = np.quantile(draws, [wide_tail(tasks), 1 - wide_tail(tasks)])
    return Interval(float(low), float(high), LEVEL)
