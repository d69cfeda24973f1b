"""A protocol on one model and one task: it learns from train, chooses on val, and then is asked for test."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.features import LabelledFeatures
from assay.core.metric import Metric
from assay.core.predictor import Decision, Predicted
from assay.core.task import Split
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
    """What a protocol learned, for as long as its model is in that state.

    Attributes:
        predict: Returns predictions for a split of the task, by its name.
        tensors: Returns what predictions need besides the model itself, by name.
        decision: How outputs become predictions.
        tuned: What was chosen on val, by name.
        notes: What a reader must know.
        tune_seconds: The time that choosing took.
    """

    predict: Callable[[str], Predicted]
    tensors: Callable[[], Mapping[str, np.ndarray]]
    decision: Decision
    tuned: Mapping[str, float]
    notes: tuple[str, ...]
    tune_seconds: float


@contextmanager
def learned(method: Protocol, encodings: Encodings, metric: Metric, seed: int) -> Iterator[Learned]:
    """Let a protocol learn; the model is what it was when the block ends.

    Args:
        method: Any protocol.
        encodings: The splits of the task as the model sees them.
        metric: The main metric of the task.
        seed: Of what is random in the protocol.
    """
    base = method.base() if isinstance(method, SubsetProtocol) else method
    kind = encodings.kind
    if kind not in base.kinds:
        raise NotApplicable(f"it learns by a protocol that is not for {kind} tasks")

    def part(split: Part) -> Part:
        return split.take(method.rows(split.labels, seed)) if isinstance(method, SubsetProtocol) else split

    if isinstance(base, FeatureProtocol):
        yield _from_features(base, part, encodings, metric)
        return
    if isinstance(base, SourceProtocol):
        yield _from_source(base, encodings)
        return
    if not isinstance(base, ModelProtocol):
        raise TypeError(f"{type(base).__name__} learns neither from features nor by training a model.")
    task = encodings.task
    training_task = TrainingTask(part(task.train), part(task.val), metric)
    with (
        encodings.model(is_random=base.starts_random) as model,
        base.fit(model, training_task, seed) as tuned,
    ):
        splits = {"train": task.train, "val": task.val, "test": task.test}
        yield Learned(
            predict=lambda name: tuned.predict(splits[name].examples),
            tensors=tuned.tensors,
            decision=tuned.decision,
            tuned={**encodings.tuned, **tuned.tuned},
            notes=(*encodings.notes_of(), *tuned.notes),
            tune_seconds=tuned.tune_seconds,
        )


def _from_source(method: SourceProtocol, encodings: Encodings) -> Learned:
    labels, head = encodings.task.test.labels, encodings.facts().source_classes
    if not head:
        raise NotApplicable("the model has no source head")
    positions = method.class_positions(labels.classes, head)
    encodings.source_probs_of("test")  # encoded before the protocol's own time is taken
    chosen = f"chosen among {len(positions):,} of the {head:,} classes of the head"
    return Learned(
        predict=lambda name: method.predict(encodings.source_probs_of(name), positions),
        tensors=dict,
        decision=Decision.of(labels, are_logits=False),
        tuned=encodings.tuned,
        notes=(*encodings.notes_of("test"), *((chosen,) if len(positions) < head else ())),
        tune_seconds=0.0,
    )


def _from_features(
    method: FeatureProtocol,
    part: Callable[[LabelledFeatures], LabelledFeatures],
    encodings: Encodings,
    metric: Metric,
) -> Learned:
    encodings.features("test")  # encoded before the protocol's own time is taken
    fitted = method.fit(part(encodings.labelled("train")), part(encodings.labelled("val")), metric)
    return Learned(
        predict=lambda name: fitted.predictor(encodings.features(name).matrix),
        tensors=fitted.predictor.tensors,
        decision=fitted.predictor.decision,
        tuned={**encodings.tuned, **fitted.tuned},
        notes=(*encodings.notes_of("train", "val", "test"), *fitted.notes),
        tune_seconds=fitted.tune_seconds,
    )
