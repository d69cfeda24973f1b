"""Linear discriminant analysis as SFDA regularises it: a Cholesky factor in place of an eigenproblem."""

from __future__ import annotations

import numpy as np

STRENGTH = 5.0  # of the regularisation in its published form: exp(-5 times the largest eigenvalue)
FLOOR = 1e-10  # of the regularisation, as published


def in_their_span(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return few rows in an orthonormal basis of their span, and the vector of ones projected on it."""
    if len(rows) >= rows.shape[1]:
        return rows, np.ones(rows.shape[1])
    basis, coordinates = np.linalg.qr(rows.T)
    return np.ascontiguousarray(coordinates.T), basis.sum(axis=0)


def is_singular(matrix: np.ndarray, classes: int) -> bool:
    """Return whether features that are not constant outnumber what varies within classes."""
    return bool(len(matrix) - classes < np.count_nonzero(np.ptp(matrix, axis=0)))


def published_shrinkage(within: np.ndarray, ones: np.ndarray) -> float:
    """Return the share of the identity in the scatter within classes: the less, the more the features vary.

    Args:
        within: The scatter within classes over the number of examples.
        ones: The vector of ones in the same coordinates, where the published power method starts.
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
        width: The number of features, of which the coordinates may be fewer.
    """
    from scipy.linalg import cho_factor, cho_solve

    identity = shrinkage * np.trace(within) / width
    within *= 1.0 - shrinkage
    within[np.diag_indices_from(within)] += identity
    factor = cho_factor(within.T, lower=True, overwrite_a=True, check_finite=False)
    return np.asarray(cho_solve(factor, means.T, check_finite=False))
