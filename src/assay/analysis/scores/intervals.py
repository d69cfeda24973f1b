"""Bootstrap intervals of correlations between scores and results, models resampled."""

from __future__ import annotations

import numpy as np

from assay.analysis.per_task.intervals import interval
from assay.core.estimate import Interval

DRAWS = 1000
FEWEST_MODELS = 8  # with six, intervals of strong correlations have a coverage of 80 % only


def draw_models(models: int, seed: int) -> np.ndarray:
    """Return the counts of each model in each draw: draws x models."""
    rows = np.random.default_rng(seed).integers(models, size=(DRAWS, models))
    shifted = rows + np.arange(DRAWS)[:, None] * models
    return np.bincount(shifted.ravel(), minlength=DRAWS * models).reshape(DRAWS, models).astype(np.float64)


def resampled_correlations(
    scores: np.ndarray, truth: np.ndarray, counts: np.ndarray
) -> dict[str, np.ndarray]:
    """Return all correlations in each draw of models; NaN where either side is constant.

    No resampled list is built: the comparison of two models does not depend on the others, so a draw only
    weighs pairs, and each correlation is a matrix product. Copies of a model are equal models.

    Args:
        scores: The score of each model.
        truth: The training result of each model.
        counts: Counts of each model in each draw, draws x models.
    """
    of_scores, of_truth = (np.sign(side[:, None] - side[None, :]) for side in (scores, truth))
    both = of_scores * of_truth
    taus = [
        _tau(of_scores, of_truth, both, counts, _harmonic(first, second, counts))
        for first, second in ((scores, truth), (truth, scores))
    ]
    tau_b = _tau(of_scores, of_truth, both, counts, counts)
    ranks = [counts @ (signs < 0) + 0.5 * (counts @ (signs == 0)) for signs in (of_scores, of_truth)]
    correlations = {
        "weighted_tau": (taus[0] + taus[1]) / 2,
        "tau_by_truth": taus[1],
        "tau_b": tau_b,
        "pearson": _pearson(scores[None], truth[None], counts),
        "spearman": _pearson(ranks[0], ranks[1], counts),
    }
    return {name: np.where(np.isnan(tau_b), np.nan, values) for name, values in correlations.items()}


def correlation_interval(value: float, drawn: np.ndarray) -> Interval | None:
    """Return the 95 % interval of a correlation over draws; None for a perfect one, without spread."""
    drawn = drawn[np.isfinite(drawn)]
    if abs(value) > 1 - 1e-9 or len(drawn) < DRAWS / 2:
        return None
    return interval(drawn)


def _harmonic(first: np.ndarray, second: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the summed weight (1/rank) of all copies of each model, ranked by ``first``, then ``second``."""
    order = np.lexsort((-second, -first))
    ends = np.cumsum(counts[:, order], axis=1).astype(np.int64)
    sums = np.append(0.0, np.cumsum(1.0 / np.arange(1, int(ends.max(initial=0)) + 1)))
    weights = np.empty_like(counts)
    weights[:, order] = sums[ends] - sums[ends - counts[:, order].astype(np.int64)]
    return weights


def _tau(
    first: np.ndarray, second: np.ndarray, both: np.ndarray, counts: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Return the weighted tau, where the weight of a pair is the sum of the weights of its copies."""
    agreed = (weights @ both * counts).sum(axis=1)
    parts = [(weights @ np.abs(signs) * counts).sum(axis=1) for signs in (first, second)]
    return _ratio(agreed, np.sqrt(parts[0] * parts[1]))


def _pearson(first: np.ndarray, second: np.ndarray, counts: np.ndarray) -> np.ndarray:
    size = counts.sum(axis=1, keepdims=True)
    left, right = (side - (counts * side).sum(axis=1, keepdims=True) / size for side in (first, second))
    spread = (counts * left**2).sum(axis=1) * (counts * right**2).sum(axis=1)
    return _ratio((counts * left * right).sum(axis=1), np.sqrt(spread))


def _ratio(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(upper, lower, out=np.full(len(upper), np.nan), where=lower > 0))
