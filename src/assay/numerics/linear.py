"""Linear maps from features to outputs, and the choice of their penalty on val."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import logsumexp

from assay.core.errors import NotApplicable
from assay.core.features import LabelledFeatures
from assay.core.metric import Metric
from assay.core.predictor import Decision, Predicted, Predictor
from assay.core.task import LabelKind, Labels
from assay.plugins.protocol import Fitted

L2_PATH = tuple(10.0 ** (3 - fifth / 5) for fifth in range(46))  # 1e3 .. 1e-6, strong to weak


@dataclass(frozen=True, eq=False)
class LinearPredictor(Predictor):
    """A linear map: outputs are (features - centre) @ weights + bias.

    Attributes:
        centre: The mean, which is subtracted from the features first.  # width
        weights: Weights in double precision.  # width x outputs
        bias: The outputs at the centre.  # outputs
        decision: How outputs become predictions.
    """

    centre: np.ndarray
    weights: np.ndarray
    bias: np.ndarray
    decision: Decision

    def __call__(self, features: np.ndarray) -> Predicted:
        """Return predictions for features (examples x width)."""
        return self.decision(self.outputs(features))

    def outputs(self, features: np.ndarray) -> np.ndarray:
        """Return the outputs, examples x outputs."""
        return np.asarray((np.asarray(features, np.float64) - self.centre) @ self.weights + self.bias)

    def tensors(self) -> Mapping[str, np.ndarray]:
        """Return the centre, the weights, the bias, and the classes of the outputs."""
        present = self.decision.present
        return {"centre": self.centre, "weights": self.weights, "bias": self.bias, "present": present}

    @classmethod
    def restored(cls, tensors: Mapping[str, np.ndarray], decision: Decision) -> LinearPredictor:
        """Return the predictor with these tensors."""
        return cls(tensors["centre"], tensors["weights"], tensors["bias"], decision)


class ValScorer(NamedTuple):
    """A metric and the examples of val on which a penalty is chosen."""

    metric: Metric
    val: LabelledFeatures

    def __call__(self, decision: Decision, outputs: np.ndarray) -> tuple[float, float]:
        """Return the metric of outputs on val, and minus the loss: higher is better for both."""
        loss = _loss(decision, outputs, self.val.labels)
        try:
            return decision(outputs).judged(self.metric, self.val.labels), -loss
        except NotApplicable:  # val may hold one class only: the loss alone decides
            return -np.inf, -loss


class PenaltyPath(ABC):
    """Linear maps fitted to the same examples, one for each penalty."""

    @abstractmethod
    def judged(self, val_scorer: ValScorer) -> tuple[list[tuple[float, float]], LinearPredictor]:
        """Return (metric, -loss) on val for the first penalties, strong to weak, and the best map."""

    @abstractmethod
    def at(self, l2: float, start: LinearPredictor | None) -> tuple[LinearPredictor, tuple[str, ...]]:
        """Return the map for one penalty, with notes.

        Args:
            l2: The penalty.
            start: A map fitted with this penalty to a subset of the examples, if available.
        """


def fit_path(
    path: Callable[[LabelledFeatures], PenaltyPath],
    train: LabelledFeatures,
    val_scorer: ValScorer,
    l2: float | None,
) -> Fitted:
    """Choose the penalty on val unless it is given, and fit train and val with it.

    The value on val is that of the chosen penalty; a given one has none, because it would take a second fit.
    """
    start = time.perf_counter()
    similar, val_value = None, None
    notes: tuple[str, ...] = ()
    if l2 is None:
        tried, similar = path(train).judged(val_scorer)
        best = best_of(tried)
        l2, notes = L2_PATH[best], _notes(tried, val_scorer)
        val_value = tried[best][0] if tried[best][0] > -np.inf else None
    seconds = time.perf_counter() - start
    predictor, remarks = path(train.followed_by(val_scorer.val)).at(l2, similar)
    return Fitted(predictor, {"l2": l2}, (*notes, *remarks), seconds, val_value)


def best_of(tried: list[tuple[float, float]]) -> int:
    """Return the position of the best metric; ties by smaller loss, then by stronger penalty."""
    return tried.index(max(tried))


def _notes(tried: list[tuple[float, float]], val_scorer: ValScorer) -> tuple[str, ...]:
    best = best_of(tried)
    values = [value for value, _ in tried]
    notes = []
    if best in {0, len(L2_PATH) - 1} and values.count(values[best]) == 1:
        notes.append(f"The best penalty, {L2_PATH[best]:g}, is the first or last of those tried.")
    if values[best] == -np.inf:
        notes.append(f"The penalty was chosen by the loss: val has no {val_scorer.metric.name}.")
    return tuple(notes)


def _loss(decision: Decision, outputs: np.ndarray, truth: Labels) -> float:
    """Return the mean loss without examples of classes that were not fitted."""
    targets = truth.targets()
    if decision.kind is LabelKind.CLASSIFICATION:
        known = np.isin(truth.values, decision.present)
        if not known.any():
            return 0.0
        outputs, targets = outputs[known], targets[known][:, decision.present]
        if decision.are_logits:
            return float((logsumexp(outputs, axis=1) - outputs[targets > 0]).mean())
    elif decision.are_logits:
        return float(np.logaddexp(0.0, (1 - 2 * targets) * outputs).sum(axis=1).mean())
    return float(np.square(outputs - targets).sum(axis=1).mean())
