"""Which tasks order models in the same way, and which models are similar: frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assay.core.task import Modality


@dataclass(frozen=True, slots=True)
class SimilarityMatrix:
    """How alike things are, each with each: 1 is the same, 0 is unrelated.

    Attributes:
        names: In the order of a tree of likeness, so that those that are alike stand side by side.
        values: Names x names; None where two have too little in common to tell.
        groups: Those that are alike, on average by the threshold at least; two or more names each.
        threshold: From where on they are called alike.
    """

    names: tuple[str, ...]
    values: tuple[tuple[float | None, ...], ...]
    groups: tuple[tuple[str, ...], ...]
    threshold: float


@dataclass(frozen=True, slots=True)
class Similarity:
    """Which tasks order models alike, and which models err, or see, alike.

    Attributes:
        modality: Of the tasks; None for a matrix that does not say.
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
