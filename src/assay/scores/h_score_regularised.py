"""Regularised H-score: the H-score with a covariance that few examples can estimate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.method import Invariance, MomentScore
from assay.core.moments import FoldedMoments, Moments


@dataclass(frozen=True, slots=True)
class HScoreRegularised(MomentScore):
    """The trace of inv(shrunk total covariance) times the shrunk covariance of the class means.

    The total covariance is that of Ledoit and Wolf, (1 - a) S + a tr(S)/D I, and the covariance of the class
    means is scaled by the same 1 - a, so that noise is not taken for signal where there are few examples.

    References:
        Newer is not always better: Rethinking transferability metrics, their peculiarities, stability and
        performance (Ibrahim et al., 2021), https://arxiv.org/abs/2110.06893
        A well-conditioned estimator for large-dimensional covariance matrices (Ledoit and Wolf, 2004),
        https://doi.org/10.1016/S0047-259X(03)00096-4

    Note:
        The published code divides by N in the total covariance and by N - 1 in that of the class means; so
        does this, to give the published numbers.

    >>> from assay.core.stream import stratified_folds
    >>> from assay.core.task import Kind, Labels
    >>> labels = Labels(Kind.CLASSIFICATION, np.arange(20) % 2, ("cat", "dog"))
    >>> noise = np.random.default_rng(0).standard_normal((20, 64))
    >>> signal = noise + 3 * labels.targets()[:, :1]
    >>> folds = stratified_folds(labels, 5, seed=0)
    >>> score = HScoreRegularised()
    >>> score(FoldedMoments.of(signal, labels, folds)) > score(FoldedMoments.of(noise, labels, folds))
    True
    """

    invariances: ClassVar[frozenset[Invariance]] = frozenset(Invariance)

    def __call__(self, train: FoldedMoments) -> float:
        """Return the regularised H-score, from 0 upwards."""
        total = train.total
        used = total.target_sum > 0
        if used.sum() < 2:
            raise NotApplicable("Fewer than two classes have examples in train.")
        spectrum = train.spectrum
        if len(spectrum.values) == 0:
            raise NotApplicable("All features are constant on train.")
        shrinkage = ledoit_wolf_shrinkage(total, spectrum.values)
        variances = spectrum.values / total.count
        shrunk = (1 - shrinkage) * variances + shrinkage * variances.sum() / total.width
        between = np.square(spectrum.cross[:, used]) / total.target_sum[used] / (total.count - 1)
        return float((1 - shrinkage) * (between.sum(axis=1) / shrunk).sum())


def ledoit_wolf_shrinkage(total: Moments, scatter: np.ndarray) -> float:
    """Return the shrinkage of Ledoit and Wolf, from the eigenvalues of the scatter matrix about the mean."""
    if total.width == 1:
        return 0.0
    variances = scatter / total.count
    squared_norm = float(np.square(variances).sum())
    spread = squared_norm - float(variances.sum()) ** 2 / total.width
    error = total.scatter.fourth_moment_about_mean() / total.count**2 - squared_norm / total.count
    error = min(error, spread)
    return error / spread if error > 0 else 0.0
