"""How well models do across tasks: the task is the unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import stats

from assay.analysis.intervals import DRAWS, LEVEL
from assay.core.comparison import Generality, TaskFindings
from assay.core.estimate import Interval

FEWEST_TASKS_FOR_INTERVAL = 3
LOWEST_INDEX = -1.0  # as far below the floor as the best is above: one ruined task weighs no more than that


def generality(findings: Sequence[TaskFindings], seed: int) -> tuple[Generality, ...]:
    """Compare the models of each modality over the tasks that all of them have a value on, best first."""
    found: list[Generality] = []
    for modality in sorted({finding.task.modality for finding in findings}):
        same = [finding for finding in findings if finding.task.modality == modality]
        found += _of_modality(same, seed)
    return tuple(found)


def interquartile_mean(indices: np.ndarray) -> np.ndarray:
    """Return the mean over the last axis without its lowest and highest quarter."""
    size = indices.shape[-1]
    cut = size // 4
    return np.asarray(np.sort(indices, axis=-1)[..., cut : size - cut].mean(axis=-1))


def complete_block(values: Mapping[str, Mapping[str, float]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return tasks and models such that every model has a value on every task, and the block is large.

    From each task in turn the block grows by the task that keeps most models; the largest block on the way
    is taken. (The largest of all is a hard problem; with few holes this finds it.)

    Args:
        values: For each task, the value of each model.

    >>> complete_block({"a": {"x": 1, "y": 1}, "b": {"x": 1, "y": 1}, "c": {"x": 1}})
    (('a', 'b'), ('x', 'y'))
    """
    best: tuple[tuple[str, ...], tuple[str, ...]] = ((), ())
    for first in sorted(values):
        chosen, models = [first], set(values[first])
        while left := sorted(set(values) - set(chosen)):
            added = max(left, key=lambda task: len(models & set(values[task])))
            chosen, models = [*chosen, added], models & set(values[added])
            if len(models) > 1 and len(chosen) * len(models) > len(best[0]) * len(best[1]):
                best = (tuple(sorted(chosen)), tuple(sorted(models)))
    return best


def _of_modality(findings: Sequence[TaskFindings], seed: int) -> list[Generality]:
    standings = {
        finding.task.address: {standing.model: standing for standing in finding.standings}
        for finding in findings
    }
    tasks, models = complete_block(
        {task: {model: one.value for model, one in of_task.items()} for task, of_task in standings.items()}
    )
    if not tasks:
        return []
    block = [[standings[task][model] for task in tasks] for model in models]
    values = np.array([[one.value for one in row] for row in block])
    indices = np.array([[np.nan if one.index is None else one.index for one in row] for row in block])
    ranks = stats.rankdata(-values, axis=0)
    wins = (ranks.shape[0] - ranks) / (len(models) - 1)  # of the other models; half for each equal one
    known = np.isfinite(indices).all(axis=0)  # no index where nothing beats guessing, and for estimates
    means, intervals = _means(indices[:, known], seed)
    found = []
    for row, model in enumerate(models):
        worst = int(np.argmin(indices[row])) if known.all() else int(np.argmax(ranks[row]))
        found.append(
            Generality(
                model=model,
                modality=findings[0].task.modality,
                tasks=tasks,
                index=means[row],
                interval=intervals[row],
                average_rank=float(ranks[row].mean()),
                win_rate=float(wins[row].mean()),
                worst_task=tasks[worst],
                worst_index=float(indices[row, worst]) if known.all() else None,
            )
        )
    return sorted(found, key=lambda one: (-(one.index or 0.0), one.average_rank, one.model))


def _means(indices: np.ndarray, seed: int) -> tuple[list[float | None], list[Interval | None]]:
    """Return each model's mean over tasks and its interval; models x tasks in."""
    models, tasks = indices.shape
    if not tasks:
        return [None] * models, [None] * models
    bounded = np.maximum(indices, LOWEST_INDEX)
    means: list[float | None] = [float(mean) for mean in interquartile_mean(bounded)]
    if tasks < FEWEST_TASKS_FOR_INTERVAL:
        return means, [None] * models
    rows = np.random.default_rng(seed).integers(tasks, size=(DRAWS, tasks))
    drawn = interquartile_mean(bounded[:, rows])  # models x draws
    lows, highs = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=1)
    return means, [Interval(float(low), float(high), LEVEL) for low, high in zip(lows, highs, strict=True)]
