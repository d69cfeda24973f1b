"""Moments of train by fold, with ridge regression on all folds but one for out-of-sample estimates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

import numpy as np

from assay.core.task import LabelKind
from assay.moments.moments import SUMS, Moments, merged
from assay.moments.ridge import LeftOut, RidgeFits, on_all, rules_of
from assay.moments.scatter import Scatter
from assay.moments.spectrum import Spectrum

_FOURTH = ("q4", "v3", "q2")  # names of the fourth powers in files


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
    def rules(self) -> RidgeFits:
        """Ridge regression on all folds but one, and on pairs of folds: computed once for all scores."""
        return rules_of(self.total, self.folds, self.spectrum)

    @property
    def left_out(self) -> tuple[LeftOut, ...]:
        """Ridge regression on all folds but one, for each fold."""
        return self.rules.left_out

    @cached_property
    def on_all(self) -> LeftOut:
        """Ridge regression on all folds: computed once for all scores."""
        return on_all(self.total, self.spectrum)

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
