"""The splits of one task as one model sees them: encoded once, checked, kept, and handed out in each form."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from assay.core.errors import ModelError, NotApplicable
from assay.core.features import Features, LabelledFeatures, LabelledSourceProbs
from assay.core.keys import features_key, random_features_key
from assay.core.model import FisherProbe, Fishers, Layered, Model, ModelFacts, ModelSource
from assay.core.task import Example, Examples, LabelKind, Modality, SelectedExamples, Split, Task
from assay.encoders.batches import Batches, EncodingNotes, Progress
from assay.moments.folded import FoldedMoments
from assay.moments.stream import MomentStream, stratified_folds
from assay.plugins.train_view import (
    FOLDS,
    SAMPLE,
    SEED,
    HeldOut,
    TrainView,
    balanced_rows,
    proportional_examples,
)
from assay.run.gram import grams_on
from assay.run.layer_choice import ChosenLayer, choose_layer
from assay.store.arrays import Arrays
from assay.wording.numbers import PLURAL

_TEXTS_FOR_ONE = 16  # texts are handed over in larger numbers: encoders batch those of equal length


@dataclass(frozen=True, slots=True)
class Twins:
    """An opened model, and the same architecture with random weights, which opens when a score asks for it.

    Attributes:
        identity: What tells the model from every other.
        untrained: Returns the source with random weights, or None.
        device: Where that one opens.
    """

    model: Model
    identity: str
    untrained: Callable[[], ModelSource | None]
    device: str


class Encodings(TrainView):
    """Features of the splits of a task, encoded when first asked for.

    Features go to files as they come and are read back as memory maps, so memory does not grow with N.

    Attributes:
        seconds: Time spent encoding so far.
    """

    def __init__(self, twins: Twins, task: Task, arrays: Arrays, batch_size: int, tell: Progress) -> None:
        self.task = task
        self.seconds = 0.0
        self._twins = twins
        self._arrays = arrays
        at_once = batch_size * (_TEXTS_FOR_ONE if task.modality is Modality.TEXT else 1)
        self._batches = Batches(at_once, tell)
        self._tell = tell
        self._with_probs = {"train"}
        self._moments: FoldedMoments | None = None
        self._notes: dict[str, tuple[str, ...]] = {}

    def notes_of(self, *splits: str) -> tuple[str, ...]:
        """Return what a reader must know of the model, and of the features of splits that were asked for."""
        choice = () if self._choice is None else (self._choice.note,)
        run = self._batches.notes if splits else ()
        return *choice, *run, *(note for split in splits for note in self._notes.get(split, ()))

    @property
    def tuned(self) -> Mapping[str, float]:
        """What of the model itself was chosen on val, by name."""
        return {} if self._choice is None else {"layer": float(self._choice.layer)}

    @property
    def kind(self) -> LabelKind:
        """The kind of the labels."""
        return self.task.train.labels.kind

    @contextmanager
    def model(self, *, is_random: bool) -> Iterator[Model]:
        """Open nothing new, or the same architecture with random weights, for as long as the block runs."""
        if not is_random:
            yield self._model
            return
        source = self._twins.untrained()
        if source is None:
            raise NotApplicable("this source has no random weights")
        with self._opened(source) as model:
            yield model

    def features(self, split: str) -> Features:
        """Return the features of "train", "val" or "test"."""
        if not len(self._split(split)):
            return Features(np.empty((0, self._model.facts.width), np.float32))
        stored = self._arrays.read("features", f"{self._key}-{split}")
        if stored is None:
            self._encode(split)
            stored = self._arrays.read("features", f"{self._key}-{split}")
        assert stored is not None
        if split not in self._notes:
            kept = self._arrays.read_text("features", f"{self._key}-{split}")
            self._notes[split] = () if kept is None else tuple(json.loads(kept))
        return Features(stored, self._twins.device)

    def labelled(self, split: str) -> LabelledFeatures:
        """Return the features of a split with its labels."""
        return LabelledFeatures(self.features(split), self._split(split).labels)

    def moments(self) -> FoldedMoments:
        """Return the Moments of train, fold by fold: gathered while encoding, or from the kept features."""
        if self._moments is None:
            train = self.features("train")
        if self._moments is None:
            stream = self._stream()
            for start in range(0, len(train), 4096):
                rows = np.arange(start, min(start + 4096, len(train)))
                stream.update(rows, train.matrix[rows])
            self._moments = stream.finish()
        return self._moments

    def sample(self) -> LabelledFeatures:
        """Return a class-balanced sample of train, the same rows for every model."""
        train = self.labelled("train")
        rows = balanced_rows(train.labels, SAMPLE, SEED)
        return LabelledFeatures(Features(train.matrix[rows]), train.labels.take(rows))

    def held_out(self) -> HeldOut:
        """Return a sample of train in its proportions, with the folds of the Moments."""
        train = self.labelled("train")
        chosen = proportional_examples(train.labels, SAMPLE, SEED)
        return HeldOut(train.take(chosen), self._folds()[train.labels.rows_of(chosen)])

    def facts(self) -> ModelFacts:
        """Return what is known of the model."""
        return self._model.facts

    def source_probs(self) -> LabelledSourceProbs:
        """Return the source probabilities of train."""
        return LabelledSourceProbs(self.source_probs_of("train"), self.task.train.labels)

    def keep_source_probs_of(self, split: str) -> None:
        """Keep the source probabilities of a split when it is encoded; those of train always are."""
        self._with_probs.add(split)

    def source_probs_of(self, split: str) -> np.ndarray:
        """Return the source probabilities of "train", "val" or "test", examples x source classes."""
        if not self._model.facts.source_classes:
            raise NotApplicable("the model has no source head")
        self.keep_source_probs_of(split)
        self.features(split)
        probs = self._arrays.read("features", f"{self._key}-{split}-source")
        if probs is None and split != "train":  # encoded earlier, when nobody asked for them
            self._encode(split)
            probs = self._arrays.read("features", f"{self._key}-{split}-source")
        if probs is None and self.task.modality is Modality.TEXT:
            raise NotApplicable("the source head of the model reads whole texts, not words or pairs")
        if probs is None:
            raise ModelError(
                f"the model has {self._model.facts.source_classes} classes and gave no probabilities"
            )
        return probs

    def weights(self) -> Iterable[np.ndarray]:
        """Return the weight matrices of the model, one at a time."""
        return self._model.weights()

    def fishers(self, probe: FisherProbe) -> Fishers:
        """Return the Fisher information of the weights on a class-balanced sample of train."""
        if not self._model.facts.source_classes:
            raise NotApplicable("the model has no source head")
        train = self.task.train
        if train.labels.lengths is not None:
            raise NotApplicable("it compares gradients of whole texts, not of words")
        rows = balanced_rows(train.labels, probe.examples, SEED)
        examples = self._told("gradients", SelectedExamples(train.examples, rows))
        return self._model.fishers(examples, probe.fit(self.sample()), probe.draws, probe.seed)

    def random_features(self) -> Features:
        """Return the sample as the same architecture with random weights sees it: encoded once, and kept."""
        source = self._twins.untrained()
        if source is None:
            raise NotApplicable("this source has no random weights")
        if self.task.train.labels.lengths is not None:
            raise NotApplicable("it compares whole texts, not words")
        key = random_features_key(source.identity(), self.task.fingerprint, (SAMPLE, SEED), self.tuned)
        stored = self._arrays.read("features", key)
        if stored is None:
            self._encode_random(source, key)
            stored = self._arrays.read("features", key)
        assert stored is not None
        return Features(stored, self._twins.device)

    @cached_property
    def _choice(self) -> ChosenLayer | None:
        """The layer that is read, where it is to be chosen: before anything else is asked of the model."""
        model = self._twins.model
        if not isinstance(model, Layered):
            return None
        start = time.perf_counter()
        chosen = choose_layer(model, self.task, self._batches)
        self.seconds += time.perf_counter() - start
        return chosen

    @property
    def _model(self) -> Model:
        return self._twins.model if self._choice is None else self._choice.model

    @cached_property
    def _key(self) -> str:
        facts = self._model.facts
        return features_key(
            self._twins.identity, facts.fingerprint, facts.preprocessing, self.task.fingerprint
        )

    @contextmanager
    def _opened(self, source: ModelSource) -> Iterator[Model]:
        """Open a twin, read at the layer at which this model is."""
        twin = source.open(self._twins.device)
        try:
            yield twin.at(self._choice.layer) if self._choice and isinstance(twin, Layered) else twin
        finally:
            twin.close()

    def _split(self, name: str) -> Split:
        return {"train": self.task.train, "val": self.task.val, "test": self.task.test}[name]

    def _stream(self) -> MomentStream:
        return MomentStream(self.task.train.labels, self._folds(), grams_on(self._twins.device))

    def _folds(self) -> np.ndarray:
        return stratified_folds(self.task.train.labels, FOLDS, SEED)

    def _encode(self, name: str) -> None:
        start = time.perf_counter()
        split = self._split(name)
        stream = self._stream() if name == "train" else None
        remarks = EncodingNotes(name, split, PLURAL[self.task.modality])
        with ExitStack() as stack:
            keep: list[Callable[[np.ndarray], None]] = []
            for rows, encoded in self._batches.encoded(self._model, split, f"encode {name}"):
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
            if self._notes[name]:  # before the features appear
                self._arrays.write_text("features", f"{self._key}-{name}", json.dumps(self._notes[name]))
        if stream is not None:
            self._moments = stream.finish()
        self.seconds += time.perf_counter() - start

    def _encode_random(self, source: ModelSource, key: str) -> None:
        start = time.perf_counter()
        train = self.task.train
        rows = balanced_rows(train.labels, SAMPLE, SEED)
        sample = train.take(rows)
        with ExitStack() as stack:
            model = stack.enter_context(self._opened(source))
            append: Callable[[np.ndarray], None] | None = None
            for _, encoded in self._batches.encoded(model, sample, "encode with random weights"):
                shape = (len(rows), encoded.features.shape[1])  # pairs are wider than the model says
                append = append or stack.enter_context(self._arrays.appending("features", key, shape))
                append(encoded.features)
        self.seconds += time.perf_counter() - start

    def _told(self, what: str, examples: Examples) -> Iterator[Example]:
        for row in range(len(examples)):
            yield examples.read(row)
            self._tell(what, row + 1, len(examples))

    def _files(
        self, name: str, count: int, parts: Iterable[np.ndarray | None]
    ) -> Iterator[AbstractContextManager[Callable[[np.ndarray], None]]]:
        """Return what to append each part to: features, then source probabilities where there are any."""
        for suffix, part in zip(("", "-source"), parts, strict=False):
            if part is not None:
                shape = (count, part.shape[1])
                yield self._arrays.appending("features", f"{self._key}-{name}{suffix}", shape)
