"""Moments of train, kept fold by fold, so that estimates can be out of sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from assay.core.task import LabelKind
from assay.moments.leave_out import LeftOut, left_out
from assay.moments.moments import SUMS, Moments, merged
from assay.moments.scatter import Scatter
from assay.moments.spectrum import Spectrum


@dataclass(frozen=True, eq=False)
class FoldedMoments:
    """Moments of train, kept fold by fold, so that estimates can be out of sample.

    Attributes:
        folds: One Moments for each fold, none of them empty.
        kind: The kind of the task: what the target columns are.
        total: All folds together, in their order.
    """

    folds: tuple[Moments, ...]
    kind: LabelKind
    total: Moments

    @classmethod
    def gathered(cls, folds: Sequence[Moments], kind: LabelKind) -> FoldedMoments:
        """Return some folds with their total."""
        return cls(tuple(folds), kind, merged(folds))

    @cached_property
    def spectrum(self) -> Spectrum:
        """The spectrum of all folds about the mean: computed once for all scores."""
        return self.total.spectrum()

    @cached_property
    def uncentred(self) -> Spectrum:
        """The spectrum of all folds as they came, from that about the mean: computed once."""
        return self.total.uncentred()

    @cached_property
    def left_out(self) -> tuple[LeftOut, ...]:
        """What ridge regression on all folds but one has learned: computed once for all scores."""
        return left_out(self.total, self.folds)

    def without(self, fold: int) -> Moments:
        """Return the Moments of every fold but one."""
        if self.total.scatter.rows is None:
            return self.total - self.folds[fold]
        return merged(self._others(fold))

    def columns(self, chosen: slice, kind: LabelKind) -> FoldedMoments:
        """Return some target columns as labels of their own: the same scatter, factored once for all."""
        folds = tuple(fold.columns(chosen) for fold in self.folds)
        return FoldedMoments(folds, kind, self.total.columns(chosen))

    def save(self, path: str | Path) -> None:
        """Write everything to one file of plain arrays (.npz, no pickle)."""
        arrays: dict[str, Any] = {"kind": np.array(str(self.kind)), "shift": self.total.scatter.shift}
        for number, fold in enumerate(self.folds):
            scatter = fold.scatter
            parts: dict[str, Any] = {name: getattr(fold, name) for name in SUMS}
            parts |= {"count": scatter.count, "feature_sum": scatter.feature_sum}
            parts |= {"gram": scatter.gram, "rows": scatter.rows, "target_rows": fold.target_rows}
            parts |= {"q4": scatter.fourth[0], "v3": scatter.fourth[1], "q2": scatter.fourth[2]}
            arrays |= {f"{number}-{name}": part for name, part in parts.items() if part is not None}
        with Path(path).open("wb") as file:
            np.savez(file, **arrays)

    @classmethod
    def load(cls, path: str | Path) -> FoldedMoments:
        """Read what :meth:`save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        folds = [_loaded(arrays, number) for number in range(sum(name.endswith("-count") for name in arrays))]
        return cls.gathered(folds, LabelKind(str(arrays["kind"])))

    def _others(self, fold: int) -> tuple[Moments, ...]:
        return tuple(other for number, other in enumerate(self.folds) if number != fold)


def _loaded(arrays: dict[str, np.ndarray], number: int) -> Moments:
    def part(name: str) -> np.ndarray | None:
        return arrays.get(f"{number}-{name}")

    fourth: Any = (float(arrays[f"{number}-q4"]), part("v3"), float(arrays[f"{number}-q2"]))
    count, total = int(arrays[f"{number}-count"]), arrays[f"{number}-feature_sum"]
    sums = {name: arrays[f"{number}-{name}"] for name in SUMS}
    scatter = Scatter(arrays["shift"], count, total, part("gram"), part("rows"), fourth)
    return Moments(scatter, **sums, target_rows=part("target_rows"))
