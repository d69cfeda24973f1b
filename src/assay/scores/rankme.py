"""RankMe: a smooth count of the directions over which the features spread."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.core.task import LabelKind
from assay.moments.folded import FoldedMoments
from assay.plugins.method import EVERY_KIND, Invariance, MomentScore


@dataclass(frozen=True, slots=True)
class RankMe(MomentScore):
    """RankMe: the exponential of the entropy of the normalised singular values of the features.

    The features are not centred. The value lies between 1, if all examples are multiples of one, and
    min(N, D), if all directions have equal weight. It ignores labels.

    References:
        RankMe: Assessing the Downstream Performance of Pretrained Self-Supervised Representations by Their
        Rank (Garrido et al., 2023), https://arxiv.org/abs/2210.02885

    Note:
        The paper compares runs of one method and uses 25600 examples; this uses all of train.
        Directions with less than 1e-7 of the spread of the strongest one count as if they had none, since
        the spread comes from a Gram: 3e-6 of the value where rounding alone fills most directions.

    Attributes:
        epsilon: Added to each share, as in the paper, which has 1e-7 for single precision.

    >>> import assay
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> labels = np.arange(60) % 2
    >>> assay.score(noise, labels, "rankme") > assay.score(noise @ np.diag(range(8)), labels, "rankme")
    True
    """

    epsilon: float = 1e-7

    needs_labels: ClassVar[bool] = False
    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND
    invariances: ClassVar[frozenset[Invariance]] = frozenset({Invariance.SCALE, Invariance.ROTATION})

    def __post_init__(self) -> None:
        if not 0 < self.epsilon < 1:
            raise UsageError(f"rankme(epsilon={self.epsilon}) must lie between 0 and 1. Write epsilon=1e-7.")

    def __call__(self, train: FoldedMoments) -> float:
        """Return the smooth rank, from 1 to the smaller of examples and features."""
        singular = singular_values(train)
        if not singular.any():
            raise NotApplicable("All features are zero on train.")
        shares = singular / singular.sum() + self.epsilon
        return float(np.exp(-(shares * np.log(shares)).sum()))


def singular_values(train: FoldedMoments) -> np.ndarray:
    """Return the min(N, D) singular values of the uncentred features, largest first."""
    positive = np.sqrt(train.uncentred.values)
    values = np.zeros(min(train.total.count, train.total.width))
    kept = min(len(values), len(positive))
    values[:kept] = positive[:kept]
    return values
