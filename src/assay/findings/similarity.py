"""Which tasks order models in the same way, and which models are similar: frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assay.core.task import Modality


@dataclass(frozen=True, slots=True)
class SimilarityMatrix:
    """The similarity of each with each: 1 is the same, 0 is unrelated.

    Attributes:
        names: In the order of hierarchical clustering, so that similar ones are neighbours.
        values: Names x names; None where two have too little in common.
        groups: Clusters whose mean similarity is at least the threshold; two or more names each.
        threshold: From which mean similarity on names form a group.
    """

    names: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    groups: tuple[tuple[str, ...], ...]
    threshold: float


@dataclass(frozen=True, slots=True)
class Similarity:
    """Which tasks order models in the same way, and which models have similar errors or features.

    Attributes:
        modality: Of the tasks; None for a matrix without one.
        tasks: Rank correlation (Spearman) of the values of the models that have both.
        fits: By task, the rank correlation of its values with the mean rank on the other tasks.
        errors: Error consistency of models: Cohen's kappa of what they get right, or the correlation of
            their residuals; the mean over tasks.
        features: Linear CKA of the features of models on the same test examples; the mean over tasks.
        remarks: What a reader must know, in sentences.
    """

    modality: Modality | None
    tasks: SimilarityMatrix | None
    fits: Mapping[str, float]
    errors: SimilarityMatrix | None
    features: SimilarityMatrix | None
    remarks: tuple[str, ...]
