"""What a reader must know of tasks and models: frozen values that a store keeps beside the results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assay.core.model import ModelFacts
from assay.core.task import Modality, TaskKind


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """What a reader must know of a task, kept beside its results.

    Attributes:
        address: The address that loads it again.
        floor: Chance level: the main metric on test of always predicting the majority class, or the mean.
        fingerprint: A hash of every example, every label and the split.
        notes: What was guessed, left out or is doubtful.
        slices: The columns by which test is sliced.
    """

    address: str
    kind: TaskKind
    modality: Modality
    metric: str
    classes: tuple[str, ...]
    train_count: int
    val_count: int
    test_count: int
    floor: float
    fingerprint: str
    notes: tuple[str, ...] = ()
    slices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ShownExample:
    """One example of train.

    Attributes:
        name: What a user would call it: a path, or a row number.
        label: Its class, classes or number in words.
        text: The beginning of a text; else empty.
        picture: A small image as a ``data:`` URL, of audio its spectrogram; empty for texts.
    """

    name: str
    label: str
    text: str = ""
    picture: str = ""


@dataclass(frozen=True, slots=True)
class ModelRow:
    """What a reader must know of a model.

    Attributes:
        latency_seconds: Median time of one standard example at batch 1 on the machine of the study.
        throughput: Standard examples a second in batches there.
    """

    address: str
    identity: str
    facts: ModelFacts
    latency_seconds: float | None
    throughput: float | None = None


def has_random_weights(model: str, models: Mapping[str, ModelRow]) -> bool:
    """Tell whether the weights of a model were drawn at random, as far as it could be opened."""
    return model in models and models[model].facts.is_random
