"""TransRate: the reduction of the coding rate of the features when the class is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.core.features import LabelledFeatures
from assay.plugins.method import Invariance, SampleScore

_WEIGHTINGS = ("shares", "equal")
_STEEP = 1e9  # a trace above which the smallest eigenvalues of a Gram, all 1 or more, are rounding


@dataclass(frozen=True, slots=True)
class TransRate(SampleScore):
    """TransRate: the coding rate of all features minus the mean coding rate within classes, in nats.

    The rate of n centred examples Z is R(Z) = logdet(I + Z'Z / (n epsilon)) / 2: the length of a code that
    keeps the features up to the squared error epsilon. The difference stands in for the mutual information
    of features and labels.

    References:
        Frustratingly Easy Transferability Estimation (Huang et al., 2022), https://arxiv.org/abs/2106.09362

    Note:
        The formula weighs the rate of each class by its share of the examples. The listing of the paper and
        thuml/Transfer-Learning-Library give all classes the same weight: weighting="equal". Both centre at
        the mean of all examples, never at that of a class, so that two classes of one size score hardly more
        however far apart they lie. The value grows with the scale of the features
        and, for pure noise, with their width, as the examples of a class reach fewer directions than all do.
        Regression is left out: OpenGVLab/Multitask-Model-Selector bins rows by place, not by label.

    Attributes:
        epsilon: The squared error allowed to the code, as in the paper.
        weighting: "shares" of the examples, or "equal" for all classes.

    >>> from assay.core.features import Features
    >>> from assay.core.task import LabelKind, Labels
    >>> labels = Labels(LabelKind.CLASSIFICATION, np.arange(60) % 3, ("ant", "bee", "cat"))
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> signal = LabelledFeatures(Features(noise + 3 * labels.targets() @ np.eye(3, 8)), labels)
    >>> TransRate()(signal) > TransRate()(LabelledFeatures(Features(noise), labels))
    True
    """

    epsilon: float = 1e-4
    weighting: str = "shares"

    favours_width: ClassVar[bool] = True
    invariances: ClassVar[frozenset[Invariance]] = frozenset({Invariance.SHIFT, Invariance.ROTATION})

    def __post_init__(self) -> None:
        if not self.epsilon > 0:
            raise UsageError(f"transrate(epsilon={self.epsilon}) allows no error. Write epsilon=1e-4.")
        if self.weighting not in _WEIGHTINGS:
            raise UsageError(f"weighting is '{self.weighting}'. Write {' or '.join(map(repr, _WEIGHTINGS))}.")

    def __call__(self, train: LabelledFeatures) -> float:
        """Return the difference of rates in nats."""
        classes, sizes = np.unique(train.labels.values, return_counts=True)
        if len(classes) < 2:
            raise NotApplicable("Fewer than two classes have examples in train.")
        centred = np.asarray(train.matrix, dtype=np.float64)
        if (centred == centred[0]).all():
            raise NotApplicable("All features are constant on train.")
        centred = centred - centred.mean(axis=0)
        rates = np.array([_rate(centred[train.labels.values == label], self.epsilon) for label in classes])
        weights = sizes if self.weighting == "shares" else None
        return _rate(centred, self.epsilon) - float(np.average(rates, weights=weights))


def _rate(rows: np.ndarray, epsilon: float) -> float:
    """Return logdet(I + rows'rows / (n epsilon)) / 2 from the smaller of the two Grams."""
    count, width = rows.shape
    weight = 1.0 / (count * epsilon)
    if float(np.square(rows).sum()) * weight > _STEEP:
        return float(np.log1p(weight * np.square(np.linalg.svd(rows, compute_uv=False))).sum()) / 2
    gram = rows @ rows.T if count < width else rows.T @ rows
    gram *= weight
    gram[np.diag_indices_from(gram)] += 1.0
    return float(np.log(np.diagonal(np.linalg.cholesky(gram))).sum())
