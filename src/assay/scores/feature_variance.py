"""Feature variance: how much the features vary between examples, regardless of labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from assay.core.task import LabelKind
from assay.moments.folded import FoldedMoments
from assay.plugins.method import EVERY_KIND, Invariance, MomentScore


@dataclass(frozen=True, slots=True)
class FeatureVariance(MomentScore):
    """The mean variance of the features: a baseline that ignores labels and directions.

    Note:
        The variance divides by the number of examples. Models whose features have a larger scale score
        higher, although scale does not indicate usefulness.

    >>> import assay
    >>> import numpy as np
    >>> assay.score(np.array([[0.0, 2.0], [2.0, 2.0]]), ["cat", "dog"], "feature_variance").value
    0.5
    """

    needs_labels: ClassVar[bool] = False
    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND
    invariances: ClassVar[frozenset[Invariance]] = frozenset({Invariance.SHIFT, Invariance.ROTATION})

    def __call__(self, train: FoldedMoments) -> float:
        """Return the mean variance, 0 for constant features."""
        total = train.total
        return total.scatter.total_variance() / (total.count * total.width)
