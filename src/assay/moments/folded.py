"""Moments of train by fold, and ridge regression on all folds but one for out-of-sample estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np

from assay.core.task import LabelKind
from assay.moments.moments import SUMS, Moments, merged
from assay.moments.scatter import Scatter
from assay.moments.spectrum import Spectrum, Tridiagonal

_Solved = tuple[list[np.ndarray], list[float]]  # a solution and a penalty for each fold
_FOURTH = ("q4", "v3", "q2")  # names of the fourth powers in files
PENALTIES = tuple(10.0 ** (half / 2) for half in range(-10, 11))  # 1e-5 .. 1e5, in mean eigenvalues


@dataclass(frozen=True, eq=False)
class FoldedMoments:
    """Moments of train by fold, for out-of-sample estimates.

    Attributes:
        folds: One Moments for each fold, none of them empty.
        kind: The kind of the labels in the target columns.
        total: The sum of all folds, in order.
    """

    folds: tuple[Moments, ...]
    kind: LabelKind
    total: Moments

    @classmethod
    def gathered(cls, folds: Sequence[Moments], kind: LabelKind) -> FoldedMoments:
        """Return the folds with their total."""
        return cls(tuple(folds), kind, merged(folds))

    @cached_property
    def spectrum(self) -> Spectrum:
        """The spectrum of all folds about the mean: computed once for all scores."""
        return self.total.spectrum()

    @cached_property
    def uncentred(self) -> Spectrum:
        """The uncentred spectrum of all folds, from the centred one: computed once."""
        return self.total.uncentred()

    @cached_property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Ridge regression on all folds but one, for each fold: computed once for all scores."""
        return left_out(self.total, self.folds)

    def columns(self, chosen: slice, kind: LabelKind) -> FoldedMoments:
        """Return a slice of target columns as separate labels that share the scatter and its factors."""
        folds = tuple(fold.columns(chosen) for fold in self.folds)
        return FoldedMoments(folds, kind, self.total.columns(chosen))

    @property
    def size_in_bytes(self) -> int:
        """The size of the folds in memory."""
        parts = (part for fold in self.folds for part in (fold, fold.scatter))
        arrays = (array for part in parts for array in vars(part).values() if isinstance(array, np.ndarray))
        return sum(array.nbytes for array in arrays)

    def save(self, path: str | Path | IO[bytes]) -> None:
        """Write everything to one file of plain arrays (.npz, no pickle)."""
        arrays: dict[str, Any] = {"kind": np.array(str(self.kind)), "shift": self.total.scatter.shift}
        for number, fold in enumerate(self.folds):
            scatter = fold.scatter
            parts: dict[str, Any] = {name: getattr(fold, name) for name in SUMS}
            parts |= {"count": scatter.count, "feature_sum": scatter.feature_sum}
            parts |= {"gram": scatter.gram, "rows": scatter.rows, "target_rows": fold.target_rows}
            parts |= dict(zip(_FOURTH, scatter.fourth, strict=True))
            arrays |= {f"{number}-{name}": part for name, part in parts.items() if part is not None}
        if not isinstance(path, (str, Path)):
            np.savez(path, **arrays)
            return
        with Path(path).open("wb") as file:
            np.savez(file, **arrays)

    @classmethod
    def load(cls, path: str | Path | IO[bytes]) -> FoldedMoments:
        """Read a file that :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        count = sum(name.endswith("-count") for name in arrays)
        return cls.gathered(
            [_loaded(arrays, number) for number in range(count)], LabelKind(str(arrays["kind"]))
        )


def _loaded(arrays: Mapping[str, np.ndarray], number: int) -> Moments:
    def part(name: str) -> Any:
        return arrays.get(f"{number}-{name}")

    q4, v3, q2 = map(part, _FOURTH)
    fourth = (float(q4), v3, float(q2))
    scatter = Scatter(
        arrays["shift"], int(part("count")), part("feature_sum"), part("gram"), part("rows"), fourth
    )
    return Moments(scatter, **{name: part(name) for name in SUMS}, target_rows=part("target_rows"))


@dataclass(frozen=True, eq=False)
class LeftOut:
    """Ridge regression on the other folds: (A + penalty I)^-1 B of their scatter A and cross sums B.

    Attributes:
        count: The number of examples of the other folds.
        shift: The value subtracted from each feature.  # width
        shifted_mean: The mean of the shifted features.  # width
        target_sum: The sum of each target column: class counts for classification.  # columns
        cross: The centred cross sums B.  # width x columns
        solution: (A + penalty I)^-1 B.  # width x columns
        penalty: The penalty chosen by generalised cross-validation on the other folds.
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
        """Subtract the mean of the other folds from raw features."""
        centred: np.ndarray = np.asarray(features, dtype=np.float64) - (self.shift + self.shifted_mean)
        return centred

    def predict(self, features: np.ndarray) -> np.ndarray:
        """Return the predictions of ridge regression on the other folds: examples x columns."""
        return np.asarray(self.centred(features) @ self.solution + self.target_mean)


def left_out(total: Moments, folds: Sequence[Moments]) -> tuple[LeftOut, ...]:
    """Return for each fold the ridge solution of the other folds, which uses none of its labels."""
    others = [total.without(fold) for fold in folds]
    crosses = [moments.centred_cross() for moments in others]
    are_few = total.scatter.rows is not None
    solved = _of_rows(total, folds, others) if are_few else _of_grams(total, folds, others, crosses)
    return tuple(_rule(*parts) for parts in zip(others, crosses, *solved, strict=True))


def _of_rows(total: Moments, folds: Sequence[Moments], others: list[Moments]) -> _Solved:
    """Solve from stored rows in the dual form, by one reduction for each fold."""
    scatter, targets = total.scatter, total.target_rows
    assert targets is not None
    ends = np.cumsum([fold.count for fold in folds])
    rounding = scatter.count * float(np.finfo(np.float64).eps) * float(np.trace(scatter.dual))
    shares, penalties = np.zeros((len(ends), *targets.shape)), []
    for fold, moments, end, share in zip(folds, others, ends, shares, strict=True):
        outside = np.r_[: end - fold.count, end : scatter.count]
        dual = scatter.dual[np.ix_(outside, outside)]
        means = dual.mean(axis=0)
        dual -= means + (means - means.mean())[:, None]
        varies = bool(np.trace(dual) > max(scatter.noise(), rounding))
        centred = targets[outside] - moments.target_sum / moments.count
        penalty, share[outside] = _dual_ridge(dual, centred, min(moments.count, scatter.width), varies)
        penalties.append(penalty)
    return list(scatter.centred_rows.T @ shares), penalties


def _dual_ridge(dual: np.ndarray, targets: np.ndarray, most: int, varies: bool) -> tuple[float, np.ndarray]:
    """Return the penalty with the least generalised cross-validation error and (K + penalty I)^-1 Y.

    Args:
        dual: Inner products of centred rows K, overwritten.
        targets: Centred target columns Y.
        most: Largest possible rank of the rows.
        varies: False if K is only rounding noise.
    """
    from scipy.linalg.lapack import dptsv

    reduced = Tridiagonal.of(dual)
    values = np.maximum(reduced.eigenvalues(), 0.0)
    turned = reduced.project(targets)
    penalties = np.array(PENALTIES) * values.sum() / most if varies else np.ones(1)
    solved = [dptsv(reduced.diagonal + penalty, reduced.beside, turned)[2] for penalty in penalties]
    pairs = zip(penalties, solved, strict=True)
    residual = [float(np.square(penalty * solution).sum()) for penalty, solution in pairs]
    free = (penalties[:, None] / (values + penalties[:, None])).sum(axis=1) - 1
    best = _least(np.array(residual), free)
    return float(penalties[best]), reduced.expand(solved[best])


def _of_grams(
    total: Moments, folds: Sequence[Moments], others: list[Moments], crosses: list[np.ndarray]
) -> _Solved:
    """Solve from stored Grams, by one penalty and one Cholesky factor for each fold.

    All projections are computed before any factor, and one Gram is subtracted at a time.
    """
    scatter = total.scatter
    basis = scatter.basis  # of all folds; it does not depend on labels
    projected = np.split(basis.project(np.hstack(crosses)), len(others), axis=1)
    penalties = [
        choose_penalty(moments, Spectrum(moments.count / scatter.count * basis.values, part))
        for moments, part in zip(others, projected, strict=True)
    ]
    assert scatter.gram is not None
    space, solutions = np.empty_like(scatter.gram), []
    for fold, moments, cross, penalty in zip(folds, others, crosses, penalties, strict=True):
        np.subtract(scatter.gram, fold.scatter.full_gram(), out=space)
        solutions.append(solve(space, moments, cross, penalty))
    return solutions, penalties


def _rule(others: Moments, cross: np.ndarray, solution: np.ndarray, penalty: float) -> LeftOut:
    shift, mean = others.scatter.shift, others.mean()
    return LeftOut(others.count, shift, mean, others.target_sum, cross, solution, penalty)


def choose_penalty(moments: Moments, spectrum: Spectrum) -> float:
    """Return the penalty with the least generalised cross-validation error over all target columns.

    Args:
        moments: Moments of the training examples.
        spectrum: Spectrum of their scatter (possibly approximate), with their centred targets.

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
    return float(penalties[_least(residual, free)])


def _least(residual: np.ndarray, free: np.ndarray) -> int:
    """Return the position of the least GCV error: squared residual / (degrees of freedom)^2."""
    return int(np.argmin(residual / np.square(np.maximum(free, np.finfo(np.float64).eps))))


def solve(gram: np.ndarray, moments: Moments, cross: np.ndarray, penalty: float) -> np.ndarray:
    """Return (A + penalty I)^-1 B, width x columns, by a Cholesky factor; the Gram is overwritten."""
    from scipy.linalg import cho_factor, cho_solve
    from scipy.linalg.blas import dsyr

    scatter = dsyr(-1.0 / moments.count, moments.scatter.feature_sum, lower=1, a=gram.T, overwrite_a=True)
    scatter[np.diag_indices_from(scatter)] += penalty
    factor = cho_factor(scatter, lower=True, overwrite_a=True, check_finite=False)
    return np.asarray(cho_solve(factor, cross, check_finite=False))
