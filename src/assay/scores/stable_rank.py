"""Stable rank: the total variance of the features relative to that of the strongest direction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from assay.core.errors import NotApplicable
from assay.core.task import LabelKind
from assay.moments.folded import FoldedMoments
from assay.plugins.method import EVERY_KIND, Invariance, MomentScore


@dataclass(frozen=True, slots=True)
class StableRank(MomentScore):
    """Stable rank: the trace of the feature covariance divided by its largest eigenvalue.

    It is 1 if all variance lies in one direction, and the number of features if all directions have equal
    variance. It ignores labels.

    References:
        Sampling from Large Matrices: An Approach through Geometric Functional Analysis (Rudelson and
        Vershynin, 2007), https://arxiv.org/abs/math/0503442, where it is the numerical rank of a matrix: the
        squared Frobenius norm over the squared spectral norm; here of the centred features.

    >>> import assay
    >>> import numpy as np
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> narrow = noise @ np.diag(range(8))
    >>> labels = np.arange(60) % 2
    >>> assay.score(noise, labels, "stable_rank") > assay.score(narrow, labels, "stable_rank")
    True
    """

    needs_labels: ClassVar[bool] = False
    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND
    invariances: ClassVar[frozenset[Invariance]] = frozenset(Invariance)

    def __call__(self, train: FoldedMoments) -> float:
        """Return the stable rank, from 1 to the number of features."""
        values = train.spectrum.values
        if len(values) == 0:
            raise NotApplicable("All features are constant on train.")
        return float(values.sum() / values[0])
