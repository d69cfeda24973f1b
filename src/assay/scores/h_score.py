"""H-score: the variance of the features between classes relative to their total variance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable
from assay.moments.folded import FoldedMoments
from assay.plugins.method import Invariance, MomentScore


@dataclass(frozen=True, slots=True)
class HScore(MomentScore):
    """H-score: the trace of pinv(total covariance) times the covariance of the class means.

    It is 0 if all classes have the same mean, and the number of classes minus one if a linear rule on the
    features separates the classes perfectly.

    References:
        An Information-Theoretic Approach to Transferability in Task Transfer Learning (Bao et al., 2019),
        https://arxiv.org/abs/2212.10082

    Note:
        Up to D + 1 examples of D features the score is C - 1 for every model, noise included, so it does not
        apply there. Directions are dropped at the rank tolerance of numpy, not at 1e-15 of the largest: below
        that, eigenvalues are rounding. The value of noise is (C - 1) D/N and more, so wide features gain.

    >>> from assay.moments.stream import moments_of, stratified_folds
    >>> from assay.core.task import LabelKind, Labels
    >>> labels = Labels(LabelKind.CLASSIFICATION, np.arange(60) % 2, ("cat", "dog"))
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> signal = noise + 3 * labels.targets()[:, :1]
    >>> folds = stratified_folds(labels, 5, seed=0)
    >>> HScore()(moments_of(signal, labels, folds)) > HScore()(moments_of(noise, labels, folds))
    True
    """

    favours_width: ClassVar[bool] = True
    invariances: ClassVar[frozenset[Invariance]] = frozenset(Invariance)

    def __call__(self, train: FoldedMoments) -> float:
        """Return the H-score, between 0 and the number of classes minus one."""
        total = train.total
        used = total.target_sum > 0
        if used.sum() < 2:
            raise NotApplicable("Fewer than two classes have examples in train.")
        if total.count <= total.width + 1:
            raise NotApplicable(
                f"{total.count} examples of {total.width} features give the same H-score to every model. "
                f"Use h_score_regularised."
            )
        spectrum = train.spectrum
        if len(spectrum.values) == 0:
            raise NotApplicable("All features are constant on train.")
        between = np.square(spectrum.cross[:, used]) / total.target_sum[used]
        return float((between.sum(axis=1) / spectrum.values).sum())
