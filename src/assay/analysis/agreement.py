"""How well the scores predicted what training gave."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from enum import StrEnum

import numpy as np
from scipy import stats

from assay.core.comparison import Agreement, Cell

FEWEST_MODELS = 3  # two models agree or disagree by a coin's throw


class RankedBy(StrEnum):
    """By whose order a weighted tau says which models weigh most.

    Attributes:
        BOTH: The mean of the tau that ranks by the scores and the tau that ranks by the truth.
        TRUTH: The truth alone; among models of equal truth, the one with the higher score goes first.
    """

    BOTH = "both"
    TRUTH = "truth"


def weighted_tau(
    scores: np.ndarray, truth: np.ndarray, *, ranked_by: RankedBy = RankedBy.BOTH
) -> float | None:
    """Return Kendall's tau that weighs the first models most; None where one side is constant.

    A pair of models weighs 1/(rank of one) + 1/(rank of the other). The same order gives 1, the reverse -1; a
    pair of equal values counts as neither.

    Args:
        scores: The score of each model, at least two, finite; higher is better.
        truth: What training gave for the same models.
        ranked_by: Whose order the ranks of the weights are.

    Note:
        Published numbers mix two conventions; compare only numbers of one. SFDA, NCTI, PED, ETran and EMMS
        call scipy's ``weightedtau(scores, truth)``, which is ``BOTH``. Model Spider calls
        ``weightedtau(truth, scores, rank=None)``, which is ``TRUTH``. On the table of Model Spider the mean
        of PACTran is 0.495 by the first and 0.397 by the second. Scipy gives NaN where one side is constant.

    References:
        A weighted correlation index for rankings with ties (Vigna, 2015), https://arxiv.org/abs/1404.3325
        ``TencentARC/SFDA`` rank_correlation.py, and ``zhangyikaii/Model-Spider`` utils.py at d2a53e4,
        ``measure_test``.

    >>> scores, truth = np.array([0.1, 0.4, 0.2, 0.3]), np.array([70.0, 75.0, 80.0, 90.0])
    >>> round(weighted_tau(scores, truth), 3), round(weighted_tau(scores, truth, ranked_by=RankedBy.TRUTH), 3)
    (0.2, 0.307)
    """
    if np.ptp(scores) == 0 or np.ptp(truth) == 0:
        return None
    if RankedBy(ranked_by) is RankedBy.TRUTH:
        return float(stats.weightedtau(truth, scores, rank=None).statistic)
    return float(stats.weightedtau(scores, truth, rank=True).statistic)


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
    """
    models = sorted(estimates.keys() & values.keys())
    if len(models) < FEWEST_MODELS:
        return None
    estimated = np.array([estimates[model] for model in models])
    true = np.array([values[model] for model in models])
    tau = weighted_tau(estimated, true)
    spearman = None if tau is None else float(stats.spearmanr(estimated, true).statistic)
    taken = true[estimated == estimated.max()].mean()  # equal scores: what one of them gives on average
    return Agreement(score, task, len(models), tau, spearman, float(true.max() - taken))
