"""Ridge regression on all folds but one, from Moments: the linear rules that judge each fold from outside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from assay.core.spectrum import Spectrum

if TYPE_CHECKING:
    from assay.core.moments import FoldedMoments, Moments

PENALTIES = tuple(10.0 ** (half / 2) for half in range(-10, 11))  # 1e-5 .. 1e5, in mean eigenvalues


@dataclass(frozen=True, eq=False)
class LeftOut:
    """What the other folds say: the ridge solution (A + penalty I)^-1 B of their scatter A and cross sums B.

    Attributes:
        count: The number of examples of the other folds.
        shift: What was subtracted from each feature.  # width
        shifted_mean: The mean of the features after that.  # width
        target_sum: The sum of each target column: class counts for classification.  # columns
        cross: Their cross sums about the mean, B.  # width x columns
        solution: (A + penalty I)^-1 B.  # width x columns
        penalty: What generalised cross-validation on the other folds chose.
    """

    count: int
    shift: np.ndarray
    shifted_mean: np.ndarray
    target_sum: np.ndarray
    cross: np.ndarray
    solution: np.ndarray
    penalty: float

    @property
    def target_mean(self) -> np.ndarray:
        """The mean of each target column in the other folds."""
        return np.asarray(self.target_sum / self.count)

    def centred(self, features: np.ndarray) -> np.ndarray:
        """Return features as they came less the mean of the other folds."""
        centred: np.ndarray = np.asarray(features, dtype=np.float64) - (self.shift + self.shifted_mean)
        return centred

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return what ridge regression on the other folds says of some examples: examples x columns."""
        return np.asarray(self.centred(features) @ self.solution + self.target_mean)


def left_out(train: FoldedMoments) -> tuple[LeftOut, ...]:
    """Return the ridge solution of the other folds for each fold; none of its own labels is used."""
    if train.total.scatter.rows is not None:
        return tuple(_of_few(train.without(number)) for number in range(len(train.folds)))
    return _of_many(train)


def _of_few(others: Moments) -> LeftOut:
    spectrum = others.spectrum()
    penalty = choose_penalty(others, spectrum)
    solution = others.scatter.basis.expand(spectrum.cross / (spectrum.values + penalty)[:, None])
    return _rule(others, others.centred_cross(), solution, penalty)


def _of_many(train: FoldedMoments) -> tuple[LeftOut, ...]:
    """Return the rules where Grams are kept: one penalty and one Cholesky factor for each fold.

    All products of numpy come before all factors of scipy, and one Gram is taken away at a time: two BLAS
    libraries in turn wait for each other's threads.
    """
    total, basis = train.total, train.total.scatter.basis  # of all folds: features say nothing of labels
    bare = [total.without(fold, gram=False) for fold in train.folds]
    crosses = [others.centred_cross() for others in bare]
    projected = np.split(basis.project(np.hstack(crosses)), len(bare), axis=1)
    penalties = [
        choose_penalty(others, Spectrum(others.count / total.count * basis.values, part))
        for others, part in zip(bare, projected, strict=True)
    ]
    assert total.scatter.gram is not None
    space, rules = np.empty_like(total.scatter.gram), []
    for fold, others, cross, penalty in zip(train.folds, bare, crosses, penalties, strict=True):
        np.subtract(total.scatter.gram, fold.scatter.full_gram(), out=space)
        rules.append(_rule(others, cross, solve(space, others, cross, penalty), penalty))
    return tuple(rules)


def _rule(others: Moments, cross: np.ndarray, solution: np.ndarray, penalty: float) -> LeftOut:
    shift, mean = others.scatter.shift, others.mean()
    return LeftOut(others.count, shift, mean, others.target_sum, cross, solution, penalty)


def choose_penalty(moments: Moments, spectrum: Spectrum) -> float:
    """Return the penalty of least generalised cross-validation error over all target columns.

    Args:
        moments: What is learned from.
        spectrum: Of their scatter, or near it, with their centred targets in it.

    References:
        Generalized Cross-Validation as a Method for Choosing a Good Ridge Parameter (Golub, Heath and Wahba,
        1979), https://doi.org/10.1080/00401706.1979.10489751
    """
    values, cross = spectrum
    if not len(values):
        return 1.0
    inside = np.square(cross).sum(axis=1) / values  # target energy along each direction of the features
    energy = float(moments.centred_target_square().sum())
    outside = max(energy - float(inside.sum()), 0.0)
    penalties = np.array(PENALTIES) * values.sum() / min(moments.count, moments.width)
    shrunk = penalties[:, None] / (values + penalties[:, None])
    residual = np.square(shrunk) @ inside + outside
    free = moments.count - 1 - len(values) + shrunk.sum(axis=1)  # degrees of freedom that are left
    free = np.maximum(free, np.finfo(np.float64).eps)
    return float(penalties[np.argmin(residual / np.square(free))])


def solve(gram: np.ndarray, moments: Moments, cross: np.ndarray, penalty: float) -> np.ndarray:
    """Return (A + penalty I)^-1 B, width x columns, by a Cholesky factor; the Gram is overwritten."""
    from scipy.linalg import cho_factor, cho_solve
    from scipy.linalg.blas import dger

    total = moments.scatter.feature_sum
    scatter = dger(-1.0 / moments.count, total, total, a=gram.T, overwrite_a=True)
    scatter[np.diag_indices_from(scatter)] += penalty
    factor = cho_factor(scatter, lower=True, overwrite_a=True, check_finite=False)
    return np.asarray(cho_solve(factor, cross, check_finite=False))
