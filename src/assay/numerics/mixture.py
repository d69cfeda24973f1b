"""Posteriors of a Gaussian mixture, and the likelihood of labels given such soft assignments."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np

from assay.core.errors import NotApplicable
from assay.numerics.gaussians import responsibilities
from assay.numerics.principal import principal_components

_BLOCK = 4096  # rows normalised at a time; bounds the memory
_LEAST_VARIANCE = 1e-6  # added to every variance of a component: scikit-learn's default
_ROUNDING = 1e-12  # the same relative to the largest variance, for a Cholesky factor of 100 dimensions


def posteriors(features: np.ndarray, components: int, energy: float, seed: int) -> np.ndarray:
    """Return the posterior of each component of a Gaussian mixture on principal components.

    The principal components are the fewest with more than a share ``energy`` of the variance. Each mixture
    component has a full covariance, fitted by expectation maximisation from k-means. The order of the
    examples does not matter: they are sorted before anything random is drawn.

    Args:
        features: Examples x width.
        components: The number of Gaussians.
        energy: The share of the variance to keep, above 0 and at most 1.
        seed: Seed of k-means.

    Returns:
        Examples x components; rows sum to 1.

    Raises:
        NotApplicable: There are fewer examples than components, or all features are constant.
    """
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    if len(features) < max(components, 2):
        raise NotApplicable(f"Train has {len(features)} examples for a mixture of {components} Gaussians.")
    order = _order_of_bytes(features)
    rows = np.asarray(features, dtype=np.float64)[order]
    coordinates = principal_components(rows, min(rows.shape), energy)
    if not coordinates.shape[1]:
        raise NotApplicable("All features are constant on train.")
    largest = np.abs(coordinates).argmax(axis=0)  # signs that do not depend on a rotation of the features
    coordinates *= np.sign(coordinates[largest, np.arange(coordinates.shape[1])])
    again = np.lexsort(coordinates.T[::-1])
    coordinates = coordinates[again]
    least = max(_LEAST_VARIANCE, _ROUNDING * float(coordinates.var(axis=0).max()))
    clusters = KMeans(
        components, n_init=1, random_state=np.random.RandomState(seed)
    )  # as scikit-learn starts
    with warnings.catch_warnings():  # as the mixture of scikit-learn starts
        warnings.simplefilter("ignore", ConvergenceWarning)  # fewer distinct examples than components
        assigned = clusters.fit(coordinates).labels_
    ordered = responsibilities(coordinates, assigned, components, least)
    probs: np.ndarray = np.empty(ordered.shape)
    probs[order[again]] = ordered
    return probs


def leep(probs: np.ndarray, labels: np.ndarray, *, log: bool) -> float:
    """Return the mean log expected likelihood of the labels, at most 0; or the mean without log."""
    likelihoods = expected_likelihoods(probs, labels)
    return min(float(np.log(likelihoods).mean()), 0.0) if log else min(float(likelihoods.mean()), 1.0)


def expected_likelihoods(probs: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the likelihood of each label under the label distributions of the components.

    With θ the probabilities, P(y|z) = Σ_{i: y_i = y} θ_iz / Σ_i θ_iz, and the value of example i is
    Σ_z P(y_i|z) θ_iz: the expected empirical prediction of LEEP. Rows are made to sum to 1 in double
    precision. Components that no example has any probability for are left out.

    Args:
        probs: Examples x components.
        labels: The class of each example.

    Raises:
        NotApplicable: There are no examples, or an example has zero probability everywhere.
    """
    present, positions = np.unique(labels, return_inverse=True)
    if not len(positions):
        raise NotApplicable("The source head gives no probabilities.")
    joint = np.zeros((len(present), probs.shape[1]))
    for rows, block in _normalised(probs):
        np.add.at(joint, positions[rows], block)
    marginal = joint.sum(axis=0)
    votes = joint / np.where(marginal > 0, marginal, 1.0)  # components without any probability add 0
    likelihoods = np.empty(len(positions))
    for rows, block in _normalised(probs):
        likelihoods[rows] = np.einsum("ij,ij->i", block, votes[positions[rows]])
    return likelihoods


def _order_of_bytes(matrix: np.ndarray) -> np.ndarray:
    """Return a canonical order of the rows."""
    rows = np.ascontiguousarray(matrix)
    return np.asarray(np.argsort(rows.view(np.dtype((np.void, rows.itemsize * rows.shape[1]))).ravel()))


def _normalised(matrix: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Yield blocks of rows in double precision, normalised to sum to 1."""
    for start in range(0, len(matrix), _BLOCK):
        rows = slice(start, start + _BLOCK)
        probs = np.asarray(matrix[rows], dtype=np.float64)
        sums = probs.sum(axis=1, keepdims=True)
        if not (sums > 0).all():
            raise NotApplicable("The source head gives no probabilities.")
        yield rows, probs / sums
