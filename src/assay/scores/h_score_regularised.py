"""Regularised H-score: the H-score with a shrunk covariance, which few examples can estimate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable
from assay.moments.folded import FoldedMoments
from assay.moments.moments import Moments
from assay.moments.ridge import solve
from assay.plugins.method import Invariance, MomentScore


@dataclass(frozen=True, slots=True)
class HScoreRegularised(MomentScore):
    """Regularised H-score: the trace of inv(shrunk total covariance) times that of the class means, shrunk.

    The total covariance is that of Ledoit and Wolf, (1 - a) S + a tr(S)/D I, and the covariance of the class
    means is scaled by the same 1 - a, so that noise is not mistaken for signal with few examples.

    References:
        Newer is not always better: Rethinking transferability metrics, their peculiarities, stability and
        performance (Ibrahim et al., 2021), https://arxiv.org/abs/2110.06893
        A well-conditioned estimator for large-dimensional covariance matrices (Ledoit and Wolf, 2004),
        https://doi.org/10.1016/S0047-259X(03)00096-4

    Note:
        The published code divides by N in the total covariance and by N - 1 in that of the class means; so
        does this, to give the published numbers.

    >>> from assay.moments.stream import moments_of, stratified_folds
    >>> from assay.core.task import LabelKind, Labels
    >>> labels = Labels(LabelKind.CLASSIFICATION, np.arange(20) % 2, ("cat", "dog"))
    >>> noise = np.random.default_rng(0).standard_normal((20, 64))
    >>> signal = noise + 3 * labels.targets()[:, :1]
    >>> folds = stratified_folds(labels, 5, seed=0)
    >>> score = HScoreRegularised()
    >>> score(moments_of(signal, labels, folds)) > score(moments_of(noise, labels, folds))
    True
    """

    invariances: ClassVar[frozenset[Invariance]] = frozenset(Invariance)

    def __call__(self, train: FoldedMoments) -> float:
        """Return the regularised H-score, from 0 upwards."""
        total = train.total
        used = total.target_sum > 0
        if used.sum() < 2:
            raise NotApplicable("Fewer than two classes have examples in train.")
        if total.scatter.is_constant:
            raise NotApplicable("All features are constant on train.")
        gram = total.scatter.centred_gram() if total.scatter.rows is None else total.scatter.dual
        trace = float(np.trace(gram))
        shrinkage = ledoit_wolf_shrinkage(total, trace, float(np.square(gram).sum()))
        if shrinkage == 1.0:
            return 0.0
        penalty = shrinkage / (1 - shrinkage) * trace / total.width
        return self._between(train, used, penalty) * total.count / (total.count - 1)

    def _between(self, train: FoldedMoments, used: np.ndarray, penalty: float) -> float:
        """Return the trace of (scatter + penalty I)^-1 times the scatter of the class means."""
        total = train.total
        if total.scatter.gram is not None and penalty > 0:  # no eigenvectors are needed
            cross = total.centred_cross()[:, used]
            solved = solve(total.scatter.gram.copy(), total, cross, penalty)
            return float((np.einsum("dc,dc->c", cross, solved) / total.target_sum[used]).sum())
        values, cross = train.spectrum
        return float((np.square(cross[:, used]) / total.target_sum[used] / (values + penalty)[:, None]).sum())


def ledoit_wolf_shrinkage(total: Moments, trace: float, square: float) -> float:
    """Return the shrinkage of Ledoit and Wolf, from trace and squared norm of the scatter about the mean."""
    if total.width == 1:
        return 0.0
    squared_norm = square / total.count**2
    spread = squared_norm - (trace / total.count) ** 2 / total.width
    error = total.scatter.fourth_moment_about_mean() / total.count**2 - squared_norm / total.count
    error = min(error, spread)
    return error / spread if error > 0 else 0.0
