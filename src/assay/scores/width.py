"""Width: the number of features, a trivial baseline for other scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from assay.core.task import LabelKind
from assay.moments.folded import FoldedMoments
from assay.plugins.method import EVERY_KIND, Invariance, MomentScore


@dataclass(frozen=True, slots=True)
class Width(MomentScore):
    """The number of features: a baseline for scores that may only measure width.

    >>> import assay
    >>> import numpy as np
    >>> assay.score(np.eye(4)[:, :3], [0, 1, 0, 1], "width").value
    3.0
    """

    needs_labels: ClassVar[bool] = False
    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND
    invariances: ClassVar[frozenset[Invariance]] = frozenset(Invariance)

    def __call__(self, train: FoldedMoments) -> float:
        """Return the number of features."""
        return float(train.total.width)
