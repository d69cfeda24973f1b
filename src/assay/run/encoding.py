"""Encodes the splits of a task with a model, once, and stores the features by key."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from assay.core.errors import ModelError, NotApplicable
from assay.core.features import Features, LabelledFeatures
from assay.core.keys import OpenedParts, SampleParts, features_key, random_features_key
from assay.core.metric import Metric
from assay.core.model import Layered, Model, ModelFacts, ModelSource
from assay.core.task import Modality, Split, SplitName, Task
from assay.encoders.batches import Batches, EncodingNotes, Progress
from assay.moments.folded import FoldedMoments
from assay.moments.stream import MomentStream, stratified_folds
from assay.plugins.train_view import FOLDS, SAMPLE, SEED, balanced_rows
from assay.run.gram import grams_on
from assay.run.layer_choice import ChosenLayer, choose_layer
from assay.store.arrays import Arrays
from assay.wording.numbers import PLURAL

_TEXTS_FOR_ONE = 16  # batch size factor for texts: encoders group texts of equal length
_ROWS = 4096  # rows of stored features that are added to the Moments at once


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """An opened model, and access to the same architecture with random weights.

    Attributes:
        identity: The identity string of the model's source.
        untrained: Returns the source with random weights, or None.
        device: The device on which the model with random weights is opened.
        encoding_version: The encoding version of the model's source.
    """

    model: Model
    identity: str
    untrained: Callable[[], ModelSource | None]
    device: str
    encoding_version: int = 1


@dataclass(frozen=True, slots=True)
class LearningTask:
    """The part of a task that a model may be fitted to: train and val, without test."""

    train: Split
    val: Split
    metric: Metric
    modality: Modality
    fingerprint: str


class Encoder:
    """Encodes splits of a task with a model on first use, and stores the features by key.

    Features are appended to files and read back as memory maps, so memory use is independent of N. The
    encoder holds only train and val; callers pass the splits to encode.

    Attributes:
        seconds: Time spent encoding so far.
    """

    def __init__(self, opened: OpenedModel, task: LearningTask, arrays: Arrays, batches: Batches) -> None:
        self.task = task
        self.batches = batches
        self.seconds = 0.0
        self._opened = opened
        self._arrays = arrays
        self._with_probs = {SplitName.TRAIN}
        self._moments: FoldedMoments | None = None
        self._notes: dict[SplitName, tuple[str, ...]] = {}

    @property
    def device(self) -> str:
        """The device of the model."""
        return self._opened.device

    @property
    def model(self) -> Model:
        """The model, at the selected layer."""
        return self._opened.model if self._layer is None else self._layer.model

    @property
    def facts(self) -> ModelFacts:
        """The facts about the model."""
        return self.model.facts

    @property
    def dtype(self) -> str:
        """The dtype of encoding."""
        return self._opened.model.facts.dtype

    @property
    def tuned(self) -> Mapping[str, float]:
        """The model choices made on val (the layer), by name."""
        return {} if self._layer is None else {"layer": float(self._layer.layer)}

    def notes_of(self, *splits: SplitName) -> tuple[str, ...]:
        """Return caveats about the model and about the features of the given splits."""
        choice = () if self._layer is None else (self._layer.note,)
        run = self.batches.notes if splits else ()
        return *choice, *run, *(note for split in splits for note in self._notes.get(split, ()))

    def features(self, name: SplitName, split: Split) -> Features:
        """Return the features of a split of the task."""
        if not len(split):
            return Features(np.empty((0, self.facts.width), np.float32))
        stored = self._stored(name)
        if stored is None:
            self._encode(name, split)
            stored = self._stored(name)
        assert stored is not None
        if name not in self._notes:
            kept = self._arrays.read_text("features", f"{self._key}-{name}")
            self._notes[name] = () if kept is None else tuple(json.loads(kept))
        return Features(stored, self.device)

    def keep_source_probs_of(self, name: SplitName) -> None:
        """Store the source probabilities of a split when it is encoded; train always does."""
        self._with_probs.add(name)

    def source_probs(self, name: SplitName, split: Split) -> np.ndarray:
        """Return the source probabilities of a split, examples x source classes."""
        if not self.facts.source_classes:
            raise NotApplicable("the model has no source head")
        self.keep_source_probs_of(name)
        self.features(name, split)
        probs = self._stored(name, "-source")
        if probs is None and name is not SplitName.TRAIN:  # encoded earlier without probabilities
            self._encode(name, split)
            probs = self._stored(name, "-source")
        if probs is None and self.task.modality is Modality.TEXT:
            raise NotApplicable("the source head of the model reads whole texts, not words or pairs")
        if probs is None:
            raise ModelError(f"the model has {self.facts.source_classes} classes and gave no probabilities")
        return probs

    def moments(self) -> FoldedMoments:
        """Return the Moments of each fold of train, computed during encoding or from stored features."""
        if self._moments is None:
            train = self.features(SplitName.TRAIN, self.task.train)
        if self._moments is None:
            stream = self._stream()
            for start in range(0, len(train), _ROWS):
                rows = np.arange(start, min(start + _ROWS, len(train)))
                stream.update(rows, train.matrix[rows])
            self._moments = stream.finish()
        return self._moments

    def folds(self) -> np.ndarray:
        """Return the fold of each label of train."""
        return stratified_folds(self.task.train.labels, FOLDS, SEED)

    @contextmanager
    def random_model(self) -> Iterator[Model]:
        """Open the same architecture with random weights, at the same layer."""
        with self._open(self._untrained()) as model:
            yield model

    def random_features(self) -> Features:
        """Return features of the sample of train under random weights, stored by key."""
        source = self._untrained()
        if self.task.train.labels.lengths is not None:
            raise NotApplicable("it compares whole texts, not words")
        sample = SampleParts(self.task.fingerprint, SAMPLE, SEED)
        key = random_features_key(source.identity(), sample, self.tuned, source.encoding_version)
        stored = self._arrays.read("features", key)
        if stored is None:
            self._encode_random(source, key)
            stored = self._arrays.read("features", key)
        assert stored is not None
        return Features(stored, self.device)

    @cached_property
    def _layer(self) -> ChosenLayer | None:
        """The chosen layer of a layered model, else None; chosen before the model is used otherwise."""
        model = self._opened.model
        if not isinstance(model, Layered):
            return None
        start = time.perf_counter()
        chosen = choose_layer(model, self.task.train, self.task.val, self.task.metric, self.batches)
        self.seconds += time.perf_counter() - start
        return chosen

    @cached_property
    def _key(self) -> str:
        facts, opened = self.facts, self._opened
        parts = OpenedParts(
            opened.identity, facts.fingerprint, facts.preprocessing, opened.encoding_version, facts.dtype
        )
        return features_key(parts, self.task.fingerprint)

    def _stored(self, name: SplitName, suffix: str = "") -> np.ndarray | None:
        return self._arrays.read("features", f"{self._key}-{name}{suffix}")

    def _untrained(self) -> ModelSource:
        source = self._opened.untrained()
        if source is None:
            raise NotApplicable("this source has no random weights")
        return source

    @contextmanager
    def _open(self, source: ModelSource) -> Iterator[Model]:
        model = source.open(self.device)
        try:
            yield model.at(self._layer.layer) if self._layer and isinstance(model, Layered) else model
        finally:
            model.close()

    def _stream(self) -> MomentStream:
        return MomentStream(self.task.train.labels, self.folds(), grams_on(self.device))

    def _encode(self, name: SplitName, split: Split) -> None:
        start = time.perf_counter()
        stream = self._stream() if name is SplitName.TRAIN else None
        remarks = EncodingNotes(name, split, PLURAL[self.task.modality])
        with ExitStack() as stack:
            keep: list[Callable[[np.ndarray], None]] = []
            for rows, encoded in self.batches.encoded(self.model, split, f"encode {name}"):
                remarks.add(encoded)
                probs = encoded.source_probs if name in self._with_probs else None
                parts = (encoded.features, probs)
                if not keep:
                    keep = [stack.enter_context(part) for part in self._files(name, len(split.labels), parts)]
                for append, part in zip(keep, (part for part in parts if part is not None), strict=True):
                    append(part)
                if stream is not None:
                    stream.update(rows, encoded.features)
            self._notes[name] = remarks.sentences()
            if self._notes[name]:  # written before the features become visible
                self._arrays.write_text("features", f"{self._key}-{name}", json.dumps(self._notes[name]))
        if stream is not None:
            self._moments = stream.finish()
        self.seconds += time.perf_counter() - start

    def _encode_random(self, source: ModelSource, key: str) -> None:
        start = time.perf_counter()
        train = self.task.train
        rows = balanced_rows(train.labels, SAMPLE, SEED)
        with ExitStack() as stack:
            model = stack.enter_context(self._open(source))
            append: Callable[[np.ndarray], None] | None = None
            for _, encoded in self.batches.encoded(model, train.take(rows), "encode with random weights"):
                shape = (len(rows), encoded.features.shape[1])  # features of pairs are wider than facts.width
                append = append or stack.enter_context(self._arrays.appending("features", key, shape))
                append(encoded.features)
        self.seconds += time.perf_counter() - start

    def _files(
        self, name: SplitName, count: int, parts: Iterable[np.ndarray | None]
    ) -> Iterator[AbstractContextManager[Callable[[np.ndarray], None]]]:
        """Yield a file writer for each part: features, then source probabilities if there are any."""
        for suffix, part in zip(("", "-source"), parts, strict=False):
            if part is not None:
                shape = (count, part.shape[1])
                yield self._arrays.appending("features", f"{self._key}-{name}{suffix}", shape)


class Encodings:
    """All splits of a task as encoded by one model: the inputs of protocols.

    Attributes:
        task: The task, including test; scores receive a view of the encoder, which has no test.
        metric: The main metric of the task.
        encoder: The encoder, which holds only train and val.
    """

    def __init__(
        self, opened: OpenedModel, task: Task, metric: Metric, arrays: Arrays, batches: Batches
    ) -> None:
        self.task = task
        self.metric = metric
        learning = LearningTask(task.train, task.val, metric, task.modality, task.fingerprint)
        self.encoder = Encoder(opened, learning, arrays, batches)

    def features(self, name: SplitName) -> Features:
        """Return the features of a split."""
        return self.encoder.features(name, self.task.split(name))

    def labelled(self, name: SplitName) -> LabelledFeatures:
        """Return the features of a split with its labels."""
        return LabelledFeatures(self.features(name), self.task.split(name).labels)

    def source_probs(self, name: SplitName) -> np.ndarray:
        """Return the source probabilities of a split, examples x source classes."""
        return self.encoder.source_probs(name, self.task.split(name))


def batches_of(task: Task, batch_size: int, report: Progress) -> Batches:
    """Return the batch encoder for a task."""
    return Batches(batch_size * (_TEXTS_FOR_ONE if task.modality is Modality.TEXT else 1), report)
