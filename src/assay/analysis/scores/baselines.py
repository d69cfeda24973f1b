"""Baseline rankings that ignore the target data; a useful score must beat them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from assay.analysis.across_tasks.ranks import beaten
from assay.findings.matrix import Matrix

STATIC, RANDOM = "static", "random"
_DIGITS = 9  # rounding: equal means stay equal for any order of the tasks


def static_ranking(truth: Matrix, past: Matrix | None = None) -> Matrix:
    """Return the mean number of models that each model beats on the other tasks.

    Tasks without a value are left out of the mean; a model without a value on any other task has none.

    Args:
        truth: Training results.
        past: Training results on more tasks, if known.

    References:
        How NOT to benchmark your SITE metric (Singh et al., 2025), https://arxiv.org/abs/2510.06448

    >>> truth = Matrix.of({"one": {"a": 1, "b": 2}, "two": {"a": 4, "b": 3}, "three": {"a": 5, "b": 6}})
    >>> static_ranking(truth).column("two")
    {'a': 0.0, 'b': 1.0}
    """
    known = truth if past is None else past
    won = beaten(known.values)
    columns = {}
    for task in truth.tasks:
        others = won[:, [other != task for other in known.tasks]]
        counts = np.isfinite(others).sum(axis=1)
        means = np.round(np.nansum(others, axis=1) / np.maximum(counts, 1), _DIGITS)
        means[counts == 0] = np.nan
        columns[task] = dict(zip(known.models, means.tolist(), strict=True))
    rows = [[columns[task].get(model, np.nan) for task in truth.tasks] for model in truth.models]
    return Matrix(truth.models, truth.tasks, np.array(rows).reshape(truth.values.shape))


def baselines(
    truth: Matrix, facts: Mapping[str, Mapping[str, float]] | None = None, past: Matrix | None = None
) -> dict[str, Matrix]:
    """Return the baseline rankings that ignore the target data, by name.

    Args:
        truth: Training results.
        facts: Facts about models by name, such as parameters or source accuracy.
        past: Training results on more tasks.
    """
    rankings = {
        STATIC: static_ranking(truth, past),
        RANDOM: _everywhere(truth, dict.fromkeys(truth.models, 0.0)),
    }
    rankings |= {name: _everywhere(truth, of_models) for name, of_models in (facts or {}).items()}
    return {name: matrix for name, matrix in rankings.items() if matrix.known.any()}


def _everywhere(truth: Matrix, of_models: Mapping[str, float]) -> Matrix:
    """Return a matrix with the same value of a model on every task."""
    column = np.array([of_models.get(model, np.nan) for model in truth.models], dtype=np.float64)
    return Matrix(truth.models, truth.tasks, np.repeat(column[:, None], len(truth.tasks), axis=1))
