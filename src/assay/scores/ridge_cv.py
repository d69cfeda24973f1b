"""Cross-validated ridge regression: how much of the labels a linear model explains on examples left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.method import MomentScore
from assay.core.moments import FoldedMoments, Moments
from assay.core.task import Kind

PENALTIES = tuple(10.0 ** (half / 2) for half in range(-8, 11))  # 1e-4 .. 1e5, in mean eigenvalues


@dataclass(frozen=True, slots=True)
class RidgeCV(MomentScore):
    """The out-of-sample R2 of ridge regression onto the target columns, with the best of 19 penalties.

    Each fold is predicted from the others. The value is 1 less the squared error over that of the mean of the
    others: 0 for noise or a little below or above it, 1 for perfect predictions. Classes are one-hot columns,
    so for classification it is a Brier skill score. It is exact, though no example is kept: training needs
    the moments of the other folds, and the squared error is a function of the moments of the fold left out.

    References:
        Ridge Regression: Biased Estimation for Nonorthogonal Problems (Hoerl and Kennard, 1970),
        https://doi.org/10.1080/00401706.1970.10488634
        Cross-Validatory Choice and Assessment of Statistical Predictions (Stone, 1974),
        https://doi.org/10.1111/j.2517-6161.1974.tb00994.x

    Note:
        The penalty is chosen by the error that is reported, on one curve for all columns and folds: the value
        is optimistic by the little that one smooth parameter can gain. The penalties are multiples of the
        mean eigenvalue of the scatter matrix of the training folds, and the intercept is not penalised.

    >>> from assay.core.moments import stratified_folds
    >>> from assay.core.task import Labels
    >>> labels = Labels(Kind.CLASSIFICATION, np.arange(60) % 2, ("cat", "dog"))
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> signal = noise + 3 * labels.targets()[:, :1]
    >>> folds = stratified_folds(labels, 5, seed=0)
    >>> RidgeCV()(FoldedMoments.of(signal, labels, folds)) > 0.5
    True
    >>> RidgeCV()(FoldedMoments.of(noise, labels, folds)) > 0.1
    False
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.CLASSIFICATION, Kind.REGRESSION})

    def __call__(self, train: FoldedMoments) -> float:
        """Return the cross-validated R2, at most 1."""
        if len(train.folds) < 2:
            raise NotApplicable("Train has too few examples for two folds.")
        total = train.total
        rounding = 1e-12 * float(total.target_square.sum())
        if float(total.centred_target_square().sum()) <= rounding:
            raise NotApplicable("All labels of train are the same.")
        if len(train.centred_spectrum.values) == 0:
            raise NotApplicable("All features are constant on train.")
        errors = np.zeros(len(PENALTIES))
        baseline = 0.0
        for number, held_out in enumerate(train.folds):
            others = train.without(number)
            mean = others.target_sum / others.count
            baseline += held_out.squared_error(np.zeros((total.width, len(mean))), mean)
            errors += errors_on(held_out, others, PENALTIES)
        return float(1 - errors.min() / baseline)


def errors_on(held_out: Moments, others: Moments, penalties: tuple[float, ...]) -> np.ndarray:
    """Return the squared error on one fold of ridge regression on the others, for each penalty."""
    (values, cross), vectors = others.centred_basis()
    mean_eigenvalue = values.sum() / min(others.count, others.width) if len(values) else 1.0
    errors = []
    for penalty in penalties:
        weights = vectors @ (cross / (values + penalty * mean_eigenvalue)[:, None])
        intercept = others.target_sum / others.count - others.mean() @ weights
        errors.append(held_out.squared_error(weights, intercept))
    return np.array(errors)
