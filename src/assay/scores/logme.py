"""LogME: the log evidence of the labels under a Bayesian linear model on the features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.core.task import LabelKind
from assay.moments.folded import FoldedMoments
from assay.moments.spectrum import Spectrum
from assay.plugins.method import EVERY_KIND, Invariance, MomentScore

_TOLERANCE = 1e-3  # relative change of alpha/beta that ends the iteration, as published
_FLOOR = 1e-5  # added to the denominators of alpha and beta, as published: finite for a perfect fit


@dataclass(frozen=True, slots=True)
class LogME(MomentScore):
    """The largest log evidence per example of y = Fw + noise, averaged over the target columns.

    It is the probability of the labels with the weights integrated out, maximised over the precisions of
    prior and noise (alpha, beta). Classes are one-hot columns, one against the rest.

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
        max_steps: Most steps of the fixed point; the published code makes 11.

    >>> from assay.moments.stream import moments_of, stratified_folds
    >>> from assay.core.task import Labels
    >>> labels = Labels(LabelKind.CLASSIFICATION, np.arange(60) % 2, ("cat", "dog"))
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> signal = noise + 3 * labels.targets()[:, :1]
    >>> folds = stratified_folds(labels, 5, seed=0)
    >>> LogME()(moments_of(signal, labels, folds)) > LogME()(moments_of(noise, labels, folds))
    True
    """

    max_steps: int = 11

    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND
    invariances: ClassVar[frozenset[Invariance]] = frozenset({Invariance.ROTATION})

    def __post_init__(self) -> None:
        if self.max_steps < 1:
            raise UsageError(f"logme(max_steps={self.max_steps}) has no step. Write max_steps=11.")

    def __call__(self, train: FoldedMoments) -> float:
        """Return the mean log evidence per example, in nats."""
        total = train.total
        used = np.flatnonzero(total.target_square > 0)
        if train.kind is LabelKind.CLASSIFICATION and len(used) < 2:
            raise NotApplicable("Fewer than two classes have examples in train.")
        spectrum = train.uncentred
        if len(spectrum.values) == 0:
            raise NotApplicable("All features are zero on train.")
        if len(used) == 0:
            raise NotApplicable("All numbers to predict are zero on train.")
        columns = Spectrum(spectrum.values, spectrum.cross[:, used])
        return float(evidences(columns, total.target_square[used], total.count, self.max_steps).mean())


def evidences(spectrum: Spectrum, target_square: np.ndarray, count: int, max_steps: int) -> np.ndarray:
    """Return the log evidence per example of each target column; all columns iterate in parallel."""
    values = spectrum.values[:, None]
    inside = np.square(spectrum.cross) / values  # target energy along each direction of the features
    outside = np.maximum(target_square - inside.sum(axis=0), 0.0)  # target energy they cannot reach
    outside *= len(values) < count  # which is none where each example has a direction of its own
    evidence = np.empty(len(target_square))
    open_columns = np.arange(len(target_square))
    ratio = np.ones(len(target_square))  # alpha / beta, both 1 at the start
    for step in range(max_steps):
        inside_now = inside[:, open_columns]
        shrunk = ratio / (values + ratio)
        weights = (values * inside_now / np.square(values + ratio)).sum(axis=0)  # |m|^2
        residual = (inside_now * np.square(shrunk)).sum(axis=0) + outside[open_columns]
        gamma = (values / (values + ratio)).sum(axis=0)
        free = shrunk.sum(axis=0)  # rank - gamma, without the cancellation
        alpha = gamma / (weights + _FLOOR)
        beta = (count - len(values) + free) / (residual + _FLOOR)
        evidence[open_columns] = (
            log_evidence(spectrum.values, alpha, beta, (weights, residual), count) / count
        )
        moved = np.abs(alpha / beta - ratio) / ratio > _TOLERANCE
        if not moved.any() or step == max_steps - 1:
            break
        open_columns, ratio = open_columns[moved], (alpha / beta)[moved]
    return evidence


def log_evidence(
    values: np.ndarray,
    alpha: np.ndarray,
    beta: np.ndarray,
    squares: tuple[np.ndarray, np.ndarray],
    count: int,
) -> np.ndarray:
    """Return log p(y given F, alpha, beta), from the squared norms of the mean weights and the residual.

    It equals the log density of y under a normal with covariance I/beta + FF'/alpha if the squared norms
    belong to these alpha and beta.
    """
    weights, residual = squares
    volume = np.log1p((beta / alpha) * values[:, None]).sum(axis=0)  # log det over the directions of F only
    data = count * np.log(beta / (2 * np.pi)) - beta * residual
    return np.asarray((data - volume - alpha * weights) / 2)
