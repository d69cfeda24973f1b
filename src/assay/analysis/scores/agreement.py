"""Agreement of a score with training results on one task: correlations and shortlists."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import special

from assay.analysis.scores.intervals import correlation_interval, resampled_correlations
from assay.findings.agreement import Agreement, Shortlist

CORRELATIONS = ("weighted_tau", "tau_by_truth", "tau_b", "pearson", "spearman")
FEWEST_MODELS = 3  # the order of two models agrees by chance half of the time


def correlations(scores: np.ndarray, truth: np.ndarray) -> dict[str, float | None]:
    """Return all correlations of a score with results, by name; None if either is constant.

    Kendall's weighted tau weighs the first models most: a pair of models weighs 1/(rank of one) + 1/(rank of
    the other), and a pair of equal values counts as neither. The ranks of ``tau_by_truth`` are those by the
    truth alone; ``weighted_tau`` is the mean of that tau and of the tau with ranks by the score.

    Args:
        scores: The score of each model, at least two, finite; higher is better.
        truth: The training result of the same models.

    Note:
        Published numbers mix two conventions, which must not be compared. SFDA, NCTI, PED, ETran and EMMS
        call scipy's ``weightedtau(scores, truth)``, which is ``weighted_tau``. Model Spider calls
        ``weightedtau(truth, scores, rank=None)``, which is ``tau_by_truth``. On the table of Model Spider
        the mean of PACTran is 0.495 by the first and 0.397 by the second.

    References:
        A weighted correlation index for rankings with ties (Vigna, 2015), https://arxiv.org/abs/1404.3325
        ``TencentARC/SFDA`` rank_correlation.py, and ``zhangyikaii/Model-Spider`` utils.py at d2a53e4,
        ``measure_test``.

    >>> by_name = correlations(np.array([0.1, 0.4, 0.2, 0.3]), np.array([70.0, 75.0, 80.0, 90.0]))
    >>> round(by_name["weighted_tau"], 3), round(by_name["tau_by_truth"], 3)
    (0.2, 0.307)
    """
    drawn_once = resampled_correlations(scores, truth, np.ones((1, len(scores))))
    return {name: None if np.isnan(value) else float(value) for name, (value,) in drawn_once.items()}


def agreement(
    score: str,
    task: str,
    estimates: Mapping[str, float],
    values: Mapping[str, float],
    *,
    is_baseline: bool = False,
    draws: Mapping[str, np.ndarray] | None = None,
) -> Agreement | None:
    """Compare one score with the truth on one task; None with fewer than three models.

    Args:
        score: The name of the score.
        task: The address of the task.
        estimates: The score of each model.
        values: The training result of each model.
        is_baseline: The ranking ignores the data of the task.
        draws: Bootstrap draws of the correlations over models, by name.
    """
    models = sorted(estimates.keys() & values.keys())
    if len(models) < FEWEST_MODELS:
        return None
    estimated = np.array([estimates[model] for model in models])
    true = np.array([values[model] for model in models])
    by_name = correlations(estimated, true)
    intervals = {
        name: correlation_interval(value, draws[name])
        for name, value in by_name.items()
        if draws and value is not None
    }
    return Agreement(
        score=score,
        task=task,
        is_baseline=is_baseline,
        models=len(models),
        **by_name,
        intervals={name: interval for name, interval in intervals.items() if interval is not None},
        shortlists=shortlists(estimated, true),
    )


SIZES = (1, 3, 5)


def shortlists(scores: np.ndarray, truth: np.ndarray, sizes: Sequence[int] = SIZES) -> tuple[Shortlist, ...]:
    """Return the regret and hit rate of shortlists; sizes that hold all models are left out.

    Args:
        scores: The score of each model; higher is better. Constant scores mean a random choice.
        truth: The training result of the same models.
        sizes: Numbers of models that are trained.

    >>> lists = shortlists(np.array([3.0, 2.0, 2.0]), np.array([0.7, 0.9, 0.5]), (1, 2))
    >>> [(round(item.regret, 6), item.hit) for item in lists]
    [(0.2, 0.0), (0.1, 0.5)]
    """
    best, reach = float(truth.max()), float(truth.max() - np.median(truth))
    of_sizes = []
    for size in sizes:
        if size >= len(truth) > 1:
            break
        regret = max(0.0, best - _expected_best(scores, truth, size))
        hit = _expected_best(scores, (truth == best).astype(np.float64), size)
        of_sizes.append(Shortlist(size, regret, regret / reach if reach > 0 else None, hit))
    return tuple(of_sizes)


def _expected_best(scores: np.ndarray, truth: np.ndarray, size: int) -> float:
    """Return the expected best truth of the ``size`` models with the best scores, ties drawn at random."""
    edge = np.sort(scores)[-size]
    chosen = truth[scores > edge]
    tied = np.sort(truth[scores == edge])[::-1]
    drawn, count = size - len(chosen), len(tied)
    # the j-th best tied model is the best drawn if it is drawn and no better one is
    worse = np.arange(count)[::-1]
    chances = special.comb(worse, drawn - 1) / special.comb(count, drawn)
    best_chosen = chosen.max(initial=-np.inf)
    return float(chances @ np.maximum(tied, best_chosen))
