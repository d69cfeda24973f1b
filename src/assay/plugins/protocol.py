"""The base classes of protocols, which learn from train, and their inputs and outputs."""

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
    """A method that learns from train and tunes on val; its inputs cannot contain test."""

    def repeats(self, seeds: int) -> int:
        """Return the number of runs: 1 if the protocol is deterministic, otherwise the number of seeds."""
        return 1

    def with_tuned(self, tuned: Mapping[str, float]) -> Protocol:
        """Return a protocol that repeats this one with fixed hyperparameters instead of tuning them again."""
        return self


@dataclass(frozen=True, slots=True)
class Fitted:
    """The outcome of fitting a protocol to features.

    Attributes:
        predictor: The trained predictor.
        tuned: The hyperparameters chosen on val, by name.
        notes: Caveats for the reader, such as an optimiser that did not converge.
        tune_seconds: The time spent on tuning; the remaining time was training.
        val_value: The main metric on val of the chosen hyperparameters, measured on what was fitted to train
            alone, before val was learned from; None where nothing was judged on val.
    """

    predictor: Predictor
    tuned: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    tune_seconds: float = 0.0
    val_value: float | None = None


class FeatureProtocol(Protocol):
    """A protocol that learns from the features of train."""

    learns: ClassVar[type[Predictor]]  # the predictor class, needed to restore a saved predictor

    @abstractmethod
    def fit(self, train: LabelledFeatures, val: LabelledFeatures, metric: Metric) -> Fitted:
        """Learn from train and tune by ``metric`` on val, deterministically."""


class TrainingTask(NamedTuple):
    """A task without its test split: the input of protocols that train a model."""

    train: Split
    val: Split
    metric: Metric


class TunedModel(ABC):
    """A model after training, with a new head.

    Attributes:
        tuned: The hyperparameters chosen on val, by name.
        notes: Caveats for the reader.
        tune_seconds: The time spent on tuning; the remaining time was training.
        decision: Converts outputs to predictions.
        val_value: The main metric on val of the chosen hyperparameters, measured on what was trained on train
            alone; None where nothing was judged on val.
    """

    tuned: Mapping[str, float]
    notes: tuple[str, ...]
    tune_seconds: float
    decision: Decision
    val_value: float | None = None

    @abstractmethod
    def predict(self, examples: Examples) -> Predicted:
        """Return predictions in the order of the examples."""

    @abstractmethod
    def tensors(self) -> Mapping[str, np.ndarray]:
        """Return the weights that training changed, including the head, by name."""


class ModelProtocol(Protocol):
    """A protocol that trains the model itself."""

    @property
    @abstractmethod
    def starts_random(self) -> bool:
        """Whether training starts from random instead of pretrained weights."""

    def repeats(self, seeds: int) -> int:
        """Return the number of seeds, because training is random."""
        return seeds

    @abstractmethod
    def fit(self, model: Model, task: TrainingTask, seed: int) -> AbstractContextManager[TunedModel]:
        """Train the model; its original weights are restored when the context ends.

        Raises:
            NotApplicable: The model cannot be trained; the message says why.
        """

    @abstractmethod
    def restored(
        self, model: Model, tensors: Mapping[str, np.ndarray], labels: Labels
    ) -> AbstractContextManager[TunedModel]:
        """Rebuild a trained model from its tensors."""


class SourceProtocol(Protocol):
    """A protocol that uses the predictions of the source head and learns nothing from train or val.

    No metric on val is recorded, because val would have to be encoded for that alone.
    """

    @abstractmethod
    def class_positions(self, classes: Sequence[str], head: int) -> np.ndarray:
        """Return the index of each class of a task among the classes of the source head.

        Args:
            classes: The classes of the task.
            head: The number of classes of the head.

        Raises:
            NotApplicable: The head does not have these classes.
        """

    def predict(self, probs: np.ndarray, positions: np.ndarray) -> Predicted:
        """Return predictions from the probabilities of the head (examples x source classes)."""
        own = probs[:, positions].astype(np.float64)
        total = own.sum(axis=1, keepdims=True)
        own = np.divide(own, total, out=np.full_like(own, 1 / len(positions)), where=total > 0)
        return Predicted(own.argmax(axis=1), own)


class SubsetProtocol(Protocol):
    """A protocol that runs another protocol on a subset of train and val."""

    @abstractmethod
    def base(self) -> FeatureProtocol | ModelProtocol:
        """Return the protocol that is run on the subset."""

    @abstractmethod
    def rows(self, labels: Labels, seed: int) -> np.ndarray:
        """Return the positions of the examples of train or val to keep, in order."""
