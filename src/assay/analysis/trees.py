"""Puts things that are alike side by side, and into groups."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from assay.findings.similarity import Alike


def alike(names: Sequence[str], values: np.ndarray, threshold: float) -> Alike | None:
    """Return how alike things are, in the order of a tree of average linkage; None with fewer than two.

    Args:
        names: Of the things.
        values: Names x names, symmetric; NaN where it is not known, which counts as unrelated in the tree.
        threshold: From which mean likeness on things are one group.

    >>> values = np.array([[1, 0.1, 0.95], [0.1, 1, 0.2], [0.95, 0.2, 1]])
    >>> found = alike(["a", "b", "c"], values, 0.9)
    >>> [sorted(group) for group in found.groups]
    [['a', 'c']]
    """
    if len(names) < 2:
        return None
    distances = 1 - np.nan_to_num(values, nan=0.0)
    np.fill_diagonal(distances, 0.0)
    distances = np.maximum((distances + distances.T) / 2, 0.0)
    tree = hierarchy.linkage(squareform(distances, checks=False), method="average", optimal_ordering=True)
    order = hierarchy.leaves_list(tree)
    label = hierarchy.fcluster(tree, t=1 - threshold, criterion="distance")
    groups = [
        tuple(names[place] for place in order if label[place] == one) for one in dict.fromkeys(label[order])
    ]
    ordered = values[np.ix_(order, order)]
    return Alike(
        names=tuple(names[place] for place in order),
        values=tuple(tuple(None if np.isnan(value) else float(value) for value in row) for row in ordered),
        groups=tuple(group for group in groups if len(group) > 1),
        threshold=threshold,
    )
