"""Paired tests between all pairs of models of a task, the noise of seeds, and the required test size."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from assay.analysis.pairwise import ALPHA, MOST_STEPPED, difference_variances
from assay.analysis.per_task.intervals import CHUNK, LEVEL, Draws, Measured, example_values, is_mean
from assay.core.metric import Metric
from assay.core.task import LabelKind
from assay.findings.per_task import MOST_EXAMPLES, Cell, NeededExamples
from assay.numerics.distributions import (
    fair_coin_share,
    normal_quantile,
    normal_tail,
    student_quantile,
    student_tail,
)

POWER = 0.8
FLIPS = 9999
_FEW_FLIPS = 10  # with fewer that reach the observed sum, the bound of the tail is used where it is smaller
UNDERSTATED = 1.1  # the bootstrap variance of other metrics than means
_HEAVY_TAILS = 12.5  # the same of numbers, times 1 / n: else 11 % of 100 equal RMSEs differ at n = 50
_TELLING = 0.2  # larger p-values of discrete tests are far above those of the normal approximation
_TAIL_BOUND = 1 / (4 * normal_tail(math.sqrt(2)))  # 3.18: of random signs, relative to the normal tail


def pair_p_values(measured: Measured, metric: Metric, draws: Draws, seed: int) -> np.ndarray:
    """Return the two-sided p-value of each pair of models, not adjusted for multiplicity.

    A metric that is a mean over examples is tested by swapping the predictions of both models example by
    example (for accuracy and one seed this is McNemar's exact test). Other metrics, and the variance over
    seeds, are tested by Student's t with the standard error of the paired bootstrap; where both apply, the
    larger p-value is returned.

    Args:
        measured: The predictions of all models.
        metric: The main metric of the task.
        draws: The bootstrap of the same models.
        seed: Seed of the swaps.

    Returns:
        Models x models, symmetric, 1 on the diagonal.
    """
    models = len(measured.predicted)
    exact = is_mean(metric, measured.truth)
    several_seeds = any(len(predicted) > 1 for predicted in measured.predicted)
    if exact and (not several_seeds or models <= MOST_STEPPED):
        p_values = swap_tests(_of_contents(measured, metric), seed)
        if not several_seeds:
            return p_values
        return np.asarray(np.fmax(p_values, _t_tests(measured, metric, draws)))
    # without variance predictions are equal, or the metric is undefined on all draws
    p_values = np.asarray(np.nan_to_num(_t_tests(measured, metric, draws), nan=1.0))
    if several_seeds or models > MOST_STEPPED or metric.judges_probs:
        return p_values
    least = np.minimum(1.0, 2.0 ** (1 - _discordant(measured)))  # of any test that swaps predictions
    return np.asarray(np.maximum(p_values, least))


def _of_contents(measured: Measured, metric: Metric) -> np.ndarray:
    """Return the value of each distinct content, models x contents: the sum over its examples."""
    truth = measured.truth
    ends = np.cumsum([len(predicted) for predicted in measured.predicted])[:-1]
    of_seeds = np.split(example_values(metric, truth, np.concatenate(measured.predicted)), ends)
    values = np.stack([of_model.mean(axis=0) for of_model in of_seeds])
    if measured.groups is None:
        return values
    return np.stack([np.bincount(measured.groups, weights=of_model) for of_model in values])


def swap_tests(values: np.ndarray, seed: int) -> np.ndarray:
    """Return the p-value of each pair of models: the share of random signs that reach the difference.

    It is exact if all nonzero differences of a pair have one size, else it is computed from random signs,
    which include the observed ones once. Where hardly any random signs reach the difference, a bound of
    their tail is returned if it is smaller.

    Args:
        values: Models x examples.
        seed: Seed of the signs.

    References:
        A tight Gaussian bound for weighted sums of Rademacher random variables (Bentkus and Dzindzalieta,
        2015), https://doi.org/10.3150/14-BEJ603
    """
    if set(np.unique(values)) <= {0.0, 1.0}:
        return _mcnemar(values)
    models, examples = values.shape
    p_values = np.ones((models, models))
    signs = np.random.default_rng(seed).integers(2, size=(FLIPS, examples), dtype=np.int8) * 2 - 1
    step = max(1, CHUNK // examples)
    flipped = np.concatenate([signs[at : at + step] @ values.T for at in range(0, FLIPS, step)]).T
    for first in range(models - 1):
        differences = values[first] - values[first + 1 :]
        sizes = np.abs(differences)
        largest, counts = sizes.max(axis=1, keepdims=True), (sizes > 0).sum(axis=1)
        one_size = ((sizes == 0) | np.isclose(sizes, largest, rtol=1e-9, atol=0)).all(axis=1)
        wins = (differences > 0).sum(axis=1)
        reached = np.abs(differences.sum(axis=1)) * (1 - 1e-9)  # equal sums differ by rounding errors
        sums = np.abs(flipped[first] - flipped[first + 1 :])
        times = (sums >= reached[:, None]).sum(axis=1)
        lengths = np.sqrt(np.square(differences).sum(axis=1))
        ratios = np.divide(reached, lengths, out=np.zeros(len(lengths)), where=lengths > 0)
        bounds = np.where(times < _FEW_FLIPS, 2 * _TAIL_BOUND * normal_tail(ratios), 1.0)
        drawn = np.minimum((1 + times) / (FLIPS + 1), bounds)
        p_values[first, first + 1 :] = np.where(one_size, _exact(wins, counts), drawn)
    return np.minimum(p_values, p_values.T)


def _mcnemar(values: np.ndarray) -> np.ndarray:
    """Return McNemar's exact p-value of each pair of models whose examples are right (1) or wrong (0)."""
    both = values @ values.T
    wins = np.rint(np.diag(both)[:, None] - both).astype(int)
    return _exact(wins, wins + wins.T)


def _exact(wins: np.ndarray, swaps: np.ndarray) -> np.ndarray:
    """Return the two-sided binomial p-value of ``wins`` among ``swaps``; 1 without any."""
    fewer = np.minimum(wins, swaps - wins)
    size = int(swaps.max(initial=0)) + 1
    distinct, places = _distinct_of(swaps * size + fewer, size**2)  # few, even of many pairs
    p_values = np.minimum(1.0, 2 * fair_coin_share(distinct % size, distinct // size))
    return np.asarray(p_values[places])


def _distinct_of(numbers: np.ndarray, end: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct ones of numbers from 0 to below ``end``, and the place of each among these."""
    if end > numbers.size:
        distinct, places = np.unique(numbers, return_inverse=True)
        return distinct, places.reshape(numbers.shape)
    is_there = np.zeros(end, dtype=bool)  # a table instead of sorting
    is_there[numbers] = True
    return np.flatnonzero(is_there), (np.cumsum(is_there) - 1)[numbers]


class _Welch(NamedTuple):
    """Student's statistics of each pair of models, models x models."""

    sizes: np.ndarray  # of the differences
    variances: np.ndarray
    freedom: np.ndarray
    has_variance: np.ndarray

    @property
    def p_values(self) -> np.ndarray:
        """Two-sided; NaN where there is no variance; 1 on the diagonal."""
        ratios = np.divide(
            self.sizes, np.sqrt(self.variances), out=np.zeros_like(self.sizes), where=self.has_variance
        )
        p_values = np.where(self.has_variance, 2 * student_tail(ratios, self.freedom), np.nan)
        np.fill_diagonal(p_values, 1.0)
        return np.asarray(p_values)


def _t_tests(measured: Measured, metric: Metric, draws: Draws) -> np.ndarray:
    """Return Student's p-values; NaN where the metric is undefined on all draws, too."""
    models = len(measured.predicted)
    if len(draws.fixed_seeds) < 2:
        return np.full((models, models), np.nan)
    return _welch(measured, metric, draws).p_values


def _welch(measured: Measured, metric: Metric, draws: Draws) -> _Welch:
    """Return the differences with the sum of their variances over examples and over seeds."""
    of_seeds = [
        np.array([metric(measured.truth, predicted) for predicted in seeds]) for seeds in measured.predicted
    ]
    means = np.array([values.mean() for values in of_seeds])
    noise = np.array(
        [np.var(values, ddof=1) / len(values) if len(values) > 1 else 0.0 for values in of_seeds]
    )
    freedoms = np.array([max(1, len(values) - 1) for values in of_seeds])
    contents = max(2, measured.contents)
    of_examples = difference_variances(draws.fixed_seeds) * contents / (contents - 1)  # unbiased
    if not is_mean(metric, measured.truth):
        is_number = measured.truth.kind is LabelKind.REGRESSION
        of_examples *= UNDERSTATED + is_number * _HEAVY_TAILS / contents
    variances = of_examples + noise[:, None] + noise
    parts = noise**2 / freedoms
    total = of_examples**2 / (contents - 1) + parts[:, None] + parts
    has_variance = (variances > 0) & np.isfinite(variances)
    np.fill_diagonal(has_variance, False)
    freedom = np.divide(variances**2, total, out=np.ones_like(total), where=has_variance & (total > 0))
    return _Welch(np.abs(means[:, None] - means), variances, freedom, has_variance)


def pair_deviations(
    measured: Measured, metric: Metric, draws: Draws, p_values: np.ndarray, answer_cost: float = 0.0
) -> np.ndarray:
    """Return a standard deviation of each difference whose normal interval agrees with the test.

    It has the variance over examples and seeds, is larger where Student's t has larger quantiles than the
    normal distribution, and where the test of a pair says that a difference is less sure. Half a gain and
    half a loss of one answer are added (Agresti and Min, 2005): equal answers to few examples prove little.

    Args:
        measured: The predictions of all models.
        metric: The main metric of the task.
        draws: The bootstrap of the same models.
        p_values: The unadjusted p-values: see :func:`pair_p_values`.
        answer_cost: What one wrong answer costs: see ``one_answer``.

    Returns:
        Models x models; NaN without draws.
    """
    models = len(measured.predicted)
    if len(draws.fixed_seeds) < 2:
        return np.full((models, models), np.nan)
    found = _welch(measured, metric, draws)
    freedom = np.where(found.has_variance, found.freedom, max(1, measured.contents - 1))
    longer = student_quantile(ALPHA / 2, freedom) / normal_quantile(ALPHA / 2)
    variances = np.where(found.has_variance, found.variances, 0.0) + answer_cost**2 * (1 - np.eye(models))
    deviations = np.sqrt(variances) * longer
    implied = found.sizes / -np.minimum(normal_quantile(p_values / 2), normal_quantile(_TELLING / 2))
    return np.asarray(np.where(p_values < _TELLING, np.maximum(deviations, implied), deviations))


def _discordant(measured: Measured) -> np.ndarray:
    """Return the number of distinct contents on which the predictions of each pair of models differ."""
    stacked = np.stack([predicted[0] for predicted in measured.predicted])
    lengths, groups = measured.truth.lengths, measured.groups
    counts = np.zeros((len(stacked), len(stacked)))
    for first in range(len(stacked) - 1):
        differ = stacked[first] != stacked[first + 1 :]
        differ = differ.reshape(*differ.shape[:2], -1).any(axis=2)
        if lengths is not None:
            differ = np.add.reduceat(differ, np.cumsum(lengths) - lengths, axis=1) > 0
        if groups is not None:
            differ = np.stack([np.bincount(groups, weights=row) > 0 for row in differ])
        counts[first, first + 1 :] = differ.sum(axis=1)
    return counts + counts.T


def examples_to_separate(
    difference: float, differences: np.ndarray, examples: int, critical: float
) -> NeededExamples | None:
    """Return the number of test examples that would separate two models with 80 % power, as an interval.

    Args:
        difference: Value of the better model minus that of the other.
        differences: The difference in each bootstrap draw; the variance of one example follows from it.
        examples: Current number of test examples.
        critical: The ratio of difference and standard error that is significant.

    Returns:
        None if both predict the same, or if even the lower end is above 100,000.
    """
    deviation = float(np.std(differences)) if len(differences) else 0.0
    if difference <= 0 or deviation <= 0 or examples < 2:
        return None
    rng = np.random.default_rng(0)
    size = 4000
    gaps = np.maximum(rng.normal(difference, deviation, size), 0)
    variances = deviation**2 * (examples - 1) / rng.chisquare(examples - 1, size)
    reach = critical + float(normal_quantile(POWER))
    needed = np.divide(reach**2 * variances * examples, gaps**2, out=np.full(size, np.inf), where=gaps > 0)
    low = float(np.quantile(needed, (1 - LEVEL) / 2, method="lower"))
    high = float(np.quantile(needed, (1 + LEVEL) / 2, method="higher"))
    if low > MOST_EXAMPLES:
        return None
    fewest = max(examples + 1, math.ceil(low))
    return NeededExamples(fewest, max(fewest, math.ceil(high)) if high <= MOST_EXAMPLES else None)


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
    return float(student_quantile(1 - ALPHA / 2, freedom)) * math.sqrt(2 * variance / seeds)
