"""SFDA: the probability of the true class under discriminant analysis that is made hard on purpose."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.features import LabelledFeatures
from assay.numerics.discriminant import class_weights, in_their_span, is_singular, published_shrinkage
from assay.plugins.method import Invariance, SampleScore

_CERTAIN = 1e-7  # distance from 1 that a mean probability of rounding alone can have
_ROUNDING = (16 * float(np.finfo(np.float64).eps)) ** 2  # share of all squares that rounding alone can leave


@dataclass(frozen=True, slots=True)
class SFDA(SampleScore):
    """The mean probability of the true class, by regularised linear discriminant analysis, after ConfMix.

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
        The examples that are judged are those that were learned from, so wide features gain. The shrinkage
        depends on the scale of the features: large ones are not regularised at all. Then features as many as
        examples give 1 to every model, noise included, and the score does not apply;
        ``sfda(normalise=True)`` still does.

    Attributes:
        normalise: First divide the features by one number, so that the variances within classes sum to 1.
            The shrinkage is then between 0.0067 and 1, whatever the scale, the width and the number of
            examples are. The published score does not.

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
        sizes = np.unique(train.labels.values, return_counts=True)[1]
        if len(sizes) < 2:
            raise NotApplicable("Fewer than two classes have examples in train.")
        centre = train.matrix.mean(axis=0, dtype=np.float64)
        rows, ones = in_their_span(sorted_by_class(train, sizes, centre))
        means = take_class_means(rows, sizes)
        energy = float(np.einsum("ij,ij->", rows, rows))
        moved = float(sizes @ np.square(means).sum(axis=1)) + len(rows) * float(centre @ centre)
        if energy <= _ROUNDING * (energy + moved):
            raise NotApplicable("Features do not vary within any class of train.")
        if self.normalise:
            scale = np.sqrt(energy / len(rows))
            rows, means = rows / scale, means / scale
        within = rows.T @ rows / len(rows)
        shrinkage = published_shrinkage(within, ones)
        value = self_challenged(Classes(rows, means, sizes, train.features.width, shrinkage), within)
        if value > 1 - _CERTAIN and is_singular(train.matrix, len(sizes)):
            raise NotApplicable(
                f"Without regularisation, {len(train)} examples of {train.features.width} features give 1 to "
                f"every model. Use sfda(normalise=True) or lda_cv."
            )
        return value


class Classes(NamedTuple):
    """Examples as discriminant analysis sees them.

    Attributes:
        rows: Each example less the mean of its class, sorted by class.  # examples x coordinates
        means: The mean of each class.  # classes x coordinates
        sizes: The number of examples of each class.
        width: The number of features, of which the coordinates may be fewer.
        shrinkage: The share of the identity in the scatter within classes.
    """

    rows: np.ndarray
    means: np.ndarray
    sizes: np.ndarray
    width: int
    shrinkage: float


def sorted_by_class(train: LabelledFeatures, sizes: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Return the examples less the centre, sorted by class, in double precision."""
    rows = np.empty(train.matrix.shape)
    order = np.argsort(train.labels.values, kind="stable")
    for block, members in zip(by_class(rows, sizes), by_class(order, sizes), strict=True):
        np.subtract(train.matrix[members], centre, out=block)
    return rows


def by_class(rows: np.ndarray, sizes: np.ndarray) -> list[np.ndarray]:
    """Return the examples of each class, as views of rows that are sorted by class."""
    return np.split(rows, np.cumsum(sizes)[:-1])


def take_class_means(rows: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Subtract from each example the mean of its class, in place; return the means, classes x coordinates."""
    blocks = by_class(rows, sizes)
    means = np.stack([block.mean(axis=0) for block in blocks])
    for block, mean in zip(blocks, means, strict=True):
        np.subtract(block, mean, out=block)
    return means


def self_challenged(classes: Classes, within: np.ndarray) -> float:
    """Return the mean probability of the true class after ConfMix; the rows are overwritten."""
    rows, means, sizes = classes.rows, classes.means, classes.sizes
    first = probabilities(classes, within)
    soft = np.exp(true_class(first, sizes)) / np.exp(first).sum(axis=1)
    others = (means.sum(axis=0) - means) / (len(sizes) - 1)
    blocks, weights = by_class(rows, sizes), by_class(soft[:, None], sizes)
    for block, weight, mean, other in zip(blocks, weights, means, others, strict=True):
        np.multiply(weight, np.add(block, mean - other, out=block), out=block)
    mixed = classes._replace(means=take_class_means(rows, sizes) + others)
    return float(true_class(probabilities(mixed, rows.T @ rows / len(rows)), sizes).mean())


def probabilities(classes: Classes, within: np.ndarray) -> np.ndarray:
    """Return p(class given example) by discriminant analysis, examples x classes; overwrite ``within``."""
    from scipy.special import softmax

    weights = class_weights(within, classes.means, classes.shrinkage, classes.width)
    between = classes.means @ weights  # classes x classes: logits of the class means
    offsets = between - between.diagonal() / 2 + np.log(classes.sizes / classes.sizes.sum())
    logits = classes.rows @ weights
    for block, offset in zip(by_class(logits, classes.sizes), offsets, strict=True):
        np.add(block, offset, out=block)
    return np.asarray(softmax(logits, axis=1))


def true_class(probs: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the probability of the class of each example, for rows that are sorted by class."""
    return np.asarray(probs[np.arange(len(probs)), np.repeat(np.arange(len(sizes)), sizes)])
