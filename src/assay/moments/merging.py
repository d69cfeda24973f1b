"""Merges Moments of parts of train that were summed separately: as a tree, with one common shift."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import reduce

import numpy as np

from assay.core.task import LabelKind
from assay.moments.folded import FoldedMoments
from assay.moments.moments import Moments
from assay.moments.scatter import Scatter


def merged_parts(
    parts: Iterable[tuple[Sequence[int], FoldedMoments | None]], kind: LabelKind
) -> FoldedMoments | None:
    """Return the Moments of all parts, equal to those of one pass to 1e-12 of the norm of the Gram.

    They are added two by two as they come, so that few of them are in memory at once.

    Args:
        parts: The folds that each part has examples of, in ascending order, and its Moments.
        kind: The kind of the labels.

    Returns:
        The sum; None if there are no parts, or one of them has no Moments.
    """
    levels: list[tuple[int, dict[int, Moments]]] = []  # how many were added to each, as a power of two
    shift: np.ndarray | None = None
    for numbers, part in parts:
        if part is None:
            return None
        shift = part.total.scatter.shift if shift is None else shift
        level, folds = 0, dict(zip(numbers, (about(shift, each) for each in part.folds), strict=True))
        while levels and levels[-1][0] == level:
            level, folds = level + 1, _added(levels.pop()[1], folds)
        levels.append((level, folds))
    if not levels:
        return None
    folds = reduce(lambda later, earlier: _added(earlier[1], later), reversed(levels[:-1]), levels[-1][1])
    return FoldedMoments.gathered([folds[number] for number in sorted(folds)], kind)


def _added(a: Mapping[int, Moments], b: Mapping[int, Moments]) -> dict[int, Moments]:
    both = {number: a[number] + b[number] for number in a.keys() & b.keys()}
    return {**a, **b, **both}


def about(shift: np.ndarray, moments: Moments) -> Moments:
    """Return Moments with another value subtracted from each feature."""
    scatter = moments.scatter
    d, n, s = scatter.shift - shift, scatter.count, scatter.feature_sum
    if not d.any():
        return moments
    q4, v3, q2 = scatter.fourth
    square, along = float(d @ d), float(d @ s)
    gram_d = scatter.full_gram() @ d if scatter.rows is None else scatter.rows.T @ (scatter.rows @ d)
    fourth = (
        q4 + 4 * float(d @ gram_d) + n * square**2 + 4 * float(d @ v3) + 2 * square * q2 + 4 * square * along,
        v3 + 2 * gram_d + square * s + (q2 + 2 * along + n * square) * d,
        q2 + 2 * along + n * square,
    )
    cross = np.outer(s, d)
    moved = Scatter(
        shift,
        n,
        s + n * d,
        None if scatter.gram is None else scatter.gram + cross + cross.T + n * np.outer(d, d),
        None if scatter.rows is None else scatter.rows + d,
        fourth,
    )
    return replace(
        moments,
        scatter=moved,
        target_norm=moments.target_norm + 2 * moments.cross @ d + square * moments.target_sum,
        cross=moments.cross + np.outer(moments.target_sum, d),
    )
