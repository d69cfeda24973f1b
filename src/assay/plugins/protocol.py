"""Protocols, which learn from train: what they are given, and what they hand back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import ClassVar, NamedTuple

import numpy as np

from assay.core.features import LabelledFeatures
from assay.core.metric import Metric
from assay.core.model import Model
from assay.core.predictor import Decision, Predicted, Predictor
from assay.core.task import Examples, Labels, Split
from assay.plugins.method import Method


class Protocol(Method):
    """A way to learn from train, with choices made on val; test is out of its reach by type."""

    def repeats(self, seeds: int) -> int:
        """Return how often it runs: once, or with so many seeds where it is random."""
        return 1

    def with_tuned(self, tuned: Mapping[str, float]) -> Protocol:
        """Return a protocol that ends where this one did without choosing again what was chosen before."""
        return self


@dataclass(frozen=True, slots=True)
class Fitted:
    """What a protocol learned from features.

    Attributes:
        predictor: What maps features to predictions.
        tuned: What was chosen on val, by name.
        notes: Whatever a reader of the result must know, such as an optimiser that did not converge.
        tune_seconds: The time that choosing took; the rest of the time was training.
    """

    predictor: Predictor
    tuned: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    tune_seconds: float = 0.0


class FeatureProtocol(Protocol):
    """A way to learn from the features of train."""

    learns: ClassVar[type[Predictor]]  # what it learns, so that it can be restored from a file

    @abstractmethod
    def fit(self, train: LabelledFeatures, val: LabelledFeatures, metric: Metric) -> Fitted:
        """Learn from train and choose by ``metric`` on val; the same input gives the same output."""


class TrainingTask(NamedTuple):
    """A task without its test: what a protocol that trains a model learns from, and what it chooses by."""

    train: Split
    val: Split
    metric: Metric


class TunedModel(ABC):
    """A model after training, with its new head."""

    tuned: Mapping[str, float]
    notes: tuple[str, ...]
    tune_seconds: float
    decision: Decision

    @abstractmethod
    def predict(self, examples: Examples) -> Predicted:
        """Return predictions in the order given."""

    @abstractmethod
    def tensors(self) -> Mapping[str, np.ndarray]:
        """Return the weights that training changed, the head's included, by name."""


class ModelProtocol(Protocol):
    """A way to train a model itself."""

    @property
    @abstractmethod
    def starts_random(self) -> bool:
        """Whether it is given the same architecture with random weights."""

    def repeats(self, seeds: int) -> int:
        """Return the number of seeds: training is random."""
        return seeds

    @abstractmethod
    def fit(self, model: Model, task: TrainingTask, seed: int) -> AbstractContextManager[TunedModel]:
        """Train the model; when the context ends its weights are as they were before.

        Raises:
            NotApplicable: The model cannot be trained; the text says why.
        """

    @abstractmethod
    def restored(
        self, model: Model, tensors: Mapping[str, np.ndarray], labels: Labels
    ) -> AbstractContextManager[TunedModel]:
        """Return the trained model of which these are the tensors."""


class SourceProtocol(Protocol):
    """Predictions of the source head alone: nothing is learned from train or val."""

    @abstractmethod
    def class_positions(self, classes: Sequence[str], head: int) -> np.ndarray:
        """Return the position of each class of a task among the classes of a head.

        Args:
            classes: The classes of the task.
            head: How many classes the head has.

        Raises:
            NotApplicable: The head does not know these classes.
        """

    def predict(self, probs: np.ndarray, positions: np.ndarray) -> Predicted:
        """Return predictions by the probabilities of the head (examples x its classes)."""
        own = probs[:, positions].astype(np.float64)
        total = own.sum(axis=1, keepdims=True)
        own = np.divide(own, total, out=np.full_like(own, 1 / len(positions)), where=total > 0)
        return Predicted(own.argmax(axis=1), own)


class SubsetProtocol(Protocol):
    """Another protocol on a part of train and of val."""

    @abstractmethod
    def base(self) -> FeatureProtocol | ModelProtocol:
        """Return the protocol that learns."""

    @abstractmethod
    def rows(self, labels: Labels, seed: int) -> np.ndarray:
        """Return the positions of the examples that are kept of train or val, in order."""
