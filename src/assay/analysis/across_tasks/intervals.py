"""Bootstrap draws of the mean index: over tasks, or over the examples of the same tasks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

import numpy as np

from assay.analysis.per_task.intervals import DRAWS, LEVEL, ExampleDraws
from assay.core.estimate import Interval
from assay.numerics.distributions import normal_tail, student_quantile

FEWEST_TASKS = 5  # below five, coverage is 90 % at best; with three tasks 73 %
# as far below chance level as the best model is above: limits the weight of one failed task
LOWEST_INDEX = -1.0


def interquartile_mean(indices: np.ndarray) -> np.ndarray:
    """Return the mean over the last axis without the lowest and highest quarter.

    An index below -1 counts as -1, which limits the weight of one failed task.

    References:
        Deep reinforcement learning at the edge of the statistical precipice (Agarwal et al., 2021),
        https://arxiv.org/abs/2108.13264
    """
    size = indices.shape[-1]
    cut = size // 4
    bounded = np.maximum(indices, LOWEST_INDEX)
    return np.asarray(np.sort(bounded, axis=-1)[..., cut : size - cut].mean(axis=-1))


def draws_of_tasks(indices: np.ndarray, seed: int) -> np.ndarray:
    """Resample tasks, the same for all models, and return the mean index: draws x models.

    Seeds and examples are not resampled: the values contain their noise already, and adding it again would
    count it twice.

    Args:
        indices: Models x tasks.
        seed: Seed of the draws.

    References:
        Bootstrap methods and their application (Davison and Hinkley, 1997), section 3.8
    """
    tasks = indices.shape[1]
    rows = np.random.default_rng(seed).integers(tasks, size=(DRAWS, tasks))
    return np.stack([interquartile_mean(of_model[rows]) for of_model in indices], axis=1)


def draws_of_examples(
    models: tuple[str, ...], tasks: tuple[str, ...], by_task: Mapping[str, ExampleDraws], seed: int
) -> np.ndarray:
    """Resample seeds and examples and return the mean index of each model on these tasks.

    Args:
        models: Addresses of the models, in order.
        tasks: Addresses of the tasks.
        by_task: Draws of the index on each task that has any.
        seed: Seed of the pairing of draws between tasks.

    Returns:
        Draws x models; NaN for a model without draws on one of the tasks.
    """
    rng = np.random.default_rng(seed)
    chosen = [
        (drawn, rng.integers(len(drawn.values), size=DRAWS))
        for task in tasks
        if (drawn := by_task.get(task)) is not None and len(drawn.values)
    ]
    columns = [{model: column for column, model in enumerate(drawn.models)} for drawn, _ in chosen]
    means = np.full((DRAWS, len(models)), np.nan)
    for position, model in enumerate(models):  # one by one: all of a thousand models take 320 MB
        if len(chosen) == len(tasks) and all(model in of_models for of_models in columns):
            parts = [
                drawn.values[rows, of_models[model]]
                for (drawn, rows), of_models in zip(chosen, columns, strict=True)
            ]
            means[:, position] = interquartile_mean(np.stack(parts, axis=-1))
    return means


@lru_cache
def wide_tail(tasks: int) -> float:
    """Return the tail probability at each end that gives 95 % coverage with few tasks.

    A bootstrap of few units is too narrow by the factor sqrt((n - 1) / n), and it uses the normal instead of
    the t distribution: the quantiles are widened for both.

    References:
        What teachers should know about the bootstrap (Hesterberg, 2015), the expanded percentile interval,
        https://doi.org/10.1080/00031305.2015.1089789
    """
    quantile = student_quantile((1 - LEVEL) / 2, tasks - 1) * math.sqrt(tasks / (tasks - 1))
    return float(normal_tail(-quantile))


def task_interval(draws: np.ndarray, tasks: int) -> Interval:
    """Return the 95 % interval of one model's mean index over draws of tasks."""
    low, high = np.quantile(draws, [wide_tail(tasks), 1 - wide_tail(tasks)])
    return Interval(float(low), float(high), LEVEL)
