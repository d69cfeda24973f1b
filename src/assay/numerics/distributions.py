"""Quantiles and tails of distributions, as ``scipy.stats`` computes them, which takes a second to import."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import special


def normal_quantile(share: ArrayLike) -> np.ndarray:
    """Return where the standard normal distribution reaches a share.

    >>> float(normal_quantile(0.975).round(3))
    1.96
    """
    return np.asarray(special.ndtri(share))


def normal_tail(value: ArrayLike) -> np.ndarray:
    """Return the share of the standard normal distribution above a value.

    >>> float(normal_tail(1.96).round(3))
    0.025
    """
    return np.asarray(special.ndtr(-np.asarray(value)))


def student_quantile(share: ArrayLike, freedom: ArrayLike) -> np.ndarray:
    """Return where Student's t with these degrees of freedom reaches a share.

    >>> float(student_quantile(0.975, 4).round(3))
    2.776
    """
    return np.asarray(special.stdtrit(freedom, share))


def student_tail(value: ArrayLike, freedom: ArrayLike) -> np.ndarray:
    """Return the share of Student's t with these degrees of freedom above a value.

    >>> float(student_tail(2.776, 4).round(3))
    0.025
    """
    return np.asarray(special.stdtr(freedom, -np.asarray(value)))


def beta_quantile(share: float, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return where the beta distribution reaches a share; NaN if a parameter is 0.

    >>> beta_quantile(0.5, np.array([1.0, 0.0]), np.array([1.0, 1.0])).tolist()
    [0.5, nan]
    """
    return np.asarray(special.betaincinv(first, second, share))


def fair_coin_share(heads: np.ndarray, tosses: np.ndarray) -> np.ndarray:
    """Return the probability of at most so many heads in tosses of a fair coin.

    >>> fair_coin_share(np.array([0, 1, 0, 3]), np.array([2, 2, 0, 3])).round(3).tolist()
    [0.25, 0.75, 1.0, 1.0]
    """
    tails = tosses - heads
    return np.where(tails > 0, special.betaincc(heads + 1.0, np.maximum(tails, 1.0), 0.5), 1.0)
