"""ETran: discriminant analysis, least squares, and the energy of the features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.core.features import LabelledFeatures
from assay.core.task import LabelKind
from assay.numerics.discriminant import (
    class_weights,
    classes_of,
    probabilities,
    published_shrinkage,
    require_unsaturated,
    true_class,
)
from assay.plugins.method import SampleScore

_PARTS = ("all", "energy", "lda", "regression")
_WEIGHTS = (0.85, 0.15)  # weights of discriminant analysis and energy, as published
_EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True, slots=True)
class ETran(SampleScore):
    """ETran: a label score and an energy score of the features, alone or combined.

    The parts, each of them higher for better models:

    - ``lda``: the mean probability of the true class under regularised linear discriminant analysis, in
      sample, between 0 and 1.
    - ``regression``: minus the mean squared error of least squares on the features without an intercept, in
      sample, in squared units of the numbers to predict.
    - ``energy``: the mean of log sum_d exp(x_d) over the ``percent`` of the examples where it is lowest.
    - ``all``: for classes 0.85 lda + 0.15 m / (1 + m), where m = exp(energy) / width is the mean of exp(x_d)
      that the energy measures; for numbers, which have no published weights, ``regression``.

    References:
        ETran: Energy-Based Transferability Estimation (Gholami et al., 2023), https://arxiv.org/abs/2308.02027

    Note:
        The published total is 0.85 lda + 0.15 energy after each is scaled to 0..1 over all models that are
        compared, so that a model's value changes when another one joins: ``mgholamikn/ETran tw.py``. Here
        each model has a value of its own, by the fixed scale of ``all``, which also takes out the log(width)
        that is part of the energy. To reproduce a table, ask for ``etran(part='lda', whiten=False)`` and
        ``etran(part='energy')`` and scale the values of your models.
        The published analysis passes a matrix that is not symmetric to a solver for symmetric ones. Its
        eigenvectors are orthonormal, so that the scatter within classes cancels out: what remains is the
        nearest class mean in plain distance. That is ``whiten=False``; the plain name solves the right
        problem. The published ``regression`` cannot run (it uses a variable that is never set).
        Below 200 examples the published energy is a mean over none; here one example at least is in it.
        Both label scores are in sample, so they favour wide features: with as many features as examples they
        are equal for every model and do not apply.

    Attributes:
        part: ``all``, ``lda``, ``regression`` or ``energy``.
        whiten: Whether discriminant analysis divides by the scatter within classes (the correct form).
        percent: Percentage of the examples in the mean energy.

    >>> import assay
    >>> labels = np.arange(60) % 2
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> assay.score(noise + 3 * labels[:, None], labels, "etran") > assay.score(noise, labels, "etran")
    True
    """

    part: str = "all"
    whiten: bool = True
    percent: float = 0.5

    favours_width: ClassVar[bool] = True
    kinds: ClassVar[frozenset[LabelKind]] = frozenset({LabelKind.CLASSIFICATION, LabelKind.REGRESSION})

    def __post_init__(self) -> None:
        if self.part not in _PARTS:
            raise UsageError(
                f"etran(part='{self.part}') is not a part. Write {', '.join(map(repr, _PARTS))}."
            )
        if not 0.1 <= self.percent <= 100:
            raise UsageError(f"etran(percent={self.percent}) is not between 0.1 and 100. Write percent=0.5.")

    def __call__(self, train: LabelledFeatures) -> float:
        """Return the chosen part, or all parts on a fixed scale."""
        if self.part == "energy":
            return lowest_energy(train.matrix, self.percent)
        is_numbers = train.labels.kind is LabelKind.REGRESSION
        if self.part == "regression" and not is_numbers:
            raise NotApplicable("Least squares needs numbers to predict. Use etran(part='lda') for classes.")
        if self.part == "lda" and is_numbers:
            raise NotApplicable("Discriminant analysis needs classes. Use etran(part='regression').")
        if is_numbers:
            return -least_squares_error(train)
        fit = true_class_probability(train, whiten=self.whiten)
        if self.part == "lda":
            return fit
        energy = lowest_energy(train.matrix, self.percent) - np.log(train.features.width)
        familiar = float(np.exp(min(energy, 0.0)) / (np.exp(-abs(energy)) + 1.0))  # m / (1 + m)
        return _WEIGHTS[0] * fit + _WEIGHTS[1] * familiar


def lowest_energy(matrix: np.ndarray, percent: float) -> float:
    """Return the mean of log sum exp over the rows of ``matrix`` where it is lowest."""
    from scipy.special import logsumexp

    energies = np.sort(logsumexp(np.asarray(matrix, dtype=np.float64), axis=1))
    lowest = int(percent * 10) * len(energies) // 1000  # as published: percent counts in tenths
    return float(energies[: max(lowest, 1)].mean())


def least_squares_error(train: LabelledFeatures) -> float:
    """Return the mean squared error of the numbers against their least squares fit, without an intercept.

    The weights come from the Gram of the features; the error is computed from explicit residuals, where
    errors of the weights enter only squared.
    """
    x, y = np.asarray(train.matrix, dtype=np.float64), train.labels.targets()
    if len(x) <= x.shape[1]:
        raise NotApplicable(
            f"{len(x)} examples of {x.shape[1]} features leave no error to any model. Use ridge_cv."
        )
    if not y.any():
        raise NotApplicable("All numbers to predict are zero on train.")
    values, vectors = np.linalg.eigh(x.T @ x)
    kept = values > values[-1] * len(values) * _EPS
    if not kept.any():
        raise NotApplicable("All features are zero on train.")
    directions = vectors[:, kept]
    weights = directions @ ((directions.T @ (x.T @ y)) / values[kept][:, None])
    return float(np.square(y - x @ weights).mean())


def true_class_probability(train: LabelledFeatures, *, whiten: bool) -> float:
    """Return the mean probability of the true class by discriminant analysis on the same examples."""
    classes, ones = classes_of(train)
    if not whiten:
        return float(true_class(probabilities(classes, classes.means.T), classes.sizes).mean())
    within = classes.within()
    shrinkage = published_shrinkage(within, ones)
    weights = class_weights(within, classes.means, shrinkage, classes.width)
    value = float(true_class(probabilities(classes, weights), classes.sizes).mean())
    require_unsaturated(value, train, len(classes.sizes), "etran(whiten=False)")
    return value
