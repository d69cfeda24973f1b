"""How well the scores predicted what training gave."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np
from scipy import stats

from assay.core.comparison import Agreement, Cell

FEWEST_MODELS = 3  # two models agree or disagree by a coin's throw


def agreements(cells: Sequence[Cell], scores: Collection[str], truth: str) -> tuple[Agreement, ...]:
    """Compare every score with the values of one protocol, task by task.

    Args:
        cells: Those of pretrained models: to tell random weights from others is no merit of a score.
        scores: The methods that are scores.
        truth: The protocol whose values count as the truth.
    """
    values: dict[tuple[str, str], dict[str, float]] = {}
    for cell in cells:
        if cell.value is not None:
            values.setdefault((cell.task, cell.method), {})[cell.model] = cell.value
    tasks = list(dict.fromkeys(cell.task for cell in cells))
    found = [
        agreement(score, task, values.get((task, score), {}), values.get((task, truth), {}))
        for score in sorted(scores)
        for task in tasks
    ]
    return tuple(one for one in found if one is not None)


def agreement(
    score: str, task: str, estimates: Mapping[str, float], values: Mapping[str, float]
) -> Agreement | None:
    """Compare one score with the truth on one task; None with fewer than three models.

    Args:
        score: The name of the score.
        task: The address of the task.
        estimates: The score of each model.
        values: What training gave for each model.

    References:
        A weighted correlation index for rankings with ties (Vigna, 2015); scipy's ``rank=True``.
    """
    models = sorted(estimates.keys() & values.keys())
    if len(models) < FEWEST_MODELS:
        return None
    estimated = np.array([estimates[model] for model in models])
    true = np.array([values[model] for model in models])
    tau = spearman = None
    if np.ptp(estimated) > 0 and np.ptp(true) > 0:
        tau = float(stats.weightedtau(estimated, true, rank=True).statistic)
        spearman = float(stats.spearmanr(estimated, true).statistic)
    taken = true[estimated == estimated.max()].mean()  # equal scores: what one of them gives on average
    return Agreement(score, task, len(models), tau, spearman, float(true.max() - taken))
