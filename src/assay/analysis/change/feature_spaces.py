"""Compares the features of two models by CKA and shared nearest neighbours."""

from __future__ import annotations

import numpy as np

from assay.analysis.per_task.model_similarity import FEWEST, linear_cka
from assay.findings.change import FeatureSpaceSimilarity
from assay.numerics.neighbours import nearest, nearest_others

NEIGHBOURS = 10
EXAMPLES = 5000  # more take minutes and change no second digit


def spaces(before: np.ndarray, after: np.ndarray, seed: int) -> FeatureSpaceSimilarity | None:
    """Compare two feature spaces on the same examples; None with too few examples.

    Args:
        before: Examples x width.
        after: Examples x another width, row by row the same examples.
        seed: Seed of the sample of examples if there are more than 5,000.
    """
    count = len(before)
    if count < FEWEST or len(after) != count:
        return None
    if count > EXAMPLES:
        rows = np.sort(np.random.default_rng(seed).choice(count, EXAMPLES, replace=False))
        before, after, count = before[rows], after[rows], EXAMPLES
    old_neighbours = nearest_others(before, NEIGHBOURS)
    same_width = before.shape[1] == after.shape[1]
    return FeatureSpaceSimilarity(
        examples=count,
        widths=(before.shape[1], after.shape[1]),
        cka=linear_cka(before, after),
        neighbours=NEIGHBOURS,
        overlap=_shared(old_neighbours, nearest_others(after, NEIGHBOURS)),
        in_old_index=_shared(old_neighbours, _found_in(before, after)) if same_width else None,
        by_chance=NEIGHBOURS / (count - 1),
    )


def _found_in(index: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Return the neighbours of the new features among the old ones, without the example itself."""
    neighbours = nearest(index, queries, NEIGHBOURS + 1)
    is_itself = neighbours == np.arange(len(neighbours))[:, None]
    is_itself[~is_itself.any(axis=1), -1] = True  # else drop the last neighbour
    return np.asarray(neighbours[~is_itself].reshape(len(neighbours), NEIGHBOURS))


def _shared(first: np.ndarray, second: np.ndarray) -> float:
    """Return the share of neighbours in common; both arrays are examples x k."""
    return float((first[:, :, None] == second[:, None, :]).any(axis=2).mean())
