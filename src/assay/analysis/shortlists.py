"""What training only the best few by a score loses, where equal scores leave the choice to chance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import special

from assay.findings.agreement import Shortlist

SIZES = (1, 3, 5)


def shortlists(scores: np.ndarray, truth: np.ndarray, sizes: Sequence[int] = SIZES) -> tuple[Shortlist, ...]:
    """Return what shortlists of some sizes lose and find; those as long as the list of models are left out.

    Args:
        scores: The score of each model; higher is better. All equal is a random choice.
        truth: What training gave for the same models.
        sizes: How many models are trained.

    >>> found = shortlists(np.array([3.0, 2.0, 2.0]), np.array([0.7, 0.9, 0.5]), (1, 2))
    >>> [(round(one.regret, 6), one.hit) for one in found]
    [(0.2, 0.0), (0.1, 0.5)]
    """
    best, reach = float(truth.max()), float(truth.max() - np.median(truth))
    found = []
    for size in sizes:
        if size >= len(truth) > 1:
            break
        regret = max(0.0, best - _expected_best(scores, truth, size))
        hit = _expected_best(scores, (truth == best).astype(np.float64), size)
        found.append(Shortlist(size, regret, regret / reach if reach > 0 else None, hit))
    return tuple(found)


def _expected_best(scores: np.ndarray, truth: np.ndarray, size: int) -> float:
    """Return the expected best truth of the ``size`` models with the best scores, ties drawn at random."""
    edge = np.sort(scores)[-size]
    surely = truth[scores > edge]
    tied = np.sort(truth[scores == edge])[::-1]
    drawn, count = size - len(surely), len(tied)
    # the j-th best of the tied is the best of those drawn where it is drawn and no better one is
    worse = np.arange(count)[::-1]
    chances = special.comb(worse, drawn - 1) / special.comb(count, drawn)
    floor = surely.max(initial=-np.inf)
    return float(chances @ np.maximum(tied, floor))
