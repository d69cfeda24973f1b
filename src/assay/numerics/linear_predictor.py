"""A linear map from features to outputs: what probes, ridge regression and class means learn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from assay.core.predictor import Decision, Predicted, Predictor


@dataclass(frozen=True, eq=False)
class LinearPredictor(Predictor):
    """Outputs are (features - centre) @ weights + bias.

    Attributes:
        centre: What is subtracted from the features before anything else: their mean.  # width
        weights: In double precision.  # width x outputs
        bias: The outputs at the centre.  # outputs
        decision: How outputs become predictions.
    """

    centre: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    decision: Decision

    def __call__(self, features: np.ndarray) -> Predicted:
        """Return predictions for examples x width."""
        return self.decision(self.outputs(features))

    def outputs(self, features: np.ndarray) -> np.ndarray:
        """Return examples x outputs."""
        return np.asarray((np.asarray(features, np.float64) - self.centre) @ self.weights + self.bias)

    def tensors(self) -> Mapping[str, np.ndarray]:
        """Return the centre, the weights, the bias, and the classes that outputs stand for."""
        present = self.decision.present
        return {"centre": self.centre, "weights": self.weights, "bias": self.bias, "present": present}

    @classmethod
    def restored(cls, tensors: Mapping[str, np.ndarray], decision: Decision) -> LinearPredictor:
        """Return the predictor of which these are the tensors."""
        return cls(tensors["centre"], tensors["weights"], tensors["bias"], decision)
