"""Measures how similar the errors and the features of models are on one task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from assay.analysis.per_task.error_analysis import majority_vote
from assay.core.task import LabelKind, Labels

FEWEST = 20  # with fewer, ten neighbours are half of all examples
EXAMPLES = 256  # of test: another sample moves CKA by 0.02, and a hundred models take a second


class ModelPairs(NamedTuple):
    """Pairwise similarity of models on one task."""

    models: tuple[str, ...]
    values: np.ndarray  # models x models; NaN where unknown
    is_of_residuals: bool = False


def error_pairs(truth: Labels, decided: Mapping[str, np.ndarray]) -> ModelPairs | None:
    """Return the similarity of the errors of models; None with fewer than two models.

    Args:
        truth: The test labels.
        decided: Predicted classes or numbers by model, seeds x examples (x columns).
    """
    if len(decided) < 2:
        return None
    if truth.kind is LabelKind.REGRESSION:
        residuals = [(rows.mean(axis=0) - truth.values).ravel() for rows in decided.values()]
        return ModelPairs(tuple(decided), residual_correlation(np.stack(residuals)), is_of_residuals=True)
    hits = [majority_vote(rows) == truth.values for rows in decided.values()]
    right = np.stack(
        [hit.reshape(len(hit), -1).all(axis=1) for hit in hits]
    )  # with several labels, all must be right
    return ModelPairs(tuple(decided), error_consistency(right))


def feature_pairs(
    models: Sequence[str], features: Callable[[str], np.ndarray | None], seed: int
) -> ModelPairs | None:
    """Return the similarity of the features of models on test; None with too few models or examples.

    Args:
        models: Addresses of the models.
        features: Returns the features of a model, examples x width, or None if not stored.
        seed: Seed of the sample of examples.
    """
    taken: dict[str, np.ndarray] = {}
    count, rows = 0, np.array([], dtype=np.int64)
    for model in models:
        of_model = features(model)
        if of_model is None or (count and len(of_model) != count):
            continue
        if not count:
            count = len(of_model)
            rows = np.random.default_rng(seed).permutation(count)[:EXAMPLES]
            rows.sort()
        taken[model] = np.asarray(of_model[rows])
    if len(taken) < 2 or len(rows) < FEWEST:
        return None
    return ModelPairs(tuple(taken), cka_matrix(list(taken.values())))


def error_consistency(right: np.ndarray) -> np.ndarray:
    """Return Cohen's kappa of the correct examples for each pair of models.

    NaN for a model without an error or without a correct example: there is nothing to agree on.

    Args:
        right: Mask of correct predictions, models x examples.

    References:
        Beyond accuracy: quantifying trial-by-trial behaviour of CNNs and humans by measuring error
        consistency (Geirhos et al., 2020), https://arxiv.org/abs/2006.16736
    """
    hits = right.astype(np.float64)
    shares = hits.mean(axis=1)
    both_right = hits @ hits.T / right.shape[1]
    observed = 1 - shares[:, None] - shares[None, :] + 2 * both_right
    expected = np.outer(shares, shares) + np.outer(1 - shares, 1 - shares)
    varies = right.any(axis=1) & ~right.all(axis=1)
    defined = np.outer(varies, varies)
    kappa = np.full_like(expected, np.nan)
    np.divide(observed - expected, 1 - expected, out=kappa, where=defined)
    return kappa


def residual_correlation(residuals: np.ndarray) -> np.ndarray:
    """Return the correlation of residuals, models x models, from models x examples."""
    centred = residuals - residuals.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.square(centred).sum(axis=1))
    scale = np.outer(spread, spread)
    return np.asarray(np.divide(centred @ centred.T, scale, out=np.full_like(scale, np.nan), where=scale > 0))


def linear_cka(first: np.ndarray, second: np.ndarray) -> float:
    """Return linear CKA without bias: 1 for the same features up to rotation and scale, 0 for unrelated ones.

    The biased form is near 1 for any features if there are fewer examples than features; this one is not.
    It costs examples x width x width; no kernel matrix is built.

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
    both, first_norm, second_norm = _hsic(left, right), _hsic(left, left), _hsic(right, right)
    if first_norm <= 0 or second_norm <= 0:
        return 0.0  # one of the models has constant features
    return float(both / np.sqrt(first_norm * second_norm))


def cka_matrix(features: Sequence[np.ndarray]) -> np.ndarray:
    """Return :func:`linear_cka` of each pair of models; NaN for constant features.

    It builds kernel matrices, so pass few examples: all pairs are then one matrix product.

    Args:
        features: Features of each model, examples x width; rows are the same examples.
    """
    count = len(features[0])
    kernels = np.stack([_kernel(of_model) for of_model in features])
    rows = kernels.sum(axis=2)
    totals = rows.sum(axis=1)
    flat = kernels.reshape(len(features), -1)
    products = flat @ flat.T + np.outer(totals, totals) / ((count - 1) * (count - 2))
    products -= 2 / (count - 2) * (rows @ rows.T)
    norms = np.sqrt(np.maximum(np.diag(products), 0.0))
    scale = np.outer(norms, norms)
    return np.asarray(np.divide(products, scale, out=np.full_like(scale, np.nan), where=scale > 0))


def _kernel(features: np.ndarray) -> np.ndarray:
    """Return the linear kernel without its diagonal, normalised: examples x examples."""
    centred = np.asarray(features, dtype=np.float64) - features.mean(axis=0)
    kernel = centred @ centred.T
    size = float(np.trace(kernel)) or 1.0
    np.fill_diagonal(kernel, 0.0)
    return np.asarray(kernel / size)


def _hsic(left: np.ndarray, right: np.ndarray) -> float:
    """Return the unbiased HSIC (Song et al., 2012), up to a factor that depends on the count only."""
    count = len(left)
    squares = [np.einsum("ij,ij->i", side, side) for side in (left, right)]
    rows = [side @ side.sum(axis=0) - of_side for side, of_side in zip((left, right), squares, strict=True)]
    trace = np.square(left.T @ right).sum() - squares[0] @ squares[1]
    sums = rows[0].sum() * rows[1].sum() / ((count - 1) * (count - 2))
    return float(trace + sums - 2 / (count - 2) * (rows[0] @ rows[1]))
