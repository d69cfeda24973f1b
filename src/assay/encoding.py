"""The splits of one task as one model sees them: encoded once, checked, kept, and handed out in each form."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass

import numpy as np

from assay.core.errors import ModelError, NotApplicable
from assay.core.features import Encoded, Features, LabelledFeatures, LabelledSourceProbs
from assay.core.job import ENCODING_VERSION, content_key
from assay.core.model import FisherProbe, Fishers, Model, ModelFacts, ModelSource
from assay.core.moments import FoldedMoments
from assay.core.stream import MomentStream, stratified_folds
from assay.core.task import Example, Examples, Kind, Modality, Split, Task
from assay.core.view import FOLDS, SAMPLE, SEED, HeldOut, TrainView, balanced_rows, proportional_rows
from assay.encoders.gram import grams_on
from assay.store.arrays import Arrays

Tell = Callable[[str, int, int], object]  # what is being done, how much is done, of how much

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
        notes: What a reader must know of the features.
    """

    def __init__(self, twins: Twins, task: Task, arrays: Arrays, batch_size: int, tell: Tell) -> None:
        self.task = task
        self.seconds = 0.0
        self.notes: tuple[str, ...] = ()
        self._twins = twins
        self._model = twins.model
        self._arrays = arrays
        self._batch_size = batch_size * (_TEXTS_FOR_ONE if task.modality is Modality.TEXT else 1)
        self._tell = tell
        facts = twins.model.facts
        self._key = content_key(
            encoding=ENCODING_VERSION,
            identity=twins.identity,
            weights=facts.fingerprint,
            preprocessing=facts.preprocessing,
            task=task.fingerprint,
        )
        self._moments: FoldedMoments | None = None

    @property
    def kind(self) -> Kind:
        """The kind of the task."""
        return self.task.kind

    def features(self, split: str) -> Features:
        """Return the features of "train", "val" or "test"."""
        if not len(self._split(split)):
            return Features(np.empty((0, self._model.facts.width), np.float32))
        stored = self._arrays.read("features", f"{self._key}-{split}")
        if stored is None:
            self._encode(split)
            stored = self._arrays.read("features", f"{self._key}-{split}")
        assert stored is not None
        return Features(stored)

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
        rows = proportional_rows(train.labels, SAMPLE, SEED)
        examples = LabelledFeatures(Features(train.matrix[rows]), train.labels.take(rows))
        return HeldOut(examples, self._folds()[rows])

    def facts(self) -> ModelFacts:
        """Return what is known of the model."""
        return self._model.facts

    def source_probs(self) -> LabelledSourceProbs:
        """Return the source probabilities of train."""
        if not self._model.facts.source_classes:
            raise NotApplicable("the model has no source head")
        self.features("train")
        probs = self._arrays.read("features", f"{self._key}-train-source")
        if probs is None:
            raise ModelError(
                f"the model has {self._model.facts.source_classes} classes and gave no probabilities"
            )
        return LabelledSourceProbs(probs, self.task.train.labels)

    def weights(self) -> Iterable[np.ndarray]:
        """Return the weight matrices of the model, one at a time."""
        return self._model.weights()

    def fishers(self, probe: FisherProbe) -> Fishers:
        """Return the Fisher information of the weights on a class-balanced sample of train."""
        if not self._model.facts.source_classes:
            raise NotApplicable("the model has no source head")
        train = self.task.train
        rows = balanced_rows(train.labels, probe.examples, SEED)
        examples = self._told("gradients", _Chosen(train.examples, rows))
        return self._model.fishers(examples, probe.fit(self.sample()), probe.draws, probe.seed)

    def random_features(self) -> Features:
        """Return the sample as the same architecture with random weights sees it: encoded once, and kept."""
        source = self._twins.untrained()
        if source is None:
            raise NotApplicable("this source has no random weights")
        parts = {"encoding": ENCODING_VERSION, "task": self.task.fingerprint, "sample": (SAMPLE, SEED)}
        key = f"{content_key(identity=source.identity(), **parts)}-random"
        stored = self._arrays.read("features", key)
        if stored is None:
            self._encode_random(source, key)
            stored = self._arrays.read("features", key)
        assert stored is not None
        return Features(stored)

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
        with ExitStack() as stack:
            keep: list[Callable[[np.ndarray], None]] = []
            for rows, encoded in self._batches(self._model, f"encode {name}", split):
                parts = (
                    encoded if stream is not None else encoded[:1]
                )  # only train keeps source probabilities
                if not keep:
                    keep = [stack.enter_context(part) for part in self._files(name, len(split), parts)]
                for append, part in zip(keep, (part for part in parts if part is not None), strict=True):
                    append(part)
                if stream is not None:
                    stream.update(rows, encoded.features)
        if stream is not None:
            self._moments = stream.finish()
        self.seconds += time.perf_counter() - start

    def _encode_random(self, source: ModelSource, key: str) -> None:
        start = time.perf_counter()
        train = self.task.train
        rows = balanced_rows(train.labels, SAMPLE, SEED)
        sample = Split(_Chosen(train.examples, rows), train.labels.take(rows))
        model = source.open(self._twins.device)
        try:
            with self._arrays.appending("features", key, (len(rows), model.facts.width)) as append:
                for _, encoded in self._batches(model, "encode with random weights", sample):
                    append(encoded.features)
        finally:
            model.close()
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

    def _batches(self, model: Model, what: str, split: Split) -> Iterator[tuple[np.ndarray, Encoded]]:
        """Encode a split in order; the next batch is read while this one is encoded."""
        self._tell(what, 0, len(split))
        starts = range(0, len(split), self._batch_size)
        batches = [np.arange(start, min(start + self._batch_size, len(split))) for start in starts]
        with ThreadPoolExecutor(max_workers=1) as readers:
            coming = readers.submit(_read, split, batches[0]) if batches else None
            for position, rows in enumerate(batches):
                assert coming is not None
                examples = coming.result()
                if position + 1 < len(batches):
                    coming = readers.submit(_read, split, batches[position + 1])
                encoded = self._encode_batch(model, examples)
                _must_be_finite(encoded.features, "features", split, rows)
                if encoded.source_probs is not None:
                    _must_be_finite(encoded.source_probs, "source probabilities", split, rows)
                yield rows, encoded
                self._tell(what, int(rows[-1]) + 1, len(split))

    def _encode_batch(self, model: Model, examples: list[Example]) -> Encoded:
        """Encode some examples; while memory does not suffice, in halves."""
        try:
            return model.encode(examples)
        except Exception as error:
            if not _is_out_of_memory(error) or len(examples) == 1:
                raise
        half = len(examples) // 2
        note = f"memory did not suffice for batches of {len(examples)}: they were halved"
        if note not in self.notes:
            self.notes = (*self.notes, note)
        return _joined(self._encode_batch(model, examples[:half]), self._encode_batch(model, examples[half:]))


class _Chosen(Examples):
    """Some examples of a split."""

    def __init__(self, examples: Examples, rows: np.ndarray) -> None:
        self._examples, self._rows = examples, rows

    def __len__(self) -> int:
        return len(self._rows)

    def read(self, row: int) -> Example:
        return self._examples.read(int(self._rows[row]))

    def name(self, row: int) -> str:
        return self._examples.name(int(self._rows[row]))


def _is_out_of_memory(error: Exception) -> bool:
    """Tell by what frameworks raise: a class of their own on accelerators, a plain RuntimeError on CPUs."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    return isinstance(error, RuntimeError) and any(
        words in str(error).lower() for words in ("out of memory", "can't allocate memory")
    )


def _read(split: Split, rows: np.ndarray) -> list[Example]:
    return [split.examples.read(int(row)) for row in rows]


def _must_be_finite(matrix: np.ndarray, what: str, split: Split, rows: np.ndarray) -> None:
    if len(matrix) != len(rows):
        raise ModelError(f"the model returned {len(matrix)} rows of {what} for {len(rows)} examples")
    finite = np.isfinite(matrix).all(axis=1)
    if finite.all():
        return
    first = split.examples.name(int(rows[np.argmin(finite)]))
    raise ModelError(
        f"the {what} of '{first}' are not finite (NaN or infinity). "
        "Look at this example and at the weights: assay check tells whether they are finite elsewhere."
    )


def _joined(a: Encoded, b: Encoded) -> Encoded:
    probs = (a.source_probs, b.source_probs)
    joined = None if probs[0] is None or probs[1] is None else np.concatenate([probs[0], probs[1]])
    return Encoded(np.concatenate([a.features, b.features]), joined)
