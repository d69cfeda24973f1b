"""Predicts models without past tasks from models with similar names.

Local kriging: each is predicted from the twenty models with the most similar names. How much names tell is
chosen by predicting each model with a past from the others; where they tell nothing, the mean is expected.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_NEIGHBOURS = 20
_SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 0.95)  # of the differences between models that names tell


class NameWeights(NamedTuple):
    """What models without a past take over from those with one.

    Attributes:
        weights: Of the deviation of each model with a past: wanted models x models with one.
        left: For each wanted model, the share of the variance between models that names do not tell.
    """

    weights: np.ndarray
    left: np.ndarray


def weights_by_names(
    alike: np.ndarray, seen: np.ndarray, wanted: np.ndarray, deviations: np.ndarray, noise: np.ndarray
) -> NameWeights:
    """Return the weights that predict models without past results from those with some.

    Args:
        alike: Similarity of the names, 0 to 1: models x models.
        seen: Whether a model has a past; at least one has.
        wanted: Whether weights are returned for a model; it has no past.
        deviations: Of each model with a past from the mean, in standard deviations between models.
        noise: The variance of the error of each deviation, in the same unit.
    """
    among = alike[np.ix_(seen, seen)]
    to_others = among.copy()
    np.fill_diagonal(to_others, -1.0)  # no model predicts itself
    nearest = _nearest(to_others)
    local = _local(to_others, nearest, among)
    errors = []
    for share in _SHARES:
        weights, _ = _kriged(*local, noise[nearest], share)
        errors.append(float(np.square(deviations - (weights * deviations[nearest]).sum(axis=1)).mean()))
    to_wanted = alike[np.ix_(wanted, seen)]
    nearest = _nearest(to_wanted)
    local = _local(to_wanted, nearest, among)
    weights, left = _kriged(*local, noise[nearest], _SHARES[int(np.argmin(errors))])
    spread = np.zeros(to_wanted.shape)
    np.put_along_axis(spread, nearest, weights, axis=1)
    return NameWeights(spread, left)


def _nearest(to: np.ndarray) -> np.ndarray:
    count = min(_NEIGHBOURS, to.shape[1])
    return np.argpartition(-to, count - 1, axis=1)[:, :count]


def _local(to: np.ndarray, nearest: np.ndarray, among: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the similarities of each model to its nearest models, and among them."""
    cross = np.maximum(np.take_along_axis(to, nearest, axis=1), 0.0)
    return cross, among[nearest[:, :, None], nearest[:, None, :]]


def _kriged(
    cross: np.ndarray, joint: np.ndarray, noise: np.ndarray, share: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights of the nearest of each model, and the share of the variance that is left."""
    cross, joint = share * cross, share * joint
    places = np.arange(cross.shape[1])
    joint[:, places, places] = 1.0 + noise
    weights = np.linalg.solve(joint, cross[:, :, None])[:, :, 0]
    return weights, 1.0 - (weights * cross).sum(axis=1)
