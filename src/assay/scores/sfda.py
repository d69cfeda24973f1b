"""SFDA: the probability of the true class under self-challenging discriminant analysis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.features import LabelledFeatures
from assay.numerics.discriminant import (
    Classes,
    by_class,
    class_weights,
    classes_of,
    probabilities,
    published_shrinkage,
    require_unsaturated,
    take_class_means,
    true_class,
)
from assay.plugins.method import Invariance, SampleScore


@dataclass(frozen=True, slots=True)
class SFDA(SampleScore):
    """SFDA: the mean probability of the true class by regularised discriminant analysis after ConfMix.

    A discriminant analysis gives each example the probability p of its class, softened by a second softmax.
    ConfMix then moves the example towards the mean of the other classes, by 1 - p, and a second analysis of
    the moved examples gives the value, between 0 and 1: a mean of probabilities, not of their logarithms. The
    scatter within classes is shrunk towards a multiple of the identity, by max(exp(-5 sigma), 1e-10) where
    sigma is its largest eigenvalue by three rounds of the power method.

    References:
        Not All Models Are Equal: Predicting Model Transferability in a Self-challenging Fisher Space (Shao et
        al., 2022), https://arxiv.org/abs/2207.03036

    Note:
        The value is that of ``TencentARC/SFDA``, power method included: it starts from the row sums, so that
        it is the same in each run, and may end below the largest eigenvalue. The generalised eigenproblem is
        left out: its eigenvectors V satisfy VV' = inverse of the shrunk scatter, which is all that the
        probabilities need.
        The value is in sample, so wide features have an advantage. The shrinkage
        depends on the scale of the features: large ones are not regularised at all. Then features as many as
        examples give 1 to every model, noise included, and the score does not apply;
        ``sfda(normalise=True)`` still does.

    Attributes:
        normalise: First scale the features so that the variances within classes sum to 1. The shrinkage is
            then between 0.0067 and 1 for any scale, width and number of examples. The published score
            does not do this.

    >>> import assay
    >>> labels = np.arange(60) % 2
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> assay.score(noise + 3 * labels[:, None], labels, "sfda") > assay.score(noise, labels, "sfda")
    True
    """

    normalise: bool = False

    favours_width: ClassVar[bool] = True
    invariances: ClassVar[frozenset[Invariance]] = frozenset({Invariance.SHIFT})

    def __call__(self, train: LabelledFeatures) -> float:
        """Return the mean probability of the true class."""
        classes, ones = classes_of(train)
        if self.normalise:
            scale = np.sqrt(float(np.einsum("ij,ij->", classes.rows, classes.rows)) / len(train))
            classes = classes._replace(rows=classes.rows / scale, means=classes.means / scale)
        value = self_challenged(classes, ones)
        require_unsaturated(value, train, len(classes.sizes), "sfda(normalise=True)")
        return value


def self_challenged(classes: Classes, ones: np.ndarray) -> float:
    """Return the mean probability of the true class after ConfMix; the rows are overwritten."""
    rows, means, sizes, width = classes
    within = classes.within()
    shrinkage = published_shrinkage(within, ones)
    first = probabilities(classes, class_weights(within, means, shrinkage, width))
    soft = np.exp(true_class(first, sizes)) / np.exp(first).sum(axis=1)
    others = (means.sum(axis=0) - means) / (len(sizes) - 1)
    blocks, weights = by_class(rows, sizes), by_class(soft[:, None], sizes)
    for block, weight, mean, other in zip(blocks, weights, means, others, strict=True):
        np.multiply(weight, np.add(block, mean - other, out=block), out=block)
    mixed = classes._replace(means=take_class_means(rows, sizes) + others)
    second = probabilities(mixed, class_weights(mixed.within(), mixed.means, shrinkage, width))
    return float(true_class(second, sizes).mean())
