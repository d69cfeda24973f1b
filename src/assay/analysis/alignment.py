"""How alike two models see the same examples: kernel alignment, and shared nearest neighbours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.findings.change import Spaces
from assay.numerics.neighbours import nearest, nearest_others

NEIGHBOURS = 10
EXAMPLES = 5000  # neighbours of more take minutes, and change the second digit of nothing
FEWEST = 20  # with fewer, ten neighbours are half of all there are


def spaces(before: np.ndarray, after: np.ndarray, seed: int) -> Spaces | None:
    """Compare two feature spaces on the same examples; None with too few of them.

    Args:
        before: Examples x width.
        after: Examples x another width, row by row the same examples.
        seed: Decides which examples, where there are more than 5,000.
    """
    count = len(before)
    if count < FEWEST or len(after) != count:
        return None
    if count > EXAMPLES:
        rows = np.sort(np.random.default_rng(seed).choice(count, EXAMPLES, replace=False))
        before, after, count = before[rows], after[rows], EXAMPLES
    own = nearest_others(before, NEIGHBOURS)
    same_width = before.shape[1] == after.shape[1]
    return Spaces(
        examples=count,
        widths=(before.shape[1], after.shape[1]),
        cka=linear_cka(before, after),
        neighbours=NEIGHBOURS,
        overlap=_shared(own, nearest_others(after, NEIGHBOURS)),
        in_old_index=_shared(own, _found_in(before, after)) if same_width else None,
        by_chance=NEIGHBOURS / (count - 1),
    )


def linear_cka(first: np.ndarray, second: np.ndarray) -> float:
    """Return linear CKA without bias: 1 for the same features up to rotation and scale, 0 for unrelated ones.

    With fewer examples than features the plain form is near 1 whatever the features are; this one is not.
    It costs examples x width x width, and no kernel matrix is built.

    Args:
        first: Examples x width.
        second: Examples x another width.

    References:
        Similarity of neural network representations revisited (Kornblith et al., 2019),
        https://arxiv.org/abs/1905.00414
        Do wide and deep networks learn the same things? (Nguyen et al., 2021), equation 3,
        https://arxiv.org/abs/2010.15327

    >>> features = np.random.default_rng(0).normal(size=(50, 8))
    >>> round(linear_cka(features, 3 * features[:, ::-1]), 6)
    1.0
    """
    left, right = (np.asarray(side, dtype=np.float64) - side.mean(axis=0) for side in (first, second))
    both, own, other = _hsic(left, right), _hsic(left, left), _hsic(right, right)
    if own <= 0 or other <= 0:
        return 0.0  # all examples are alike to one of the models
    return float(both / np.sqrt(own * other))


def cka_matrix(features: Sequence[np.ndarray]) -> np.ndarray:
    """Return :func:`linear_cka` of each with each; NaN for features that are all alike.

    Kernels are built, so let examples be few: all pairs are then one product of matrices.

    Args:
        features: Of each model, examples x its width, row by row the same examples.
    """
    count = len(features[0])
    kernels = np.stack([_kernel(of_model) for of_model in features])
    rows = kernels.sum(axis=2)
    totals = rows.sum(axis=1)
    flat = kernels.reshape(len(features), -1)
    found = flat @ flat.T + np.outer(totals, totals) / ((count - 1) * (count - 2))
    found -= 2 / (count - 2) * (rows @ rows.T)
    own = np.sqrt(np.maximum(np.diag(found), 0.0))
    scale = np.outer(own, own)
    return np.asarray(np.divide(found, scale, out=np.full_like(scale, np.nan), where=scale > 0))


def _kernel(features: np.ndarray) -> np.ndarray:
    """Return the linear kernel without its diagonal, in units of its own size: examples x examples."""
    centred = np.asarray(features, dtype=np.float64) - features.mean(axis=0)
    kernel = centred @ centred.T
    size = float(np.trace(kernel)) or 1.0
    np.fill_diagonal(kernel, 0.0)
    return np.asarray(kernel / size)


def _hsic(left: np.ndarray, right: np.ndarray) -> float:
    """Return the unbiased estimate of dependence (Song et al., 2012), up to a factor of the count alone."""
    count = len(left)
    squares = [np.einsum("ij,ij->i", side, side) for side in (left, right)]
    rows = [side @ side.sum(axis=0) - of_side for side, of_side in zip((left, right), squares, strict=True)]
    trace = np.square(left.T @ right).sum() - squares[0] @ squares[1]
    sums = rows[0].sum() * rows[1].sum() / ((count - 1) * (count - 2))
    return float(trace + sums - 2 / (count - 2) * (rows[0] @ rows[1]))


def _found_in(index: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Return what the features after find among those before, an example itself left out."""
    found = nearest(index, queries, NEIGHBOURS + 1)
    own = found == np.arange(len(found))[:, None]
    own[~own.any(axis=1), -1] = True  # where it does not find itself the last one goes
    return np.asarray(found[~own].reshape(len(found), NEIGHBOURS))


def _shared(first: np.ndarray, second: np.ndarray) -> float:
    """Return the share of neighbours that both name: examples x k each."""
    return float((first[:, :, None] == second[:, None, :]).any(axis=2).mean())
