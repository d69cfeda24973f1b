"""Ridge regression on some of the folds of train, from their Moments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from assay.moments.moments import Moments
from assay.moments.spectrum import Spectrum

PENALTIES = tuple(10.0 ** (half / 2) for half in range(-10, 11))  # 1e-5 .. 1e5, in mean eigenvalues
PAIRS = ((0, 1), (2, 3))  # disjoint, so that both differ by chance as much as they can
_FREEST = 0.9  # share of the examples that the fit may use up: beyond, GCV becomes 0 / 0


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Ridge regression on folds that are not left out: (A + penalty I)^-1 B.

    A is the scatter of these folds about their mean, and B their cross sums.

    Attributes:
        count: The number of examples of these folds.
        shift: The value subtracted from each feature.  # width
        shifted_mean: The mean of the shifted features.  # width
        target_sum: The sum of each target column: class counts for classification.  # columns
        cross: The centred cross sums B.  # width x columns
        solution: (A + penalty I)^-1 B.  # width x columns
        penalty: The penalty, which all rules of one train share.
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
        """The mean of each target column in these folds."""
        return np.asarray(self.target_sum / self.count)

    def centred(self, features: np.ndarray) -> np.ndarray:
        """Subtract the mean of these folds from raw features."""
        centred = np.array(features, dtype=np.float64)
        centred -= self.shift + self.shifted_mean
        return centred

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the predictions of ridge regression on these folds: examples x columns."""
        return np.asarray(self.centred(features) @ self.solution + self.target_mean)


class RidgeFits(NamedTuple):
    """Ridge regression on parts of train.

    Attributes:
        left_out: For each fold, the rule of all other folds.
        pairs: Disjoint pairs of folds; none if there are fewer than five folds.
        on_pairs: For each pair, the rule of these two folds.
    """

    left_out: tuple[LeftOut, ...]
    pairs: tuple[tuple[int, int], ...]
    on_pairs: tuple[LeftOut, ...]


def rules_of(total: Moments, folds: Sequence[Moments], spectrum: Spectrum) -> RidgeFits:
    """Return the ridge solutions of all folds but one, and of pairs of folds.

    All have the penalty that generalised cross-validation chooses on all of train. With a normal prior the
    best penalty does not depend on the count, and that of few examples is chosen badly: where the other folds
    have about as many examples as features, rules with penalties of their own are up to 60 points worse. The
    shared penalty is the only information about the labels of a held-out fold that enters its rule.
    """
    penalty = choose_penalty(total, spectrum)
    pairs = PAIRS if len(folds) > max(map(max, PAIRS)) + 1 else ()
    inside = [tuple(set(range(len(folds))) - {number}) for number in range(len(folds))] + list(pairs)
    parts = [_sums(total, folds, numbers) for numbers in inside]
    crosses = [part.centred_cross() for part in parts]
    if total.scatter.rows is not None:
        solutions = _of_rows(total, folds, inside, penalty)
    else:
        solutions = _of_grams(total, folds, pairs, list(zip(parts, crosses, strict=True)), penalty)
    rules = [_rule(*each, penalty) for each in zip(parts, crosses, solutions, strict=True)]
    return RidgeFits(tuple(rules[: len(folds)]), pairs, tuple(rules[len(folds) :]))


def on_all(total: Moments, spectrum: Spectrum) -> LeftOut:
    """Return the ridge solution of all folds, from their spectrum."""
    penalty = choose_penalty(total, spectrum)
    solution = total.scatter.basis.expand(spectrum.cross / (spectrum.values + penalty)[:, None])
    return _rule(total, total.centred_cross(), solution, penalty)


def _sums(total: Moments, folds: Sequence[Moments], inside: Sequence[int]) -> Moments:
    """Return the sums of some folds, without their Gram or rows."""
    part = total
    for number, fold in enumerate(folds):
        if number not in inside:
            part = part.without(fold)
    return part


def _of_rows(
    total: Moments, folds: Sequence[Moments], inside: Sequence[Sequence[int]], penalty: float
) -> list[np.ndarray]:
    """Solve from stored rows in the dual form, by one Cholesky factor for each part."""
    from scipy.linalg import cho_factor, cho_solve

    scatter, targets = total.scatter, total.target_rows
    assert targets is not None
    fold_of = np.repeat(np.arange(len(folds)), [fold.count for fold in folds])
    shares = np.zeros((len(inside), *targets.shape))
    for numbers, share in zip(inside, shares, strict=True):
        rows = np.flatnonzero(np.isin(fold_of, numbers))
        dual = scatter.dual[np.ix_(rows, rows)]
        means = dual.mean(axis=0)
        dual -= means + (means - means.mean())[:, None]
        dual[np.diag_indices_from(dual)] += penalty
        factor = cho_factor(dual, lower=True, overwrite_a=True, check_finite=False)
        centred = targets[rows] - targets[rows].mean(axis=0)
        share[rows] = cho_solve(factor, centred, check_finite=False)
    return list(scatter.centred_rows.T @ shares)


def _of_grams(
    total: Moments,
    folds: Sequence[Moments],
    pairs: Sequence[tuple[int, int]],
    parts: Sequence[tuple[Moments, np.ndarray]],
    penalty: float,
) -> list[np.ndarray]:
    """Solve from stored Grams, by one Cholesky factor for each part.

    The Gram of each fold is computed once: it is subtracted from the total, and added to that of its pair.
    """
    whole = total.scatter.gram
    assert whole is not None
    space, both = np.empty_like(whole), np.empty_like(whole)
    solutions: list[np.ndarray] = []
    of_pairs: list[np.ndarray] = []
    starts, ends = ([pair[end] for pair in pairs] for end in (0, 1))
    for number, fold in enumerate(folds):
        gram = fold.scatter.full_gram()
        np.subtract(whole, gram, out=space)
        solutions.append(solve(space, *parts[number], penalty))
        if number in starts:
            np.copyto(both, gram)
        elif number in ends:
            both += gram
            of_pairs.append(solve(both, *parts[len(folds) + len(of_pairs)], penalty))
    return solutions + of_pairs


def _rule(part: Moments, cross: np.ndarray, solution: np.ndarray, penalty: float) -> LeftOut:
    return LeftOut(part.count, part.scatter.shift, part.mean(), part.target_sum, cross, solution, penalty)


def choose_penalty(moments: Moments, spectrum: Spectrum) -> float:
    """Return the penalty with the least generalised cross-validation error over all target columns.

    Penalties with which the fit uses up more than 0.9 of the degrees of freedom are not considered.

    Args:
        moments: Moments of the training examples.
        spectrum: Spectrum of their scatter, with their centred targets.

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
    free = moments.count - 1 - len(values) + shrunk.sum(axis=1)  # residual degrees of freedom
    allowed = free >= (1 - _FREEST) * (moments.count - 1)
    error = residual / np.square(np.maximum(free, np.finfo(np.float64).eps))
    return float(penalties[np.argmin(np.where(allowed, error, np.inf))])


def solve(gram: np.ndarray, moments: Moments, cross: np.ndarray, penalty: float) -> np.ndarray:
    """Return (A + penalty I)^-1 B, width x columns, by a Cholesky factor; the Gram is overwritten."""
    from scipy.linalg import cho_factor, cho_solve
    from scipy.linalg.blas import dsyr

    scatter = dsyr(-1.0 / moments.count, moments.scatter.feature_sum, lower=1, a=gram.T, overwrite_a=True)
    scatter[np.diag_indices_from(scatter)] += penalty
    factor = cho_factor(scatter, lower=True, overwrite_a=True, check_finite=False)
    return np.asarray(cho_solve(factor, cross, check_finite=False))
