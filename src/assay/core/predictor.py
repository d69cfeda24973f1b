"""Trained predictors, which map features to predictions and can be saved as named arrays."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.metric import Metric
from assay.core.task import LabelKind, Labels


class Predicted(NamedTuple):
    """Predictions for a set of examples.

    Attributes:
        values: In the format of ``Labels.values``: class indices, 0 or 1 per class, or numbers.
        probs: Class probabilities, examples x classes; None for regression, and for protocols without
            probabilities.
    """

    values: np.ndarray
    probs: np.ndarray | None = None

    def judged(self, metric: Metric, truth: Labels) -> float:
        """Return the value of a metric; raise ``NotApplicable`` if the metric does not apply."""
        return metric(truth, self.part(metric))

    def part(self, metric: Metric) -> np.ndarray:
        """Return what a metric judges, or raise ``NotApplicable`` if it is missing."""
        if not metric.judges_probs:
            return self.values
        if self.probs is None:
            raise NotApplicable(f"{metric.name} judges probabilities, and this protocol gives none")
        return self.probs

    def agrees_with(self, other: Predicted) -> np.ndarray:
        """Return, for each label, whether two predictions are alike but for rounding."""
        theirs = other.values.reshape(len(other.values), -1)
        ours = self.values.reshape(theirs.shape)
        same = ours == theirs
        if theirs.dtype.kind == "f":
            same = np.isclose(ours, theirs, rtol=1e-3, atol=1e-3 * np.abs(theirs).max(initial=0))
        alike = np.asarray(same.all(axis=1))
        if self.probs is None or other.probs is None:
            return alike
        return np.asarray(alike & np.isclose(self.probs, other.probs, rtol=0, atol=1e-3).all(axis=1))

    def take(self, rows: np.ndarray) -> Predicted:
        """Return the predictions for some labels, by position."""
        return Predicted(self.values[rows], None if self.probs is None else self.probs[rows])


@dataclass(frozen=True, eq=False)
class Decision:
    """Converts the outputs of a fitted map to predictions.

    Attributes:
        kind: The label kind.
        classes: The number of classes of the task; 0 for regression.
        present: The classes that occur in train, in order, one per output; empty for regression.
        shape: The shape of one label: () or (columns,).
        are_logits: Whether outputs are logits of a softmax (multilabel: of a sigmoid); otherwise they are
            regressed targets, without probabilities.
    """

    kind: LabelKind
    classes: int
    present: np.ndarray
    shape: tuple[int, ...]
    are_logits: bool

    @property
    def has_probs(self) -> bool:
        """Whether predictions have probabilities; numbers have none, whatever their outputs are."""
        return self.are_logits and self.kind is not LabelKind.REGRESSION

    @classmethod
    def of(cls, labels: Labels, *, are_logits: bool) -> Decision:
        """Return the decision for a predictor trained on these labels."""
        present = np.arange(len(labels.classes))
        if labels.kind is LabelKind.CLASSIFICATION:
            present = np.unique(labels.values)
        return cls(labels.kind, len(labels.classes), present, labels.values.shape[1:], are_logits)

    def __call__(self, outputs: np.ndarray) -> Predicted:
        """Convert outputs (examples x outputs) to predictions."""
        if self.kind is LabelKind.REGRESSION:
            return Predicted(np.asarray(outputs, dtype=np.float64).reshape(len(outputs), *self.shape))
        if self.kind is LabelKind.MULTILABEL:
            if not self.are_logits:
                return Predicted((outputs > 0.5).astype(np.int64))
            return Predicted((outputs > 0).astype(np.int64), _sigmoid(outputs))
        values = np.asarray(self.present[outputs.argmax(axis=1)])
        if not self.are_logits:
            return Predicted(values)
        probs = np.zeros((len(outputs), self.classes))
        probs[:, self.present] = softmax(outputs)
        return Predicted(values, probs)


class Predictor(ABC):
    """A predictor trained on features, without any training state.

    Attributes:
        decision: Converts outputs to predictions.
    """

    decision: Decision

    @abstractmethod
    def __call__(self, features: np.ndarray) -> Predicted:
        """Return predictions for features (examples x width)."""

    @abstractmethod
    def tensors(self) -> Mapping[str, np.ndarray]:
        """Return all arrays needed for prediction besides ``decision``, by name."""

    @classmethod
    @abstractmethod
    def restored(cls, tensors: Mapping[str, np.ndarray], decision: Decision) -> Predictor:
        """Rebuild a predictor from its tensors."""


def softmax(outputs: np.ndarray) -> np.ndarray:
    """Return probabilities, examples x outputs, of logits."""
    powers = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _sigmoid(outputs: np.ndarray) -> np.ndarray:
    return np.asarray(0.5 * (1 + np.tanh(outputs / 2)))
