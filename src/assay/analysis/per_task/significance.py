"""Paired significance tests between models, the noise of seeds, and the required test size."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from scipy import stats

from assay.analysis.per_task.intervals import CHUNK, Draws, Measured, example_values, is_mean
from assay.core.metric import Metric
from assay.findings.per_task import Cell

ALPHA = 0.05
POWER = 0.8
FLIPS = 9999  # the smallest p-value is 1e-4: it survives a correction for 500 models


def p_values_against(best: int, measured: Measured, metric: Metric, draws: Draws, seed: int) -> np.ndarray:
    """Return the Holm-corrected two-sided p-value of each model against the best; 1 for the best.

    A metric that is a mean over examples is tested by swapping the predictions of both models example by
    example (for accuracy and one seed this is McNemar's exact test). Other metrics, and the variance over
    seeds, are tested by Student's t with the standard error of the paired bootstrap; the larger p-value
    is returned.

    Args:
        best: The position of the best model.
        measured: The predictions of all models.
        metric: The main metric of the task.
        draws: The bootstrap of the same models.
        seed: Seed of the swaps.

    References:
        A simple sequentially rejective multiple test procedure (Holm, 1979).
    """
    others = [model for model in range(len(measured.predicted)) if model != best]
    p_values = np.ones(len(measured.predicted))
    if not others:
        return p_values
    raw = np.zeros(len(others))
    exact = is_mean(metric, measured.truth)
    if exact:
        means = [
            example_values(metric, measured.truth, predicted).mean(axis=0) for predicted in measured.predicted
        ]
        raw = swap_test(np.stack([means[best] - means[other] for other in others]), seed)
    if not exact or any(len(predicted) > 1 for predicted in measured.predicted):
        raw = np.maximum(raw, [_t_test(best, other, measured, metric, draws) for other in others])
    p_values[others] = holm(raw)
    return p_values


def swap_test(differences: np.ndarray, seed: int) -> np.ndarray:
    """Return the p-value of each row of differences: the share of random signs that reach the mean.

    It is exact if all nonzero differences have one size, else it is computed from random signs, which include
    the observed ones once.

    Args:
        differences: Models x examples; not changed.
        seed: Seed of the signs.
    """
    p_values = np.ones(len(differences))
    drawn = []
    for row, difference in enumerate(differences):
        sizes = np.abs(difference[difference != 0])
        if not len(sizes):
            continue
        if np.allclose(sizes, sizes[0], rtol=1e-9):
            p_values[row] = _exact(int((difference > 0).sum()), len(sizes))
        else:
            drawn.append(row)
    if drawn:
        p_values[drawn] = _random_signs(differences[drawn], seed)
    return p_values


def holm(p_values: np.ndarray) -> np.ndarray:
    """Return p-values corrected by Holm's step-down method.

    >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    scaled = p_values[order] * np.arange(len(p_values), 0, -1)
    corrected = np.empty(len(p_values))
    corrected[order] = np.minimum(1.0, np.maximum.accumulate(scaled))
    return corrected


def examples_to_separate(difference: float, differences: np.ndarray, examples: int, tests: int) -> int | None:
    """Return the number of test examples that would separate two models with 80 % power.

    Args:
        difference: Value of the better model minus that of the other.
        differences: The difference in each bootstrap draw; the variance of one example follows from it.
        examples: Current number of test examples.
        tests: Number of models that are tested against the best, for the correction.
    """
    variance = float(np.var(differences)) * examples
    if difference <= 0 or variance <= 0:
        return None
    reach = float(stats.norm.isf(ALPHA / tests / 2) + stats.norm.ppf(POWER))
    return max(examples + 1, math.ceil(reach**2 * variance / difference**2))


def _exact(wins: int, swaps: int) -> float:
    """Return the two-sided binomial p-value of ``wins`` among ``swaps``."""
    return float(min(1.0, 2 * stats.binom.cdf(min(wins, swaps - wins), swaps, 0.5)))


def _random_signs(differences: np.ndarray, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    observed = np.abs(differences.sum(axis=1)) * (1 - 1e-9)  # tolerance: equal sums differ by rounding
    reached = np.zeros(len(differences))
    step = max(1, CHUNK // differences.shape[1])
    for start in range(0, FLIPS, step):
        signs = rng.integers(2, size=(min(step, FLIPS - start), differences.shape[1])) * 2.0 - 1.0
        reached += (np.abs(signs @ differences.T) >= observed).sum(axis=0)
    return np.asarray((reached + 1) / (FLIPS + 1))


def _t_test(best: int, other: int, measured: Measured, metric: Metric, draws: Draws) -> float:
    """Return Student's p-value with the sum of the variances over examples and over seeds (Welch)."""
    truth = measured.truth
    values = [
        np.array([metric(truth, predicted) for predicted in measured.predicted[model]])
        for model in (best, other)
    ]
    difference = values[0].mean() - values[1].mean()
    variances = [float(np.var(draws.fixed_seeds[:, best] - draws.fixed_seeds[:, other]))]
    freedoms = [max(1, truth.examples - 1)]
    for of_seeds in values:
        if len(of_seeds) > 1:
            variances.append(float(np.var(of_seeds, ddof=1)) / len(of_seeds))
            freedoms.append(len(of_seeds) - 1)
    variance = sum(variances)
    if variance <= 0 or not math.isfinite(variance):
        return 1.0  # equal predictions, or the metric is undefined on all draws
    freedom = variance**2 / sum(part**2 / free for part, free in zip(variances, freedoms, strict=True))
    return float(2 * stats.t.sf(abs(difference) / math.sqrt(variance), freedom))


def seed_noise(cells: Sequence[Cell]) -> float | None:
    """Return the difference that two runs of one model exceed in 5 of 100 cases; None without several seeds.

    The variance over seeds is pooled over models, as each has few seeds; a run is the mean of as many seeds
    as the model with the fewest has. Student's t accounts for the small number.

    Args:
        cells: One cell for each model of a task.
    """
    spread = [(cell.seeds - 1, cell.spread) for cell in cells if cell.spread is not None]
    freedom = sum(free for free, _ in spread)
    if not freedom:
        return None
    variance = sum(free * of_model**2 for free, of_model in spread) / freedom
    seeds = min(free for free, _ in spread) + 1
    return float(stats.t.ppf(1 - ALPHA / 2, freedom)) * math.sqrt(2 * variance / seeds)
