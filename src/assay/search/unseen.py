"""What is expected of models without any past task: what models of similar names reached.

Local kriging: each takes after the twenty models of the most similar names. How much names tell is chosen by
predicting each model with a past from the others; where they tell nothing, the mean is expected.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

_NEIGHBOURS = 20
_SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 0.95)  # of the differences between models that names tell


class NameWeights(NamedTuple):
    """What models without a past take over from those with one.

    Attributes:
        weights: Of the deviation of each model with a past: models without x models with one.
        left: For each model without a past, the share of the variance between models that names do not tell.
    """

    weights: np.ndarray
    left: np.ndarray


def weights_by_names(
    alike: np.ndarray, seen: np.ndarray, deviations: np.ndarray, noise: np.ndarray
) -> NameWeights:
    """Return by which weights models without a past take after those with one.

    Args:
        alike: Similarity of the names, 0 to 1: models x models.
        seen: Whether a model has a past; at least one has.
        deviations: Of each model with a past from the mean, in standard deviations between models.
        noise: The variance of the error of each deviation, in the same unit.
    """
    among = alike[np.ix_(seen, seen)]
    to_others = among - 2 * np.eye(len(among))  # no model predicts itself
    nearest = _nearest(to_others)
    errors = []
    for share in _SHARES:
        weights = _kriged(to_others, nearest, among, noise, share).weights
        errors.append(float(np.square(deviations - weights @ deviations).mean()))
    to_unseen = alike[np.ix_(~seen, seen)]
    return _kriged(to_unseen, _nearest(to_unseen), among, noise, _SHARES[int(np.argmin(errors))])


def _nearest(to: np.ndarray) -> np.ndarray:
    count = min(_NEIGHBOURS, to.shape[1])
    return np.argpartition(-to, count - 1, axis=1)[:, :count]


def _kriged(
    to: np.ndarray, nearest: np.ndarray, among: np.ndarray, noise: np.ndarray, share: float
) -> NameWeights:
    count = nearest.shape[1]
    cross = share * np.maximum(np.take_along_axis(to, nearest, axis=1), 0.0)
    joint = share * among[nearest[:, :, None], nearest[:, None, :]]
    joint[:, np.arange(count), np.arange(count)] = 1.0 + noise[nearest]
    local = np.linalg.solve(joint, cross[:, :, None])[:, :, 0]
    weights = np.zeros(to.shape)
    np.put_along_axis(weights, nearest, local, axis=1)
    return NameWeights(weights, 1.0 - (local * cross).sum(axis=1))
