"""GBC: the overlap of the classes, each modelled as a Gaussian."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.core.features import LabelledFeatures
from assay.numerics.principal import principal_components
from assay.plugins.method import Invariance, SampleScore

_COVARIANCES = ("spherical", "diagonal", "full")
_LOG_TERMS = ("all", "once")


@dataclass(frozen=True, slots=True)
class GBC(SampleScore):
    """Gaussian Bhattacharyya coefficient: minus its sum over all ordered pairs of classes.

    Features are reduced by PCA, each class becomes a Gaussian, and two classes overlap by exp(-B), where
    B = (mi - mj)' S^-1 (mi - mj) / 8 + log(det S / sqrt(det Si det Sj)) / 2 and S = (Si + Sj) / 2. The value
    is 0 if no classes overlap, and -C (C - 1) if all C classes are the same.

    References:
        Transferability Estimation using Bhattacharyya Class Separability (Pandy et al., 2022),
        https://arxiv.org/abs/2111.12780

    Note:
        google-research/google-research stable_transfer/transferability/gbc.py counts the log term of a
        spherical Gaussian once, not for each of its dimensions: log_terms="once"; it leaves PCA to the
        caller: pca=None. zhangyikaii/Model-Spider takes full covariances, divided by n - 1, and adds 1e-5 to
        determinants; here covariances are divided by n, and their eigenvalues have the floor. Directions of
        PCA beyond the rank of few examples count, with the variance of the floor, as scikit-learn has them.
        Without PCA, or with full covariances from few examples, wide noise overlaps less than narrow signal.

    Attributes:
        pca: The number of principal components, at most that of examples and of features; None for all
            features as they are.
        covariance: "spherical" (one variance for each class), "diagonal" or "full".
        log_terms: "all" dimensions of a spherical Gaussian, or "once" for the number of the published code.
        floor: The smallest variance of a feature in a class.
        log: Return minus the logarithm of the sum: higher is still better, and it never underflows.

    >>> from assay.core.features import Features
    >>> from assay.core.task import LabelKind, Labels
    >>> labels = Labels(LabelKind.CLASSIFICATION, np.arange(60) % 2, ("cat", "dog"))
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> signal = noise + 3 * labels.targets()[:, :1]
    >>> GBC()(LabelledFeatures(Features(signal), labels)) > GBC()(LabelledFeatures(Features(noise), labels))
    True
    """

    pca: int | None = 64
    covariance: str = "spherical"
    log_terms: str = "all"
    floor: float = 1e-4
    log: bool = False

    # with the default settings; without PCA, variances belong to the features as they are
    invariances: ClassVar[frozenset[Invariance]] = frozenset({Invariance.SHIFT, Invariance.ROTATION})

    def __post_init__(self) -> None:
        if self.pca is not None and self.pca < 1:
            raise UsageError(f"gbc(pca={self.pca}) leaves no features. Write pca=64, or pca=None for all.")
        if self.covariance not in _COVARIANCES:
            raise UsageError(
                f"covariance is '{self.covariance}'. Write {' or '.join(map(repr, _COVARIANCES))}."
            )
        if self.log_terms not in _LOG_TERMS:
            raise UsageError(f"log_terms is '{self.log_terms}'. Write {' or '.join(map(repr, _LOG_TERMS))}.")
        if self.log_terms == "once" and self.covariance != "spherical":
            raise UsageError("log_terms='once' is for covariance='spherical'. Write log_terms='all'.")
        if not self.floor > 0:
            raise UsageError(f"gbc(floor={self.floor}) allows a class without variance. Write floor=1e-4.")

    def __call__(self, train: LabelledFeatures) -> float:
        """Return minus the overlap, between -C (C - 1) and 0; or minus its logarithm."""
        from scipy.special import logsumexp

        classes = np.unique(train.labels.values)
        if len(classes) < 2:
            raise NotApplicable("Fewer than two classes have examples in train.")
        rows = np.asarray(train.matrix, dtype=np.float64)
        if (rows == rows[0]).all():
            raise NotApplicable("All features are constant on train.")
        if self.pca is not None:
            rows = _principal(rows, self.pca)
        distances = self._distances([rows[train.labels.values == label] for label in classes])
        overlap = float(np.log(2) + logsumexp(-distances))  # the log of the sum over ordered pairs
        if self.log:
            return -overlap
        if overlap < np.log(np.finfo(np.float64).tiny):
            raise NotApplicable(
                f"The classes overlap by exp({overlap:.0f}), which rounds to 0. Use gbc(log=True)."
            )
        return -float(np.exp(overlap))

    def _distances(self, members: list[np.ndarray]) -> np.ndarray:
        """Return the Bhattacharyya distance of each unordered pair of classes."""
        means = np.array([rows.mean(axis=0) for rows in members])
        if self.covariance == "full":
            return _full(means, np.array([_floored(rows, self.floor) for rows in members]))
        variances = np.maximum([rows.var(axis=0) for rows in members], self.floor)
        if self.covariance == "diagonal":
            return _axis_parallel(means, variances, 1.0)
        spherical = np.broadcast_to(variances.mean(axis=1, keepdims=True), variances.shape)
        return _axis_parallel(means, spherical, 1.0 if self.log_terms == "all" else 1.0 / means.shape[1])


def _principal(rows: np.ndarray, count: int) -> np.ndarray:
    """Return the leading principal components of the rows; components beyond their rank are 0."""
    components = principal_components(rows, count)
    missing = min(count, *rows.shape) - components.shape[1]
    return np.pad(components, ((0, 0), (0, missing)))


def _axis_parallel(means: np.ndarray, variances: np.ndarray, log_weight: float) -> np.ndarray:
    """Return the distances of Gaussians without correlations (means and variances: classes x width)."""
    logs = np.log(variances)
    distances = []
    for number in range(len(means) - 1):
        others = slice(number + 1, None)
        between = (variances[others] + variances[number]) / 2
        apart = (np.square(means[others] - means[number]) / between).sum(axis=1) / 8
        unlike = (np.log(between) - (logs[others] + logs[number]) / 2).sum(axis=1) / 2
        distances.append(apart + log_weight * unlike)
    return np.concatenate(distances)


def _full(means: np.ndarray, covariances: np.ndarray) -> np.ndarray:
    """Return the distances of Gaussians (means: classes x width; covariances: classes x width x width)."""
    logs = np.linalg.slogdet(covariances)[1]
    distances = []
    for number in range(len(means) - 1):
        others = slice(number + 1, None)
        between = (covariances[others] + covariances[number]) / 2
        gap = (means[others] - means[number])[:, :, None]
        apart = (gap * np.linalg.solve(between, gap)).sum(axis=(1, 2)) / 8
        unlike = (np.linalg.slogdet(between)[1] - (logs[others] + logs[number]) / 2) / 2
        distances.append(apart + unlike)
    return np.concatenate(distances)


def _floored(rows: np.ndarray, floor: float) -> np.ndarray:
    """Return the covariance of the rows with eigenvalues clipped from below at ``floor``."""
    centred = rows - rows.mean(axis=0)
    values, vectors = np.linalg.eigh(centred.T @ centred / len(rows))
    return np.asarray((vectors * np.maximum(values, floor)) @ vectors.T)
