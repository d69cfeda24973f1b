"""How alike models err, and how alike they see, on one task."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from assay.analysis.alignment import FEWEST, cka_matrix
from assay.analysis.flips import said_by_most
from assay.core.task import Kind, Labels

EXAMPLES = 256  # of test: the CKA of a pair moves by 0.02 with others, and a hundred models take a second


class ModelPairs(NamedTuple):
    """How alike models are on one task."""

    models: tuple[str, ...]
    values: np.ndarray  # models x models; NaN where it is not known


def error_pairs(truth: Labels, decided: Mapping[str, np.ndarray]) -> ModelPairs | None:
    """Return how alike models err; None with fewer than two.

    Args:
        truth: The labels of test.
        decided: By model, its classes or numbers: seeds x examples (x columns).
    """
    if len(decided) < 2:
        return None
    if truth.kind is Kind.REGRESSION:
        residuals = [(rows.mean(axis=0) - truth.values).ravel() for rows in decided.values()]
        return ModelPairs(tuple(decided), residual_correlation(np.stack(residuals)))
    hits = [said_by_most(rows) == truth.values for rows in decided.values()]
    right = np.stack([one.reshape(len(one), -1).all(axis=1) for one in hits])  # of several labels, all
    return ModelPairs(tuple(decided), error_consistency(right))


def feature_pairs(
    models: Sequence[str], features: Callable[[str], np.ndarray | None], seed: int
) -> ModelPairs | None:
    """Return how alike models see the same test examples; None with fewer than two, or too few examples.

    Args:
        models: Which.
        features: Returns those of a model, examples x width, or None where they are not kept.
        seed: Decides which examples are taken.
    """
    taken: dict[str, np.ndarray] = {}
    count, rows = 0, np.array([], dtype=np.int64)
    for model in models:
        found = features(model)
        if found is None or (count and len(found) != count):
            continue
        if not count:
            count = len(found)
            rows = np.random.default_rng(seed).permutation(count)[:EXAMPLES]
            rows.sort()
        taken[model] = np.asarray(found[rows])
    if len(taken) < 2 or len(rows) < FEWEST:
        return None
    return ModelPairs(tuple(taken), cka_matrix(list(taken.values())))


def error_consistency(right: np.ndarray) -> np.ndarray:
    """Return Cohen's kappa of what models get right, each with each; NaN where neither varies.

    Args:
        right: Models x examples, true where a model is right.

    References:
        Beyond accuracy: quantifying trial-by-trial behaviour of CNNs and humans by measuring error
        consistency (Geirhos et al., 2020), https://arxiv.org/abs/2006.16736
    """
    hits = right.astype(np.float64)
    shares = hits.mean(axis=1)
    both_right = hits @ hits.T / right.shape[1]
    observed = 1 - shares[:, None] - shares[None, :] + 2 * both_right
    expected = np.outer(shares, shares) + np.outer(1 - shares, 1 - shares)
    room = 1 - expected
    return np.asarray(
        np.divide(observed - expected, room, out=np.full_like(room, np.nan), where=room > 1e-12)
    )


def residual_correlation(residuals: np.ndarray) -> np.ndarray:
    """Return how the errors of predicted numbers correlate, models x models, from models x examples."""
    centred = residuals - residuals.mean(axis=1, keepdims=True)
    spread = np.sqrt(np.square(centred).sum(axis=1))
    scale = np.outer(spread, spread)
    return np.asarray(np.divide(centred @ centred.T, scale, out=np.full_like(scale, np.nan), where=scale > 0))
