"""Facts about tasks and models: frozen values that a store keeps with the results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from assay.core.limits import Limits
from assay.core.model import ModelFacts
from assay.core.result import Speed
from assay.core.task import Modality, TaskKind


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """Facts about a task, stored with its results.

    Attributes:
        address: The address that loads it again.
        floor: Chance level: the main metric on test when always predicting the majority class, or the mean.
        fingerprint: A hash of every example, every label and the split.
        notes: Notes on what was inferred, left out or is doubtful.
        slices: The columns by which the test split is sliced.
        warnings: Those of the notes that make results unreliable.
        split_source: Where the splits come from, as in "random split (seed 0)"; empty if it is unknown.
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
    warnings: tuple[str, ...] = ()
    split_source: str = ""


@dataclass(frozen=True, slots=True)
class ShownExample:
    """One example for display.

    Attributes:
        name: Its name for a user: a path or a row number.
        label: Its class, classes or number, as text.
        text: The beginning of a text, or the duration of audio; else empty.
        picture: A small image, or the spectrogram of audio, as a ``data:`` URL; empty for texts.
    """

    name: str
    label: str
    text: str = ""
    picture: str = ""

    @property
    def letters(self) -> int:
        """The number of letters that it takes in a page."""
        return len(self.picture) + len(self.text) + len(self.name) + len(self.label)


@dataclass(frozen=True, slots=True)
class ModelRow:
    """Facts about a model.

    Attributes:
        latency_seconds: Least time of one standard example at batch 1 on the machine of the study.
        throughput: Standard examples per second in batches on that machine.
        latency_warning: Why the latency is not reliable; empty if it is, or if it is unknown.
    """

    address: str
    identity: str
    facts: ModelFacts
    latency_seconds: float | None
    throughput: float | None = None
    latency_warning: str = ""

    def refusal(self, limits: Limits) -> str:
        """Return why limits exclude the model from the ranking; empty if they do not."""
        return limits.refusal(self.facts, self.latency_seconds, is_reliable=not self.latency_warning)


@dataclass(frozen=True, slots=True)
class Measurement:
    """One measurement of the speed of a model.

    Attributes:
        identity: The identity of the model when it was measured.
        measured: The time in UTC, as ISO 8601; None before schema version 4.
    """

    model: str
    identity: str
    speed: Speed
    measured: str | None


def has_random_weights(model: str, models: Mapping[str, ModelRow]) -> bool:
    """Return whether a model has random weights; False if it could not be opened."""
    return model in models and models[model].facts.is_random
