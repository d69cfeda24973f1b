"""Bootstrap intervals of correlations between scores and results, models resampled."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from assay.analysis.per_task.intervals import interval
from assay.core.estimate import Interval

DRAWS = 1000
DRAWS_OF_MANY = 200  # they move the ends of an interval by a tenth of its width; of many models it is narrow
MANY_MODELS = 200
FEWEST_MODELS = 8  # with six, intervals of strong correlations have a coverage of 80 % only


def draw_models(models: int, seed: int) -> np.ndarray:
    """Return the counts of each model in each draw: draws x models."""
    draws = DRAWS if models <= MANY_MODELS else DRAWS_OF_MANY
    rows = np.random.default_rng(seed).integers(models, size=(draws, models))
    shifted = rows + np.arange(draws)[:, None] * models
    return np.bincount(shifted.ravel(), minlength=draws * models).reshape(draws, models).astype(np.float64)


def resampled_correlations(
    scores: np.ndarray, truth: np.ndarray, counts: np.ndarray
) -> dict[str, np.ndarray]:
    """Return all correlations in each draw of models; NaN where either side is constant.

    No resampled list is built: the comparison of two models does not depend on the others, so a draw only
    weighs pairs, and each tau is a matrix product. Copies of a model are equal models. Draws of more than
    200 models are multiplied in single precision.

    Args:
        scores: The score of each model.
        truth: The training result of each model.
        counts: Counts of each model in each draw, draws x models.
    """
    counts = np.ascontiguousarray(counts.T)  # models x draws: numpy sums long rows faster than short ones
    kind = np.float32 if len(scores) > MANY_MODELS and counts.shape[1] > 1 else np.float64
    ties = [_Ties.of(side) for side in (scores, truth)]
    signs = [np.sign(np.subtract.outer(of, of)) for of in (side.group_of.astype(kind) for side in ties)]
    weights = [_harmonic(scores, truth, counts), _harmonic(truth, scores, counts), counts]
    agreed = (signs[0] * signs[1]) @ np.concatenate(weights, axis=1).astype(kind)  # models x weights, draws
    copies = [side.summed(counts) for side in ties]
    unequal = [
        [side.unequal(of_models, groups) for side, groups in zip(ties, copies, strict=True)]
        for of_models in weights
    ]
    taus = [
        _ratio((of_pairs * counts).sum(axis=0), np.sqrt(first * second))
        for of_pairs, (first, second) in zip(np.split(agreed, len(weights), axis=1), unequal, strict=True)
    ]
    correlations = {
        "weighted_tau": (taus[0] + taus[1]) / 2,
        "tau_by_truth": taus[1],
        "tau_b": taus[2],
        "pearson": _pearson(scores[:, None], truth[:, None], counts),
        "spearman": _pearson(ties[0].ranks(copies[0]), ties[1].ranks(copies[1]), counts),
    }
    return {name: np.where(np.isnan(taus[2]), np.nan, values) for name, values in correlations.items()}


def correlation_interval(value: float, drawn: np.ndarray) -> Interval | None:
    """Return the 95 % interval of a correlation over draws; None for a perfect one, without spread."""
    finite = drawn[np.isfinite(drawn)]
    if abs(value) > 1 - 1e-9 or len(finite) < len(drawn) / 2:
        return None
    return interval(finite)


class _Ties(NamedTuple):
    """The models in ascending order of a value, in groups of equal ones."""

    order: np.ndarray
    starts: np.ndarray  # of each group in the order
    group_of: np.ndarray  # of each model

    @classmethod
    def of(cls, values: np.ndarray) -> _Ties:
        _, group_of, sizes = np.unique(values, return_inverse=True, return_counts=True)
        return cls(np.argsort(values, kind="stable"), np.cumsum(sizes) - sizes, group_of)

    def summed(self, weights: np.ndarray) -> np.ndarray:
        """Return the sum of weights in each group, groups x draws."""
        ascending = weights[self.order]
        if len(self.starts) == len(ascending):  # no ties
            return np.asarray(ascending)
        return np.asarray(np.add.reduceat(ascending, self.starts, axis=0))

    def unequal(self, weights: np.ndarray, copies: np.ndarray) -> np.ndarray:
        """Return the weight of all pairs of unequal values in each draw; exactly 0 without any.

        Args:
            weights: Of each model in each draw.
            copies: The models of each group in each draw.
        """
        first, second = self.summed(weights), copies
        return np.asarray(first.sum(axis=0) * second.sum(axis=0) - (first * second).sum(axis=0))

    def ranks(self, copies: np.ndarray) -> np.ndarray:
        """Return the mean rank of each model in each draw, from 0, models x draws."""
        return np.asarray((np.cumsum(copies, axis=0) - copies / 2)[self.group_of])


def _harmonic(first: np.ndarray, second: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Return the summed weight (1/rank) of all copies of each model, ranked by ``first``, then ``second``."""
    order = np.lexsort((-second, -first))
    copies = counts[order].astype(np.int64)
    ends = np.cumsum(copies, axis=0)
    sums = np.append(0.0, np.cumsum(1.0 / np.arange(1, int(ends.max(initial=0)) + 1)))
    weights = np.empty_like(counts)
    weights[order] = sums[ends] - sums[ends - copies]
    return weights


def _pearson(first: np.ndarray, second: np.ndarray, counts: np.ndarray) -> np.ndarray:
    size = counts.sum(axis=0)
    left, right = (side - (counts * side).sum(axis=0) / size for side in (first, second))
    of_left = counts * left
    spread = (of_left * left).sum(axis=0) * (counts * right**2).sum(axis=0)
    return _ratio((of_left * right).sum(axis=0), np.sqrt(spread))


def _ratio(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    return np.asarray(np.divide(upper, lower, out=np.full(len(upper), np.nan), where=lower > 0))
