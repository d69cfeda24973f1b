"""Base classes of model sources, and of opened models that encode batches."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from assay.core.catalogue import CatalogueEntry
from assay.core.errors import NotApplicable
from assay.core.features import Encoded, LabelledFeatures
from assay.core.keys import FLOAT32
from assay.core.task import Example, Modality
from assay.core.trainable import Trainable


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Task-independent facts about an opened model.

    Attributes:
        width: Features per example.
        parameters: Number of weights, including the source head.
        macs: Multiply-accumulates of one forward pass on one example, if they can be counted.
        bytes: Size of the weights in memory.
        input: A description of the input size, such as "3 x 224 x 224" or "256 tokens".
        preprocessing: A description of how an example becomes model input, detailed enough to reproduce it.
        source_classes: Number of classes of the source head; 0 without a head.
        weights: The origin of the weights.
        fingerprint: A hash of the weights.
        licence: The licence of the weights, or None if unknown.
        is_random: True for a control with random, untrained weights.
        source_accuracy: The published accuracy on the test set of the source task (ImageNet).
        dtype: The floating-point type of the weights when they encode.
        input_note: Where the range of the input comes from, found in the model or assumed; in no key.
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
    dtype: str = FLOAT32
    input_note: str = ""


class LinearHead(NamedTuple):
    """A linear map from features to class logits."""

    weights: np.ndarray  # classes x width
    bias: np.ndarray  # classes


class Fishers(NamedTuple):
    """The diagonal Fisher information of a model's weights under two heads, averaged per filter."""

    target: np.ndarray  # one value per filter, under a head for the task's classes
    source: np.ndarray  # one value per filter, under the source head


@dataclass(frozen=True, slots=True)
class FisherProbe:
    """Settings for measuring the Fisher information of a model's weights on a task.

    Attributes:
        fit: Fits a head for the task's classes on a sample of train.
        examples: The maximum number of train examples.
        draws: Gradients per example and head, passed to ``Model.fishers``.
        seed: The seed of the draws.
    """

    fit: Callable[[LabelledFeatures], LinearHead]
    examples: int
    draws: int
    seed: int


class PixelInput(NamedTuple):
    """How a model prepares images, if that gives bytes of one size before they are normalised.

    Attributes:
        recipe: What decides the pixels; models of the same recipe share them.
        shape: channels, height and width.
        prepare: Resizes and crops an image, height x width x 3, to ``shape``, uint8.
        encode: Does what ``Model.encode`` does with prepared images, examples x ``shape``.
    """

    recipe: str
    shape: tuple[int, int, int]
    prepare: Callable[[np.ndarray], np.ndarray]
    encode: Callable[[np.ndarray], Encoded]


class Model(ABC):
    """An opened model, which encodes batches deterministically in evaluation mode."""

    @property
    @abstractmethod
    def facts(self) -> ModelFacts:
        """Task-independent facts about this model."""

    @property
    def names(self) -> Sequence[str] | None:
        """For a model that looks up stored features, the names of the stored examples; otherwise None."""
        return None

    @property
    def samples(self) -> Sequence[Example] | None:
        """Examples on which this model can be tested, where ordinary ones say nothing to it; else None."""
        return None

    @property
    def notes(self) -> Sequence[str]:
        """Warnings about this model, which go with each of its results; usually none."""
        return ()

    @property
    def pixels(self) -> PixelInput | None:
        """How images are prepared, for a model whose prepared images can be kept; otherwise None."""
        return None

    @abstractmethod
    def encode(self, examples: Sequence[Example]) -> Encoded:
        """Return features, and source probabilities if the model has a head, in the order of the input."""

    def settle_precision(self, examples: Callable[[], Sequence[Example]]) -> str | None:
        """Choose the precision of encoding for a task, and return its dtype; None where there is no choice.

        Args:
            examples: Reads some examples of the task.
        """
        return None

    def weights(self) -> Iterable[np.ndarray]:
        """Yield the weight matrices (outputs x inputs) one at a time.

        Convolutions are flattened to outputs x (inputs x kernel size). Embeddings, and weights with
        a dimension of one, are excluded.
        """
        raise NotApplicable("the weights of this model are not available")

    def fishers(self, examples: Iterable[Example], head: LinearHead, draws: int, seed: int) -> Fishers:
        """Return the Fisher information of the weights on the given examples.

        It is the mean over examples of the expected squared gradient of log p(class), with classes drawn
        from the model's own probabilities p. Features and the random state do not change.

        Args:
            examples: Examples, read one at a time.
            head: A head that maps features to the logits of the task's classes.
            draws: Gradients per example and head; at least as many as classes make the expectation exact.
            seed: The seed of the draws, if there are fewer draws than classes.
        """
        raise NotApplicable("gradients of this model are not available")

    def training(self) -> AbstractContextManager[Trainable]:
        """Return a context in which the weights can be trained; they are restored when it ends."""
        raise NotApplicable("the weights of this model are frozen: it cannot be trained")

    @abstractmethod
    def close(self) -> None:
        """Free the model's memory."""


class Layered(Model):
    """An opened model with features from every layer; the layer is chosen on the task's val split.

    Used directly, it returns features of the last layer.
    """

    @property
    @abstractmethod
    def all_layers(self) -> Model:
        """The model that returns the concatenated features of all layers."""

    @abstractmethod
    def apart(self, features: np.ndarray) -> Sequence[np.ndarray]:
        """Split features of ``all_layers`` by layer, including the input of the first layer."""

    @abstractmethod
    def at(self, layer: int) -> Model:
        """Return the model that reads the layer at this position in ``apart``.

        It shares the weights of the layered model and is closed with it.
        """


@dataclass(frozen=True, slots=True)
class ModelSource(ABC):
    """A source of models: one file in ``models/``; its fields are the user's settings.

    To add one, derive a frozen dataclass whose first field is ``name`` (the part after the colon).
    ``check`` raises ``UsageError`` for invalid settings; ``open`` raises ``ModelError`` if the model fails.
    """

    name: str

    summary: ClassVar[str] = ""  # one line for lists
    packages: ClassVar[tuple[str, ...]] = ()  # required packages, imported only when used
    encoding_version: ClassVar[int] = 1  # increase it when the features of the source's models change

    @classmethod
    def list_names(cls) -> Iterable[str]:
        """Return the names that can be opened; empty if any path or hub name is allowed."""
        return ()

    def choices(self) -> Iterable[str]:
        """Return the names that a pattern can match under these settings, one name per model."""
        return self.list_names()

    def parameters(self) -> int | None:
        """Return the number of weights, including the source head; None if unknown before opening."""
        return None

    @classmethod
    def catalogue(cls) -> Iterable[ModelSource]:
        """Return the models that can be listed before anything is downloaded: all names, or those known."""
        return map(cls, cls.list_names())

    def entry(self, address: str) -> CatalogueEntry:
        """Return what is known of the model without opening it, and without a network.

        A source whose models may have to be downloaded says whether this one must be.

        Args:
            address: The address of this model.
        """
        return CatalogueEntry(address, is_local=True)

    @abstractmethod
    def check(self) -> None:
        """Raise ``UsageError`` if a name or file does not exist; cheap, does not open the model."""

    @abstractmethod
    def modality(self) -> Modality:
        """Return the input modality, without opening the weights."""

    @abstractmethod
    def identity(self) -> str:
        """Return a string that uniquely identifies this model, without opening it.

        It contains every setting, the versions of the libraries that build the model, and the revision or
        hash of the loaded files: sources with equal identities give equal features, whatever the file paths.
        """

    def code(self) -> str:
        """Return the name of code that opening runs besides Assay and installed packages; empty if none.

        A saved model that runs code is opened only if the caller allows it by this name.
        """
        return ""

    def untrained(self) -> ModelSource | None:
        """Return a source of the same architecture with random weights, or None.

        If the weights are already random, the source has different random weights.
        """
        return None

    @abstractmethod
    def open(self, device: str) -> Model:
        """Load the weights and return a model in evaluation mode on ``device`` ("cpu", "cuda", ...)."""
