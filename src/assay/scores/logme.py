"""LogME: the log evidence of the labels under a Bayesian linear model on the features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.core.task import LabelKind
from assay.moments.folded import FoldedMoments
from assay.moments.spectrum import Spectrum
from assay.plugins.method import EVERY_KIND, Invariance, MomentScore

_TOLERANCE = 1e-3  # relative change of alpha/beta that ends the published iteration
_FLOOR = 1e-5  # added to the denominators of alpha and beta, as published: finite for a perfect fit
_LEAST_NOISE = 1e-10  # of the energy of the labels: features that fit them exactly have a finite evidence
_BEYOND = 1e12  # how far beyond the eigenvalues alpha/beta is searched; there the evidence is constant
_STEP = 0.5  # of log(alpha/beta) on the grid; each term of the evidence varies over 1 or more
_NEAR = 0.05  # nats per example: a peak of the grid that is lower by more cannot hold the maximum
_ROUNDS = 60  # most steps of Newton's method on a peak; bisection alone would need about 40
_OPTIMISERS = ("global", "published")


@dataclass(frozen=True, slots=True)
class LogME(MomentScore):
    """LogME: the largest log evidence per example of y = Fw + noise, averaged over the target columns.

    It is the probability of the labels with the weights integrated out, maximised over the precisions of
    prior and noise (alpha, beta). Classes are one-hot columns, one against the rest. The scale of the
    features does not change the value. The variance of the noise is at least 1e-10 of the mean square of
    the labels, so that features that fit the labels exactly have a finite value.

    References:
        LogME: Practical Assessment of Pre-trained Models for Transfer Learning (You et al., 2021),
        https://arxiv.org/abs/2102.11005
        Ranking and Tuning Pre-trained Models (You et al., 2022), https://arxiv.org/abs/2110.10545, for the
        fixed point that finds alpha and beta.

    Note:
        The value is that of the first paper for every N and D. The code published with the second counts
        D/2 log(alpha) against a determinant over min(N, D) directions, so that its value grows with D where
        N < D; here both run over the same directions. Features are not centred and there is no intercept, as
        published. The mean is over the classes that have examples. The published iteration begins at
        alpha = beta = 1 and stops early, so that its value depends on the scale of the features:
        ``logme(optimiser='published')``.

    Attributes:
        max_steps: Most steps of the published iteration; the published code makes 11.
        optimiser: "global" for the largest evidence, or "published".

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
    optimiser: str = "global"

    version: ClassVar[int] = 2
    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND
    invariances: ClassVar[frozenset[Invariance]] = frozenset({Invariance.ROTATION})

    def __post_init__(self) -> None:
        if self.max_steps < 1:
            raise UsageError(f"logme(max_steps={self.max_steps}) has no step. Write max_steps=11.")
        if self.optimiser not in _OPTIMISERS:
            raise UsageError(f"optimiser is '{self.optimiser}'. Write {' or '.join(map(repr, _OPTIMISERS))}.")

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
        energy = LabelEnergy.of(columns, total.target_square[used], total.count)
        if self.optimiser == "published":
            return float(published_evidences(energy, self.max_steps).mean())
        return float(largest_evidences(energy).mean())


class LabelEnergy(NamedTuple):
    """The squared norm of each target column, by the directions of the features.

    Attributes:
        values: The eigenvalues of F'F.  # rank
        inside: The part along each direction.  # rank x columns
        outside: The part that the features cannot reach.  # columns
        examples: The number of examples.
    """

    values: np.ndarray
    inside: np.ndarray
    outside: np.ndarray
    examples: int

    @classmethod
    def of(cls, spectrum: Spectrum, target_square: np.ndarray, count: int) -> LabelEnergy:
        """Return the energy of the projected targets of a spectrum."""
        inside = np.square(spectrum.cross) / spectrum.values[:, None]
        outside = np.maximum(target_square - inside.sum(axis=0), 0.0)
        outside *= len(spectrum.values) < count  # none where each example has a direction of its own
        return cls(spectrum.values, inside, outside, count)


def largest_evidences(energy: LabelEnergy) -> np.ndarray:
    """Return the largest log evidence per example of each target column.

    For each ratio r = alpha/beta the best beta is known, which leaves a function of log(r) alone: N/2 log(N /
    (2 pi e R)) - 1/2 sum log(1 + s/r), with R = sum of inside * r/(s + r), plus outside. It may have several
    peaks: a grid finds them, and Newton's method, kept within a bracket, climbs each that may be the highest.
    """
    values, count = energy.values, energy.examples
    outside = energy.outside + _LEAST_NOISE * (energy.outside + energy.inside.sum(axis=0))
    ends = np.log(values.min() / _BEYOND), np.log(values.max() * _BEYOND)
    grid = np.linspace(*ends, 1 + int(np.ceil((ends[1] - ends[0]) / _STEP)))
    shrunk = 1 / (1 + values / np.exp(grid)[:, None])
    volume = np.log1p(values / np.exp(grid)[:, None]).sum(axis=1)
    height = -np.log(shrunk @ energy.inside + outside) / 2 - volume[:, None] / (2 * count)

    padded = np.pad(height, ((1, 1), (0, 0)), constant_values=-np.inf)
    is_peak = (height >= padded[:-2]) & (height >= padded[2:]) & (height >= height.max(axis=0) - _NEAR)
    points, columns = np.nonzero(is_peak)
    near = grid[1] - grid[0]
    ratios = _climbed(energy, outside, columns, (grid[points] - near, grid[points] + near))
    parts = values[:, None] / np.exp(ratios)
    rest = (energy.inside[:, columns] / (1 + parts)).sum(axis=0) + outside[columns]
    climbed = -np.log(rest) / 2 - np.log1p(parts).sum(axis=0) / (2 * count)

    best = height.max(axis=0)
    np.maximum.at(best, columns, climbed)
    return np.asarray(best + (np.log(count / (2 * np.pi)) - 1) / 2)


def _climbed(
    energy: LabelEnergy, outside: np.ndarray, columns: np.ndarray, bracket: tuple[np.ndarray, np.ndarray]
) -> np.ndarray:
    """Return log(alpha/beta) at the peak within each bracket, by Newton's method with bisection."""
    values, inside = energy.values[:, None], energy.inside[:, columns]
    low, high = bracket
    at = (low + high) / 2
    for _ in range(_ROUNDS):
        shrunk = 1 / (1 + values / np.exp(at))  # r / (s + r)
        free = shrunk * (1 - shrunk)
        rest = (inside * shrunk).sum(axis=0) + outside[columns]
        first = (inside * free).sum(axis=0) / rest
        second = (inside * free * (1 - 2 * shrunk)).sum(axis=0) / rest
        slope = (1 - shrunk).sum(axis=0) - energy.examples * first
        bend = -free.sum(axis=0) - energy.examples * (second - first**2)
        low, high = np.where(slope > 0, at, low), np.where(slope > 0, high, at)
        with np.errstate(divide="ignore", invalid="ignore"):
            newton = at - slope / bend
        is_inside = (newton > low) & (newton < high) & (bend < 0)
        following = np.where(is_inside, newton, (low + high) / 2)
        moved, at = np.abs(following - at).max(), following
        if moved < 1e-9:
            break
    return np.asarray(at)


def published_evidences(energy: LabelEnergy, max_steps: int) -> np.ndarray:
    """Return the log evidence per example of each target column where the published iteration stops."""
    values, inside, outside, count = energy.values[:, None], energy.inside, energy.outside, energy.examples
    evidence = np.empty(len(outside))
    open_columns = np.arange(len(outside))
    ratio = np.ones(len(outside))  # alpha / beta, both 1 at the start
    for step in range(max_steps):
        inside_now = inside[:, open_columns]
        shrunk = ratio / (values + ratio)
        weights = (values * inside_now / np.square(values + ratio)).sum(axis=0)  # |m|^2
        residual = (inside_now * np.square(shrunk)).sum(axis=0) + outside[open_columns]
        gamma = (values / (values + ratio)).sum(axis=0)
        free = shrunk.sum(axis=0)  # rank - gamma, without the cancellation
        alpha = gamma / (weights + _FLOOR)
        beta = (count - len(values) + free) / (residual + _FLOOR)
        evidence[open_columns] = log_evidence(energy.values, alpha, beta, (weights, residual), count) / count
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
