"""LogME: the log evidence of the labels under a Bayesian linear model on the features."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, NamedTuple

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.core.method import EVERY_KIND, Invariance, MomentScore
from assay.core.moments import FoldedMoments
from assay.core.task import Kind

_TOLERANCE = 1e-3  # relative change of alpha/beta that ends the iteration, as published
_FLOOR = 1e-5  # added to the denominators of alpha and beta, as published: finite for a perfect fit


@dataclass(frozen=True, slots=True)
class LogME(MomentScore):
    """The largest log evidence per example of y = Fw + noise, averaged over the target columns.

    It asks how probable the labels are when the weights are integrated out, with the precisions of prior and
    noise (alpha, beta) set to maximise that probability. Classes are one-hot columns, one against the rest.

    References:
        LogME: Practical Assessment of Pre-trained Models for Transfer Learning (You et al., 2021),
        https://arxiv.org/abs/2102.11005
        Ranking and Tuning Pre-trained Models (You et al., 2022), https://arxiv.org/abs/2110.10545, for the
        fixed point that finds alpha and beta.

    Note:
        The value is that of the first paper for every N and D. The code published with the second counts
        D/2 log(alpha) against a determinant over min(N, D) directions, so that its value grows with D where
        N < D; here both run over the same directions. Features are not centred and there is no intercept, as
        published. The mean is over the classes that have examples.

    Attributes:
        max_steps: Steps of the fixed point, at most; the published code makes 11.

    >>> from assay.core.stream import stratified_folds
    >>> from assay.core.task import Labels
    >>> labels = Labels(Kind.CLASSIFICATION, np.arange(60) % 2, ("cat", "dog"))
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> signal = noise + 3 * labels.targets()[:, :1]
    >>> folds = stratified_folds(labels, 5, seed=0)
    >>> LogME()(FoldedMoments.of(signal, labels, folds)) > LogME()(FoldedMoments.of(noise, labels, folds))
    True
    """

    max_steps: int = 11

    kinds: ClassVar[frozenset[Kind]] = EVERY_KIND
    invariances: ClassVar[frozenset[Invariance]] = frozenset({Invariance.ROTATION})

    def __post_init__(self) -> None:
        if self.max_steps < 1:
            raise UsageError(f"logme(max_steps={self.max_steps}) has no step. Write max_steps=11.")

    def __call__(self, train: FoldedMoments) -> float:
        """Return the mean log evidence per example, in nats."""
        total = train.total
        used = np.flatnonzero(total.target_square > 0)
        if train.kind is Kind.CLASSIFICATION and len(used) < 2:
            raise NotApplicable("Fewer than two classes have examples in train.")
        if len(used) == 0:
            raise NotApplicable("All numbers to predict are zero on train.")
        seen = uncentred(train)
        if not seen.values.any() and not seen.mean.any():
            raise NotApplicable("All features are zero on train.")
        columns = replace(seen, cross=seen.cross[:, used])
        return float(evidences(columns, total.target_square[used], self.max_steps).mean())


@dataclass(frozen=True, slots=True)
class Uncentred:
    """F'F and F'Y as they came, written in the eigenbasis V of the centred scatter.

    V'F'FV = diag(values) + count * mean mean': the one eigendecomposition that all scores share serves the
    uncentred Gram as well, by the formula of Sherman and Morrison.

    Attributes:
        values: Eigenvalues of the centred scatter, and 0 for the direction of the mean outside of it.
        mean: The mean of the features in these directions.
        cross: F'Y in these directions.  # directions x columns
        count: The number of examples.
    """

    values: np.ndarray
    mean: np.ndarray
    cross: np.ndarray
    count: int


def uncentred(train: FoldedMoments) -> Uncentred:
    """Return what LogME reads, from the shared spectrum."""
    total, (values, cross) = train.total, train.spectrum
    directions = total.scatter.mean_in_basis
    sums = np.vstack([cross, np.zeros(cross.shape[1])]) + np.outer(directions, total.target_sum)
    return Uncentred(np.append(values, 0.0), directions, sums, total.count)


def evidences(seen: Uncentred, target_square: np.ndarray, max_steps: int) -> np.ndarray:
    """Return the log evidence per example of each target column; all columns iterate side by side."""
    found = np.empty(len(target_square))
    open_columns = np.arange(len(target_square))
    ratio = np.ones(len(target_square))  # alpha / beta, both 1 at the start
    for step in range(max_steps):
        fit = posterior(seen, open_columns, ratio, target_square[open_columns])
        alpha = fit.gamma / (fit.weights + _FLOOR)
        beta = (seen.count - fit.gamma) / (fit.residual + _FLOOR)
        squares = (fit.weights, fit.residual)
        found[open_columns] = log_evidence(seen, alpha, beta, squares) / seen.count
        moved = np.abs(alpha / beta - ratio) / ratio > _TOLERANCE
        if not moved.any() or step == max_steps - 1:
            break
        open_columns, ratio = open_columns[moved], (alpha / beta)[moved]
    return found


class Posterior(NamedTuple):
    """The mean weights of some columns under their alpha / beta.

    Attributes:
        weights: Their squared norms.
        residual: The squared error that they leave.
        gamma: How many directions the labels determine, of all.
    """

    weights: np.ndarray
    residual: np.ndarray
    gamma: np.ndarray


def posterior(
    seen: Uncentred, columns: np.ndarray, ratio: np.ndarray, target_square: np.ndarray
) -> Posterior:
    """Return the posterior of some target columns, one alpha / beta each."""
    mean = seen.mean[:, None]
    inverse = 1.0 / (seen.values[:, None] + ratio)  # of the centred part, directions x columns
    pull = 1.0 / seen.count + (np.square(mean) * inverse).sum(axis=0)
    sums = seen.cross[:, columns]
    weights = inverse * (sums - mean * ((mean * inverse * sums).sum(axis=0) / pull))
    square = np.square(weights).sum(axis=0)
    residual = target_square - (weights * sums).sum(axis=0) - ratio * square
    twice = (np.square(mean * inverse)).sum(axis=0) / pull
    gamma = (seen.values[:, None] * inverse).sum(axis=0) + ratio * twice
    return Posterior(square, np.maximum(residual, 0.0), gamma)


def log_evidence(
    seen: Uncentred, alpha: np.ndarray, beta: np.ndarray, squares: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Return log p(y given F, alpha, beta), from the squares of the mean weights and of its residual.

    It equals the log density of y under a normal with covariance I/beta + FF'/alpha when the squares are
    those at these alpha and beta.
    """
    weights, residual = squares
    share = beta / alpha  # log det (I + share F'F), over the directions of F only
    within = (np.square(seen.mean)[:, None] * share / (1.0 + share * seen.values[:, None])).sum(axis=0)
    volume = np.log1p(share * seen.values[:, None]).sum(axis=0) + np.log1p(seen.count * within)
    data = seen.count * np.log(beta / (2 * np.pi)) - beta * residual
    return np.asarray((data - volume - alpha * weights) / 2)
