"""Moments of train, kept fold by fold, so that estimates can be out of sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from assay.core.task import LabelKind
from assay.moments.leave_out import LeftOut, left_out
from assay.moments.moments import Moments, merged
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

    def columns(self, chosen: slice, kind: LabelKind) -> FoldedMoments:
        """Return some target columns as labels of their own: the same scatter, factored once for all."""
        folds = tuple(fold.columns(chosen) for fold in self.folds)
        return FoldedMoments(folds, kind, self.total.columns(chosen))
