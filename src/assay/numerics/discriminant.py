"""Linear discriminant analysis with SFDA's regularisation, by a Cholesky factor."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.features import LabelledFeatures

STRENGTH = 5.0  # of the regularisation in its published form: exp(-5 times the largest eigenvalue)
FLOOR = 1e-10  # of the regularisation, as published
_CERTAIN = 1e-7  # distance from 1 that rounding alone can cause in a mean probability
_ROUNDING = (16 * float(np.finfo(np.float64).eps)) ** 2  # share of all squares that rounding alone can leave


class Classes(NamedTuple):
    """The inputs of discriminant analysis.

    Attributes:
        rows: Examples minus the mean of their class, sorted by class.  # examples x coordinates
        means: The mean of each class.  # classes x coordinates
        sizes: The number of examples of each class.
        width: The number of features; there may be fewer coordinates.
    """

    rows: np.ndarray
    means: np.ndarray
    sizes: np.ndarray
    width: int

    def within(self) -> np.ndarray:
        """Return the scatter within classes over the number of examples."""
        return np.asarray(self.rows.T @ self.rows / len(self.rows))


def classes_of(train: LabelledFeatures) -> tuple[Classes, np.ndarray]:
    """Return the classes of train in coordinates of their span, and the vector of ones in these.

    Raises:
        NotApplicable: Fewer than two classes have examples, or features are constant within all classes.
    """
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
    return Classes(rows, means, sizes, train.features.width), ones


def sorted_by_class(train: LabelledFeatures, sizes: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """Return the examples minus the centre, sorted by class, in double precision."""
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


def probabilities(classes: Classes, weights: np.ndarray) -> np.ndarray:
    """Return p(class given example), examples x classes, from the linear weights of each class."""
    from scipy.special import softmax

    between = classes.means @ weights  # classes x classes: logits of the class means
    offsets = between - between.diagonal() / 2 + np.log(classes.sizes / classes.sizes.sum())
    logits = classes.rows @ weights
    for block, offset in zip(by_class(logits, classes.sizes), offsets, strict=True):
        np.add(block, offset, out=block)
    return np.asarray(softmax(logits, axis=1))


def true_class(probs: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return the probability of the class of each example, for rows that are sorted by class."""
    return np.asarray(probs[np.arange(len(probs)), np.repeat(np.arange(len(sizes)), sizes)])


def require_unsaturated(value: float, train: LabelledFeatures, classes: int, instead: str) -> None:
    """Raise ``NotApplicable`` if the mean probability is 1 for every model with so few examples."""
    if value > 1 - _CERTAIN and is_singular(train.matrix, classes):
        raise NotApplicable(
            f"Without regularisation, {len(train)} examples of {train.features.width} features give 1 to "
            f"every model. Use {instead} or lda_cv."
        )


def in_their_span(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return few rows in an orthonormal basis of their span, and the vector of ones projected on it."""
    if len(rows) >= rows.shape[1]:
        return rows, np.ones(rows.shape[1])
    basis, coordinates = np.linalg.qr(rows.T)
    return np.ascontiguousarray(coordinates.T), basis.sum(axis=0)


def is_singular(matrix: np.ndarray, classes: int) -> bool:
    """Return whether nonconstant features outnumber the degrees of freedom within classes."""
    return bool(len(matrix) - classes < np.count_nonzero(np.ptp(matrix, axis=0)))


def published_shrinkage(within: np.ndarray, ones: np.ndarray) -> float:
    """Return the share of the identity in the within-class scatter; it falls with the variance.

    Args:
        within: The scatter within classes over the number of examples.
        ones: The vector of ones in the same coordinates, the start of the published power method.
    """
    return max(float(np.exp(-STRENGTH * largest_eigenvalue(within, ones))), FLOOR)


def largest_eigenvalue(within: np.ndarray, ones: np.ndarray) -> float:
    """Return y'Ax for y = A^6 1 and x = A^7 1 of length 1, where A is the scatter within classes."""
    x = within @ ones
    if np.linalg.norm(x) <= 1e-12 * np.trace(within):  # all rows sum to one number: the start is rounding
        x = within[:, within.diagonal().argmax()]
    y = x
    for _ in range(6):
        y, x = x, within @ x
        x = x / np.linalg.norm(x)
    return float(x @ within @ y)


def class_weights(within: np.ndarray, means: np.ndarray, shrinkage: float, width: int) -> np.ndarray:
    """Return inverse(shrunk scatter) @ class means, coordinates x classes; ``within`` is overwritten.

    The generalised eigenvectors V of the published form satisfy VV' = inverse(shrunk scatter).

    Args:
        within: The scatter within classes over the number of examples, coordinates x coordinates.
        means: The mean of each class, classes x coordinates.
        shrinkage: The share of the identity.
        width: The number of features; there may be fewer coordinates.
    """
    from scipy.linalg import cho_factor, cho_solve

    identity = shrinkage * np.trace(within) / width
    within *= 1.0 - shrinkage
    within[np.diag_indices_from(within)] += identity
    factor = cho_factor(within.T, lower=True, overwrite_a=True, check_finite=False)
    return np.asarray(cho_solve(factor, means.T, check_finite=False))
