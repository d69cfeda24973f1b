"""Effective rank: a smooth count of the directions over which the variance of the features spreads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.task import LabelKind
from assay.moments.folded import FoldedMoments
from assay.plugins.method import EVERY_KIND, Invariance, MomentScore


@dataclass(frozen=True, slots=True)
class EffectiveRank(MomentScore):
    """Effective rank: the exponential of the entropy of the normalised eigenvalues of the feature covariance.

    It is 1 if all variance lies in one direction, and the number of features if all directions have equal
    variance. It ignores labels.

    References:
        The Effective Rank: A Measure of Effective Dimensionality (Roy and Vetterli, 2007),
        https://infoscience.epfl.ch/record/110188

    Note:
        The paper defines it for any matrix, from its singular values. Here the matrix is the covariance,
        whose singular values are its eigenvalues: the squares of those of the centred features. The score
        rankme uses the singular values of the features themselves, not centred and not squared.

    >>> import assay
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> narrow = noise @ np.diag(range(8))
    >>> labels = np.arange(60) % 2
    >>> assay.score(noise, labels, "effective_rank") > assay.score(narrow, labels, "effective_rank")
    True
    """

    needs_labels: ClassVar[bool] = False
    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND
    invariances: ClassVar[frozenset[Invariance]] = frozenset(Invariance)

    def __call__(self, train: FoldedMoments) -> float:
        """Return the smooth rank of the covariance, from 1 to the number of features."""
        values = train.spectrum.values
        if len(values) == 0:
            raise NotApplicable("All features are constant on train.")
        shares = values / values.sum()
        return float(np.exp(-(shares * np.log(shares)).sum()))
