"""Compares all pairs of models at once, with the family-wise error rate controlled at 5 %."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from assay.core.estimate import Interval
from assay.numerics.distributions import normal_quantile

ALPHA = 0.05
MOST_STEPPED = 200  # models: 19,900 pairs x 2,000 draws take half a second
_DRAWS = 2000  # the error of an adjusted p-value of 0.05 is below 0.01 in 95 % of runs
_PAIRS_AT_ONCE = 1000  # x draws: 8 MB
_NO_VARIANCE = 1e-12  # of a difference, relative to the variances of both models: rounding errors
_BEYOND_ZERO = 1e-3  # of a difference: how far an end of its interval is moved beyond 0


@dataclass(frozen=True, slots=True, eq=False)
class Pairwise:
    """The adjusted comparisons of all pairs of models.

    Attributes:
        values: The value of each model; higher is better.
        p_values: Two-sided, adjusted for all pairs; models x models, 1 on the diagonal.
        reach: Half the width of the simultaneous 95 % interval of each difference; models x models; NaN
            without draws.
    """

    values: np.ndarray  # models
    p_values: np.ndarray  # models x models
    reach: np.ndarray  # models x models

    @property
    def better(self) -> np.ndarray:
        """Whether the model of the row is significantly better than that of the column."""
        return np.asarray((self.p_values < ALPHA) & (self.values[:, None] > self.values))

    def ranks(self) -> list[tuple[int, int]]:
        """Return the range of ranks of each model that the comparisons leave open.

        It is 1 + the number of significantly better models, and the number of models minus the number of
        significantly worse ones. In at least 95 % of studies, all ranges together contain the true ranks.
        """
        better = self.better
        lows, highs = 1 + better.sum(axis=0), len(self.values) - better.sum(axis=1)
        return [(int(low), int(high)) for low, high in zip(lows, highs, strict=True)]

    def differences(self, other: int) -> list[Interval | None]:
        """Return the interval of the value of each model minus that of another.

        The intervals of all pairs have simultaneous coverage of 95 %, so the other model may be chosen after
        seeing the values. An interval excludes 0 exactly if the difference is significant: where a step-down
        or exact test disagrees with the simultaneous interval, the endpoint closer to 0 is moved across 0.
        If the tests are right, this loses no coverage. None without draws.

        References:
            Simultaneous confidence regions corresponding to Holm's step-down procedure and other
            closed-testing procedures (Guilbaud, 2008), https://doi.org/10.1002/bimj.200710449
        """
        found, reach = self.values - self.values[other], self.reach[:, other]
        is_real = self.p_values[:, other] < ALPHA
        size, sign = np.abs(found), np.where(found < 0, -1.0, 1.0)
        near = size - reach
        near = np.where(
            is_real, np.maximum(near, _BEYOND_ZERO * size), np.minimum(near, -_BEYOND_ZERO * size)
        )
        ends = np.sort(sign * np.stack([near, size + reach]), axis=0)
        return [Interval(float(low), float(high)) if np.isfinite(low) else None for low, high in ends.T]


def compare_pairs(
    values: np.ndarray,
    p_values: np.ndarray,
    noise: np.ndarray,
    seed: int,
    deviations: np.ndarray | None = None,
) -> Pairwise:
    """Adjust the p-values of all pairs of models for their number.

    This is the step-down min-p method with a normal copula: p-values are adjusted by the distribution of the
    smallest p-value among the pairs that are no more significant, where the errors of the models are
    normal with the covariance of ``noise``. Holm's method holds for any covariance and is never more
    powerful, so that the smaller of both only removes the error of the simulation. Above 200 models, each
    difference is compared with the distribution of the range of all models, whose cost grows with the
    models and not with the pairs; it detects less.

    Args:
        values: The value of each model; higher is better.
        p_values: The unadjusted two-sided p-values, models x models, symmetric.
        noise: Draws of the values of all models, draws x models, for example of a bootstrap. Without draws,
            p-values are adjusted by Holm's method.
        seed: Seed of the simulation.
        deviations: The standard deviation of each difference for its interval, models x models; those of
            ``noise`` if None. Above 200 models they are not used.

    References:
        Resampling-based multiple testing (Westfall and Young, 1993), section 2.6
        Exact and approximate stepdown methods for multiple hypothesis testing (Romano and Wolf, 2005),
        https://doi.org/10.1198/016214504000000539
    """
    models = len(values)
    reach = np.full((models, models), np.nan)
    if models < 2:
        return Pairwise(
            values, np.ones((models, models)), np.zeros((models, models)) if len(noise) else reach
        )
    centred = noise - noise.mean(axis=1, keepdims=True) if len(noise) else noise
    drawn = _normal(centred - centred.mean(axis=0), seed) if len(noise) > 1 else None
    if drawn is not None and models > MOST_STEPPED:
        ranges = np.sort(drawn.max(axis=0) - drawn.min(axis=0))
        full = np.maximum(_by_range(values, ranges), p_values)
        np.fill_diagonal(full, 1.0)
        return Pairwise(values, full, np.full((models, models), np.quantile(ranges, 1 - ALPHA)))
    first, second = np.triu_indices(models, 1)
    full, local = np.ones((models, models)), p_values[first, second]
    if drawn is None:
        adjusted = holm(local)
    else:
        of_noise = _deviations(centred)
        stepped, critical = _step_down(local, drawn, of_noise[first, second])
        adjusted = np.minimum(stepped, holm(local))
        critical = min(critical, float(-normal_quantile(ALPHA / len(first) / 2)))
        reach = critical * (of_noise if deviations is None else deviations)
    full[first, second] = full[second, first] = adjusted
    return Pairwise(values, full, reach)


def holm(p_values: np.ndarray) -> np.ndarray:
    """Return p-values adjusted by Holm's step-down method.

    References:
        A simple sequentially rejective multiple test procedure (Holm, 1979).

    >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    order = np.argsort(p_values, kind="stable")
    scaled = p_values[order] * np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(1.0, np.maximum.accumulate(scaled))
    return adjusted


def difference_variances(noise: np.ndarray) -> np.ndarray:
    """Return the variance of the difference of each pair of models; exactly zero for equal models.

    Args:
        noise: Draws of the values of all models, draws x models.
    """
    centred = noise - noise.mean(axis=1, keepdims=True)  # what all models share cancels in differences
    centred -= centred.mean(axis=0)
    covariance = centred.T @ centred / len(noise)
    both = np.diag(covariance)[:, None] + np.diag(covariance)
    variances = both - 2 * covariance
    return np.asarray(np.where(variances > _NO_VARIANCE * both, variances, 0.0))


def _deviations(noise: np.ndarray) -> np.ndarray:
    return np.asarray(np.sqrt(difference_variances(noise)))


def _normal(centred: np.ndarray, seed: int) -> np.ndarray:
    """Return normal draws with the covariance of the given ones, models x draws."""
    draws, models = centred.shape
    if models > MOST_STEPPED:  # the eigenvectors of so many take longer than the product
        factors = np.asarray(centred.T / np.sqrt(draws), np.float32)
        return np.asarray(factors @ _standard_normal(seed, draws, "float32"), np.float32)
    variances, directions = np.linalg.eigh(centred.T @ centred / draws)
    factor = directions * np.sqrt(np.maximum(variances, 0))
    return np.asarray(factor @ _standard_normal(seed, models, "float64"), np.float32)


@lru_cache(maxsize=1)  # tasks of a study often have equally many models
def _standard_normal(seed: int, rows: int, dtype: Literal["float32", "float64"]) -> np.ndarray:
    drawn = np.random.default_rng(seed).standard_normal((rows, _DRAWS), dtype)
    drawn.setflags(write=False)
    return drawn


def _step_down(p_values: np.ndarray, drawn: np.ndarray, deviations: np.ndarray) -> tuple[np.ndarray, float]:
    """Return the adjusted p-values of pairs, and the critical ratio of all pairs together.

    Args:
        p_values: Of each pair of models, in the order of ``np.triu_indices``.
        drawn: Models x draws.
        deviations: The standard deviation of the difference of each pair.
    """
    first, second = np.triu_indices(len(drawn), 1)
    ratios = -normal_quantile(p_values / 2)
    scale = np.divide(1.0, deviations, out=np.zeros(len(deviations)), where=deviations > 0)
    largest = np.zeros(drawn.shape[1], dtype=np.float32)  # of the pairs that are no more significant
    adjusted = np.empty(len(p_values))
    descending = np.argsort(p_values, kind="stable")[::-1]
    for start in range(0, len(descending), _PAIRS_AT_ONCE):
        pairs = descending[start : start + _PAIRS_AT_ONCE]
        of_pairs = np.abs(drawn[first[pairs]] - drawn[second[pairs]])
        of_pairs *= scale[pairs, None].astype(np.float32)
        of_pairs[0] = np.maximum(of_pairs[0], largest)
        np.maximum.accumulate(of_pairs, axis=0, out=of_pairs)
        largest = of_pairs[-1].copy()
        adjusted[pairs] = (1 + (of_pairs >= ratios[pairs, None]).sum(axis=1)) / (drawn.shape[1] + 1)
    ascending = descending[::-1]
    adjusted[ascending] = np.maximum.accumulate(np.maximum(adjusted, p_values)[ascending])
    return adjusted, float(np.quantile(largest, 1 - ALPHA))


def _by_range(values: np.ndarray, ranges: np.ndarray) -> np.ndarray:
    """Return the share of the sorted ranges of all models that are at least as large as each difference."""
    distinct, places = np.unique(values, return_inverse=True)  # few, as most values are shares of answers
    reached = len(ranges) - np.searchsorted(ranges, np.abs(distinct[:, None] - distinct))
    return np.asarray(((1 + reached) / (len(ranges) + 1))[places[:, None], places])
