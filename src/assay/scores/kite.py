"""KITE: similarity of the features to the labels, relative to features of random weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.features import Features, LabelledFeatures
from assay.core.task import LabelKind
from assay.plugins.method import EVERY_KIND, ContrastScore, Invariance

_BLOCK = 1024  # rows of a kernel matrix at a time: bounds its memory


@dataclass(frozen=True, slots=True)
class KITE(ContrastScore):
    """KITE: CKA(features, labels) over CKA(features, features of the architecture with random weights).

    CKA is the centred kernel alignment, here of linear kernels: the squared norm of the cross-covariance over
    the norms of both covariances. Labels are one-hot classes, or the numbers themselves.

    References:
        KITE: A Kernel-based Improved Transferability Estimation Method (Guo, 2024),
        https://arxiv.org/abs/2405.01603
        Similarity of Neural Network Representations Revisited (Kornblith et al., 2019),
        https://arxiv.org/abs/1905.00414, for linear CKA.

    Note:
        There are no other kernels. The norm of the covariance of the features is in both alignments, so
        that it is never computed.

    >>> import assay
    >>> labels = np.arange(60) % 2
    >>> noise, random = np.random.default_rng(0).standard_normal((2, 60, 8))
    >>> signal = noise + 3 * labels[:, None]
    >>> seen = {"labels": labels, "score": "kite", "random_features": random}
    >>> assay.score(signal, **seen) > assay.score(noise, **seen)
    True
    """

    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND
    invariances: ClassVar[frozenset[Invariance]] = frozenset(Invariance)

    def __call__(self, train: LabelledFeatures, random: Features) -> float:
        """Return the ratio of both alignments: 1 if the features are equally similar to both."""
        features = centred(train.matrix)
        targets = centred(train.labels.targets())
        drawn = centred(random.matrix)
        if not targets.size:
            raise NotApplicable("All labels of train are the same.")
        if not features.size:
            raise NotApplicable("All features are constant on train.")
        if not drawn.size:
            raise NotApplicable("With random weights all features are constant on train.")
        separability = dependence(features, targets) / np.sqrt(dependence(targets, targets))
        similarity = dependence(features, drawn) / np.sqrt(dependence(drawn, drawn))
        if similarity == 0:
            raise NotApplicable("The features have nothing in common with those of random weights.")
        return float(separability / similarity)


def centred(matrix: np.ndarray) -> np.ndarray:
    """Return the centred columns without constant ones, in double precision."""
    varying = matrix[:, matrix.min(axis=0) < matrix.max(axis=0)].astype(np.float64)
    varying -= varying.mean(axis=0)
    return varying


def dependence(a: np.ndarray, b: np.ndarray) -> float:
    """Return the squared norm of a'b (examples x columns each), which is the elementwise sum of aa' * bb'.

    The cheaper form is computed. Up to a factor it is the Hilbert-Schmidt independence criterion.
    """
    count = len(a)
    if a.shape[1] * b.shape[1] <= count * (a.shape[1] + b.shape[1]):
        return float(np.square(a.T @ b).sum())
    total = 0.0
    for start in range(0, count, _BLOCK):
        rows = slice(start, start + _BLOCK)
        total += float(np.einsum("ij,ij->", a[rows] @ a.T, b[rows] @ b.T))
    return total
