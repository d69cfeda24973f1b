"""Measures the similarity of tasks by their rankings of models, and of models by errors and features."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations_with_replacement

import numpy as np

from assay.analysis.across_tasks.ranks import average_ranks, task_ranks
from assay.analysis.per_task.model_similarity import ModelPairs
from assay.core.task import Modality
from assay.findings.matrix import Matrix
from assay.findings.similarity import Similarity, SimilarityMatrix
from assay.wording.across_tasks import similarity_remarks

MOST_MODELS = 200  # whose errors and features are compared: a larger matrix shows nothing
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
        is_of_residuals=bool(errors) and all(of_task.is_of_residuals for of_task in errors),
    )
    left_out = len(values.models) - len(best_models(values))
    return replace(similarity, remarks=similarity_remarks(similarity, left_out))


def best_models(values: Matrix) -> frozenset[str]:
    """Return the models whose errors and features are compared: the 200 with the best mean rank.

    Args:
        values: Models x tasks; higher is better.
    """
    if len(values.models) <= MOST_MODELS:
        return frozenset(values.models)
    ranks = average_ranks(values.values)
    return frozenset(values.models[row] for row in np.argsort(ranks, kind="stable")[:MOST_MODELS])


def _tasks(values: Matrix) -> SimilarityMatrix | None:
    known = values.known.T
    alike: dict[bytes, list[int]] = {}  # tasks on which the same models have a value
    for task, of_task in enumerate(known):
        alike.setdefault(of_task.tobytes(), []).append(task)
    correlations = np.full((len(known), len(known)), np.nan)
    for first, second in combinations_with_replacement(alike.values(), 2):
        both = values.values[known[first[0]] & known[second[0]]]
        of_pairs = _spearman(both[:, first], both[:, second])
        correlations[np.ix_(first, second)] = of_pairs
        correlations[np.ix_(second, first)] = of_pairs.T
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
        both = values.known[:, number] & (counts > 0)
        of_task, of_others = values.values[both, number], -np.round(means[both], _DIGITS)
        fit = _spearman(of_task[:, None], of_others[:, None]).item()
        if not np.isnan(fit):
            fits[task] = fit
    return fits


def _spearman(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the rank correlation of each column of one side with each of the other; NaN if one is constant.

    Args:
        first: Models x tasks, all known.
        second: The same models x other tasks.
    """
    if len(first) < FEWEST_MODELS:
        return np.full((first.shape[1], second.shape[1]), np.nan)
    from scipy import stats

    ranks = [stats.rankdata(side, axis=0) - (len(side) + 1) / 2 for side in (first, second)]
    lengths = [np.square(side).sum(axis=0) for side in ranks]
    scale = np.sqrt(np.outer(*lengths))
    return np.asarray(
        np.divide(ranks[0].T @ ranks[1], scale, out=np.full_like(scale, np.nan), where=scale > 0)
    )


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
    from scipy.cluster import hierarchy
    from scipy.spatial.distance import squareform

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
        values=tuple(
            tuple(None if math.isnan(value) else value for value in row) for row in ordered.tolist()
        ),
        groups=tuple(group for group in groups if len(group) > 1),
        threshold=threshold,
    )
