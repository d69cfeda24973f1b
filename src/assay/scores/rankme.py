"""RankMe: over how many directions the features spread, counted smoothly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.core.method import EVERY_KIND, Invariance, MomentScore
from assay.core.moments import FoldedMoments
from assay.core.task import Kind


@dataclass(frozen=True, slots=True)
class RankMe(MomentScore):
    """The exponential of the entropy of the singular values of the features, which sum to 1.

    The features are taken as they come: they are not centred. The value lies between 1, where all examples
    are multiples of one, and min(N, D), where all directions carry the same. Labels play no part.

    References:
        RankMe: Assessing the Downstream Performance of Pretrained Self-Supervised Representations by Their
        Rank (Garrido et al., 2023), https://arxiv.org/abs/2210.02885

    Note:
        The paper compares runs of one method by it, and takes 25600 examples; here it is all of train.
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
    kinds: ClassVar[frozenset[Kind]] = EVERY_KIND
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
    """Return the singular values of the features as they came, min(N, D) of them.

    In the eigenbasis of the centred scatter the uncentred Gram is diag(values, 0) + N mean mean': the Gram
    of a diagonal with one more row.
    """
    scatter = train.total.scatter
    roots = np.sqrt(np.append(scatter.basis.values, 0.0))
    positive = np.sort(with_one_more_row(roots, np.sqrt(scatter.count) * scatter.mean_in_basis))[::-1]
    found = np.zeros(min(scatter.count, scatter.width))
    kept = min(len(found), len(positive))
    found[:kept] = positive[:kept]
    return found


def with_one_more_row(roots: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Return the singular values of diag(roots) with one more row below, in no order.

    Each is a root of a secular equation, found to full precision by LAPACK. Directions that the row does not
    touch keep their value, and so does all but one of several that are equal, after a turn among them.

    References:
        A Stable and Efficient Algorithm for the Rank-One Modification of the Symmetric Eigenproblem (Gu and
        Eisenstat, 1994), https://doi.org/10.1137/S089547989223924X
    """
    from scipy.linalg.lapack import dlasd4

    order = np.argsort(roots)
    d, z = roots[order], row[order].copy()
    rounding = 8 * np.finfo(np.float64).eps * max(float(d[-1]), float(np.abs(z).max()))
    for place in range(len(d) - 1):
        if d[place + 1] - d[place] <= rounding:  # equal: turn the row into the later one
            z[place + 1], z[place] = np.hypot(z[place], z[place + 1]), 0.0
    touched = np.abs(z) > rounding
    if np.count_nonzero(touched) < 2:
        return np.asarray(np.hypot(d, np.where(touched, z, 0.0)))
    d_in, z_in = d[touched], z[touched]
    size = float(np.linalg.norm(z_in))
    moved = [dlasd4(place, d_in, z_in / size, size**2)[1] for place in range(len(d_in))]
    return np.concatenate([d[~touched], moved])
