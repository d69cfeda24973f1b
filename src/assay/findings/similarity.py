"""Similarity of tasks and of models: frozen values that a report renders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assay.core.task import Modality


@dataclass(frozen=True, slots=True)
class SimilarityMatrix:
    """Pairwise similarities: 1 is the same, 0 is unrelated.

    Attributes:
        names: Names in the order of hierarchical clustering, so that similar ones are neighbours.
        values: Similarities, names x names; None where two have too little in common, or one never errs.
        groups: Clusters of two or more names whose mean similarity is at least the threshold.
        threshold: The smallest mean similarity of a group.
    """

    names: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    groups: tuple[tuple[str, ...], ...]
    threshold: float


@dataclass(frozen=True, slots=True)
class Similarity:
    """Similarity of tasks by their order of models, and of models by their errors and features.

    Attributes:
        modality: Modality of the tasks; None for a matrix without one.
        tasks: Rank correlation (Spearman) of two tasks over the models with a value on both.
        fits: By task, the rank correlation of its values with the mean rank on the other tasks.
        errors: Error consistency of models: Cohen's kappa of their correct examples, or the correlation of
            their residuals; the mean over tasks.
        features: Linear CKA of the features of models on the same test examples; the mean over tasks.
        remarks: Findings and warnings, in sentences.
        is_of_residuals: Every task predicts numbers, so that ``errors`` are correlations of residuals.
    """

    modality: Modality | None
    tasks: SimilarityMatrix | None
    fits: Mapping[str, float]
    errors: SimilarityMatrix | None
    features: SimilarityMatrix | None
    remarks: tuple[str, ...]
    is_of_residuals: bool = False
