"""Fits a protocol for one model and one task: learns from train, tunes on val, predicts test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.features import LabelledFeatures
from assay.core.predictor import Decision, Predicted
from assay.core.task import Split, SplitName
from assay.plugins.protocol import (
    FeatureProtocol,
    ModelProtocol,
    Protocol,
    SourceProtocol,
    SubsetProtocol,
    TrainingTask,
)
from assay.run.encoding import Encodings

Part = TypeVar("Part", Split, LabelledFeatures)


@dataclass(frozen=True, slots=True)
class Learned:
    """A fitted protocol, valid while its model keeps the trained weights.

    Attributes:
        predict: Returns predictions for a split of the task, given its name.
        tensors: Returns the arrays needed for prediction besides the model, by name.
        decision: Converts outputs to predictions.
        tuned: The hyperparameters chosen on val, by name.
        notes: Caveats for the reader.
        tune_seconds: The time spent on tuning.
        val_value: The main metric on val of what was fitted to train alone, or None.
    """

    predict: Callable[[SplitName], Predicted]
    tensors: Callable[[], Mapping[str, np.ndarray]]
    decision: Decision
    tuned: Mapping[str, float]
    notes: tuple[str, ...]
    tune_seconds: float
    val_value: float | None = None


@contextmanager
def learned(method: Protocol, encodings: Encodings, seed: int) -> Iterator[Learned]:
    """Fit a protocol; the original weights of the model are restored when the context ends.

    Args:
        method: Any protocol.
        encodings: The splits of the task as encoded by the model.
        seed: The seed of the protocol's randomness.
    """
    base = method.base() if isinstance(method, SubsetProtocol) else method
    task, encoder = encodings.task, encodings.encoder
    kind = task.train.labels.kind
    if kind not in base.kinds:
        raise NotApplicable(f"it learns by a protocol that is not for {kind} tasks")

    def part(split: Part) -> Part:
        return split.take(method.rows(split.labels, seed)) if isinstance(method, SubsetProtocol) else split

    if isinstance(base, FeatureProtocol):
        yield _from_features(base, part, encodings)
        return
    if isinstance(base, SourceProtocol):
        yield _from_source(base, encodings)
        return
    if not isinstance(base, ModelProtocol):
        raise TypeError(f"{type(base).__name__} learns neither from features nor by training a model.")
    training_task = TrainingTask(part(task.train), part(task.val), encodings.metric)
    with (
        encoder.random_model() if base.starts_random else nullcontext(encoder.model) as model,
        base.fit(model, training_task, seed) as tuned,
    ):
        yield Learned(
            predict=lambda name: tuned.predict(task.split(name).examples),
            tensors=tuned.tensors,
            decision=tuned.decision,
            tuned={**encodings.encoder.tuned, **tuned.tuned},
            notes=(*encodings.encoder.notes_of(), *tuned.notes),
            tune_seconds=tuned.tune_seconds,
            val_value=tuned.val_value,
        )


def _from_source(method: SourceProtocol, encodings: Encodings) -> Learned:
    labels, head = encodings.task.test.labels, encodings.encoder.facts.source_classes
    if not head:
        raise NotApplicable("the model has no source head")
    positions = method.class_positions(labels.classes, head)
    encodings.source_probs(SplitName.TEST)  # encode before the protocol is timed
    chosen = f"chosen among {len(positions):,} of the {head:,} classes of the head"
    return Learned(
        predict=lambda name: method.predict(encodings.source_probs(name), positions),
        tensors=dict,
        decision=Decision.of(labels, are_logits=False),
        tuned=encodings.encoder.tuned,
        notes=(*encodings.encoder.notes_of(SplitName.TEST), *((chosen,) if len(positions) < head else ())),
        tune_seconds=0.0,
    )


def _from_features(
    method: FeatureProtocol,
    part: Callable[[LabelledFeatures], LabelledFeatures],
    encodings: Encodings,
) -> Learned:
    encodings.features(SplitName.TEST)  # encode before the protocol is timed
    fitted = method.fit(
        part(encodings.labelled(SplitName.TRAIN)), part(encodings.labelled(SplitName.VAL)), encodings.metric
    )
    return Learned(
        predict=lambda name: fitted.predictor(encodings.features(name).matrix),
        tensors=fitted.predictor.tensors,
        decision=fitted.predictor.decision,
        tuned={**encodings.encoder.tuned, **fitted.tuned},
        notes=(*encodings.encoder.notes_of(*SplitName), *fitted.notes),
        tune_seconds=fitted.tune_seconds,
        val_value=fitted.val_value,
    )
