"""Predictions for examples of train that were held out from fitting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.core.predictor import Predicted
from assay.core.task import Labels


@dataclass(frozen=True, slots=True, eq=False)
class HeldOutPredictions:
    """Predictions for examples of train, each by a predictor that did not learn from it.

    Attributes:
        predicted: The predictions, in the order of ``truth``.
        truth: The labels of these examples.
        rows: The positions of these labels in the labels of train, the same for every model; None for those
            of the sample that the score was given.
    """

    predicted: Predicted
    truth: Labels
    rows: np.ndarray | None = None

    def __post_init__(self) -> None:
        counts = {len(self.predicted.values), len(self.truth)}
        if self.predicted.probs is not None:
            counts.add(len(self.predicted.probs))
        if self.rows is not None:
            counts.add(len(self.rows))
        if len(counts) > 1 or self.predicted.values.shape != self.truth.values.shape:
            raise ValueError(
                f"{self.predicted.values.shape} predictions of held-out examples for "
                f"{self.truth.values.shape} labels."
            )
