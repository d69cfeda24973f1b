"""A source of pretrained models, and an opened model that encodes batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.features import Encoded, LabelledFeatures
from assay.core.task import Example, Modality
from assay.core.trainable import Trainable


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """What is known of an opened model without any task.

    Attributes:
        width: Features per example.
        parameters: Number of weights of the encoder, the source head included.
        macs: Multiply-accumulates of one forward pass on one example of the input size, if countable.
        bytes: Size of the weights in memory.
        input: The input size in words, as in "3 x 224 x 224" or "256 tokens".
        preprocessing: How an example becomes input, in words, so that it can be checked and reproduced.
        source_classes: Number of classes of the source head; 0 without a head.
        weights: Where the weights came from.
        fingerprint: A hash of the weights.
        licence: The licence of the weights where it is known.
        is_random: The weights are random, not trained: the model is a control for others.
        source_accuracy: Accuracy on the test set of its source task (ImageNet), as published.
    """

    width: int
    parameters: int
    macs: int | None
    bytes: int
    input: str
    preprocessing: str
    source_classes: int
    weights: str
    fingerprint: str
    licence: str | None = None
    is_random: bool = False
    source_accuracy: float | None = None


class LinearHead(NamedTuple):
    """A linear map from features to the logits of some classes."""

    weights: np.ndarray  # classes x width
    bias: np.ndarray  # classes


class Fishers(NamedTuple):
    """The diagonal Fisher information of a model's weights, averaged in each filter, under two heads."""

    target: np.ndarray  # filters; under a head of the task's classes
    source: np.ndarray  # filters; under the source head


@dataclass(frozen=True, slots=True)
class FisherProbe:
    """How the Fisher information of a model's weights is measured on a task.

    Attributes:
        fit: Returns a head of the task's classes for the sample of train.
        examples: On how many examples of train it is measured, at most.
        draws: Gradients for each example and head, as ``Model.fishers`` takes them.
        seed: Of the draws.
    """

    fit: Callable[[LabelledFeatures], LinearHead]
    examples: int
    draws: int
    seed: int


class Model(ABC):
    """An opened model: it encodes batches, in evaluation mode, the same on every call."""

    @property
    @abstractmethod
    def facts(self) -> ModelFacts:
        """What is known of this model."""

    @property
    def names(self) -> Sequence[str] | None:
        """The names of the examples whose features it stores and looks up; None for all other models."""
        return None

    @abstractmethod
    def encode(self, examples: Sequence[Example]) -> Encoded:
        """Return the features, and the source probabilities where there is a head, in the order given."""

    def weights(self) -> Iterable[np.ndarray]:
        """Return the weight matrices (outputs x inputs), one at a time, where the model can show them.

        Convolutions are flattened to outputs x (inputs x size of the kernel). Embeddings, and weights with
        a side of one, are no weight matrices.
        """
        raise NotApplicable("the weights of this model are not at hand")

    def fishers(self, examples: Iterable[Example], head: LinearHead, draws: int, seed: int) -> Fishers:
        """Return the Fisher information of the weights on some examples, where the model has gradients.

        It is the mean over examples of the expected squared gradient of log p(class), where the class has
        the model's own probabilities p; features and the random state stay as they are.

        Args:
            examples: One at a time.
            head: Maps features to logits of the task's classes.
            draws: Gradients for each example and head; with as many as classes the expectation is exact.
            seed: Of the draws, where they are fewer.
        """
        raise NotApplicable("gradients of this model are not at hand")

    def training(self) -> AbstractContextManager[Trainable]:
        """Train the weights inside, where they can be trained; afterwards they are restored."""
        raise NotApplicable("the weights of this model are frozen: it cannot be trained")

    @abstractmethod
    def close(self) -> None:
        """Free the memory that the model holds."""


class Layered(Model):
    """An opened model of which any layer may be read; the layer is chosen on val of a task.

    Used directly, it reads the last layer.
    """

    @property
    @abstractmethod
    def all_layers(self) -> Model:
        """The model whose features are those of all layers, concatenated."""

    @abstractmethod
    def apart(self, features: np.ndarray) -> Sequence[np.ndarray]:
        """Split features of ``all_layers`` by layer, the input of the first layer included."""

    @abstractmethod
    def at(self, layer: int) -> Model:
        """Return the model that reads one layer, by its position in ``apart``.

        It shares the weights of the layered model and is closed with it.
        """


@dataclass(frozen=True, slots=True)
class ModelSource(ABC):
    """Where models come from: one file in ``models/``; the fields are the settings that a user may write.

    To add one, derive a frozen dataclass whose first field is ``name`` (the part after the colon).
    Wrong settings raise ``UsageError`` from ``check``; a model that breaks raises ``ModelError`` when opened.
    """

    name: str

    summary: ClassVar[str] = ""  # one line for lists
    packages: ClassVar[tuple[str, ...]] = ()  # what must be installed; imported only when used

    @classmethod
    def list_names(cls) -> Iterable[str]:
        """Return the names that can be opened; none where any path or hub name is allowed."""
        return ()

    def choices(self) -> Iterable[str]:
        """Return the names that a pattern chooses from under these settings, each model under one name."""
        return self.list_names()

    def parameters(self) -> int | None:
        """Return the number of weights, the source head included; None where only opening tells."""
        return None

    @abstractmethod
    def check(self) -> None:
        """Raise ``UsageError`` for a name or a file that does not exist; opens nothing, costs little."""

    @abstractmethod
    def modality(self) -> Modality:
        """Return what the model reads, without opening its weights."""

    @abstractmethod
    def identity(self) -> str:
        """Return a string that identifies this model uniquely; opens nothing.

        It holds every setting, the versions of the libraries that build the model, and the revision or the
        hash of what is loaded: two sources with one identity give the same features, wherever files are.
        """

    def untrained(self) -> ModelSource | None:
        """Return the source of the same architecture with random weights; None where there is none.

        Where the weights are random already, it has other random weights.
        """
        return None

    @abstractmethod
    def open(self, device: str) -> Model:
        """Load the weights and return a model in evaluation mode on ``device`` ("cpu", "cuda", ...)."""
