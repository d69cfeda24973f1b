"""Measures the similarity of tasks by their order of models, and of models by errors and features."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from scipy import stats
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform

from assay.analysis.across_tasks.ranks import task_ranks
from assay.analysis.per_task.model_similarity import ModelPairs
from assay.core.task import Modality
from assay.findings.matrix import Matrix
from assay.findings.similarity import Similarity, SimilarityMatrix
from assay.wording.across_tasks import similarity_remarks

FEWEST_MODELS = 5  # with fewer, a rank correlation is 0.9 or more by chance in one case of ten
REDUNDANT = 0.9  # rank correlation
SAME_ERRORS = 0.8  # "almost perfect" agreement, Landis and Koch (1977)
SAME_FEATURES = 0.95
_DIGITS = 9  # rounding: equal mean ranks stay equal for any order of the tasks


def similarity(
    values: Matrix,
    errors: Sequence[ModelPairs] = (),
    features: Sequence[ModelPairs] = (),
    modality: Modality | None = None,
) -> Similarity:
    """Compare tasks by how they order models, and models by their errors and their features.

    Args:
        values: Models x tasks; higher is better.
        errors: The similarity of errors of models on each task.
        features: The similarity of features of models on the test examples of each task.
        modality: Modality of the tasks.
    """
    similarity = Similarity(
        modality=modality,
        tasks=_tasks(values),
        fits=_fits(values),
        errors=_models(errors, SAME_ERRORS),
        features=_models(features, SAME_FEATURES),
        remarks=(),
    )
    return replace(similarity, remarks=similarity_remarks(similarity))


def _tasks(values: Matrix) -> SimilarityMatrix | None:
    count = len(values.tasks)
    correlations = np.full((count, count), np.nan)
    for first in range(count):
        for second in range(first, count):
            correlations[first, second] = correlations[second, first] = _spearman(
                values.values[:, first], values.values[:, second]
            )
    return None if np.isnan(correlations).all() else similarity_matrix(values.tasks, correlations, REDUNDANT)


def _fits(values: Matrix) -> dict[str, float]:
    """Return the rank correlation of each task with the mean rank on all other tasks."""
    ranks = task_ranks(values.values)
    relative = ranks / np.maximum(1, np.isfinite(ranks).sum(axis=0))  # equal weight for tasks with few models
    fits = {}
    for number, task in enumerate(values.tasks):
        others = np.delete(relative, number, axis=1)
        counts = np.isfinite(others).sum(axis=1)
        means = np.divide(
            np.nansum(others, axis=1), counts, out=np.full(len(counts), np.nan), where=counts > 0
        )
        fit = _spearman(values.values[:, number], -np.round(means, _DIGITS))
        if not np.isnan(fit):
            fits[task] = fit
    return fits


def _spearman(first: np.ndarray, second: np.ndarray) -> float:
    both = np.isfinite(first) & np.isfinite(second)
    if both.sum() < FEWEST_MODELS:
        return np.nan
    ranks = np.stack([stats.rankdata(side[both]) for side in (first, second)])
    ranks -= ranks.mean(axis=1, keepdims=True)
    scale = np.sqrt(np.square(ranks).sum(axis=1).prod())
    return float(ranks[0] @ ranks[1] / scale) if scale > 0 else np.nan


def _models(pairs: Sequence[ModelPairs], threshold: float) -> SimilarityMatrix | None:
    """Return the mean similarity of models over tasks."""
    names = sorted({model for of_task in pairs for model in of_task.models})
    position = {model: row for row, model in enumerate(names)}
    sums, counts = np.zeros((2, len(names), len(names)))
    for of_task in pairs:
        rows = np.array([position[model] for model in of_task.models], dtype=np.int64)
        sums[np.ix_(rows, rows)] += np.nan_to_num(of_task.values)
        counts[np.ix_(rows, rows)] += np.isfinite(of_task.values)
    means = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    return similarity_matrix(names, means, threshold)


def similarity_matrix(names: Sequence[str], values: np.ndarray, threshold: float) -> SimilarityMatrix | None:
    """Return similarities in the order of average-linkage clustering; None with fewer than two names.

    Args:
        names: Names of the rows and columns.
        values: Names x names, symmetric; an unknown similarity is NaN and clusters as unrelated.
        threshold: The smallest mean similarity of a group.

    >>> values = np.array([[1, 0.1, 0.95], [0.1, 1, 0.2], [0.95, 0.2, 1]])
    >>> similar = similarity_matrix(["a", "b", "c"], values, 0.9)
    >>> [sorted(group) for group in similar.groups]
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
        tuple(names[row] for row in order if label[row] == cluster) for cluster in dict.fromkeys(label[order])
    ]
    ordered = values[np.ix_(order, order)]
    return SimilarityMatrix(
        names=tuple(names[row] for row in order),
        values=tuple(tuple(None if np.isnan(value) else float(value) for value in row) for row in ordered),
        groups=tuple(group for group in groups if len(group) > 1),
        threshold=threshold,
    )
