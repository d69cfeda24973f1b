"""Encodes splits of one task with one model, once, and stores the features by key and block."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

import numpy as np

from assay.core.errors import ModelError, NotApplicable
from assay.core.features import Features
from assay.core.keys import OpenedParts, SampleParts, features_key, random_features_key
from assay.core.metric import Metric
from assay.core.model import Layered, Model, ModelFacts, ModelSource
from assay.core.task import Modality, Split, SplitName
from assay.encoders.batches import Batches
from assay.environment.process_state import starting_folder
from assay.moments.folded import FoldedMoments
from assay.plugins.train_view import SAMPLE, SEED, balanced_rows
from assay.plugins.user_code import identity_of_source
from assay.run.device_gram import grams_on
from assay.run.layer_choice import ChosenLayer, choose_layer
from assay.run.opened_model import OpenedModel
from assay.run.pieces import Piece
from assay.run.stored_moments import StoredMoments
from assay.run.stored_split import StoredSplit, distinct, joined, repeated
from assay.run.train_subset import TrainSubset
from assay.store.arrays import Arrays
from assay.wording.numbers import PLURAL


@dataclass(frozen=True, slots=True)
class LearningTask:
    """The part of a task that a model may be fitted to: train and val, without test.

    Attributes:
        seen: Train, and the part of it that methods see.
        test_count: The number of examples of test, which decides how far a result may be from its estimate.
    """

    seen: TrainSubset
    val: Split
    metric: Metric
    modality: Modality
    fingerprint: str
    test_count: int | None = None

    @property
    def train(self) -> Split:
        """The examples of train that methods see."""
        return self.seen.split


class Encoder:
    """Encodes splits of a task with a model on first use, and stores the features by key.

    Features are stored block by block and read back as memory maps, so memory use is independent of N, and
    an interrupted run continues with the next block. The encoder holds only train and val; callers pass the
    splits to encode.

    Attributes:
        seconds: Time spent encoding so far.
        pieces: Those of train whose Moments may have been summed apart.
    """

    def __init__(self, opened: OpenedModel, task: LearningTask, arrays: Arrays, batches: Batches) -> None:
        self.task = task
        self.batches = batches
        self.seconds = 0.0
        self.pieces: Sequence[Piece] = ()
        self._opened = opened
        self._arrays = arrays
        self._with_probs = {SplitName.TRAIN}
        self._without_head: set[SplitName] = set()  # splits for which the model gives no probabilities
        self._splits: dict[SplitName, StoredSplit] = {}
        self._summed: FoldedMoments | None = None  # while train was encoded

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
        run = (*self.model.notes, *self.batches.notes) if splits else ()
        what = PLURAL[self.task.modality]
        used = [(name, self._splits[name]) for name in splits if name in self._splits]
        about = (split.notes(self._needed(name, split), f"{name} {what}") for name, split in used)
        return *choice, *run, *(note for notes in about for note in notes)

    def features(self, name: SplitName, split: Split) -> Features:
        """Return the features of a split of the task."""
        if not len(split):
            return Features(np.empty((0, self.facts.width), np.float32))
        matrix = self._encoded(name, split).features.matrix
        is_part = name is SplitName.TRAIN and not self.task.seen.is_whole
        return Features(matrix[self.task.seen.rows] if is_part else matrix, self.device)

    def features_of_train(self, rows: np.ndarray) -> Features:
        """Return the features of some labels of the train that methods see."""
        matrix = self._encoded(SplitName.TRAIN, self.task.train).features.matrix
        return Features(matrix[rows if self.task.seen.is_whole else self.task.seen.rows[rows]])

    def keep_source_probs_of(self, name: SplitName) -> None:
        """Store the source probabilities of a split when it is encoded; train always does."""
        self._with_probs.add(name)

    def source_probs(self, name: SplitName, split: Split) -> np.ndarray:
        """Return the source probabilities of a split, examples x source classes."""
        if not self.facts.source_classes:
            raise NotApplicable("the model has no source head")
        self.keep_source_probs_of(name)
        stored = self._encoded(name, split)
        if name not in self._without_head:
            probs = stored.source.matrix
            is_part = name is SplitName.TRAIN and not self.task.seen.is_whole
            return probs[self.task.seen.rows] if is_part else probs
        if self.task.modality is Modality.TEXT:
            raise NotApplicable("the source head of the model reads whole texts, not words or pairs")
        raise ModelError(f"the model has {self.facts.source_classes} classes and gave no probabilities")

    def encode_piece(self, piece: Piece, split: Split, *, sums: bool) -> None:
        """Encode the blocks of a piece of a split; keep the Moments of the piece, if they are asked for."""
        stored = self._encoded(piece.split, split, piece)
        if sums:
            self._kept.keep_piece(piece, stored.features.matrix)

    def moments(self) -> FoldedMoments:
        """Return the Moments of each fold of train, which are summed while it is encoded, or stored."""
        return self._moments

    def folds(self) -> np.ndarray:
        """Return the fold of each label of train."""
        return self.task.seen.folds

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
        sample = SampleParts(self.task.fingerprint, SAMPLE, SEED, self.task.seen.part)
        key = random_features_key(identity_of_source(source), sample, self.tuned, source.encoding_version)
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

    def _untrained(self) -> ModelSource:
        source = self._opened.untrained()
        if source is None:
            raise NotApplicable("this source has no random weights")
        return source

    @contextmanager
    def _open(self, source: ModelSource) -> Iterator[Model]:
        with starting_folder():
            model = source.open(self.device)
        try:
            yield model.at(self._layer.layer) if self._layer and isinstance(model, Layered) else model
        finally:
            model.close()

    @cached_property
    def _kept(self) -> StoredMoments:
        return StoredMoments(self._arrays, self._key, self.task.seen, grams_on(self.device))

    @cached_property
    def _moments(self) -> FoldedMoments:
        stored = self._kept.read() if self._summed is None else None
        if stored is not None:
            self._stored(SplitName.TRAIN, self.task.seen.whole)  # whose notes hold for its sums too
            return stored
        features = self._encoded(SplitName.TRAIN, self.task.train).features.matrix
        if self._summed is None:
            self._summed = self._kept.summed(self.pieces, features)
        self._kept.write(self._summed, features[:1].nbytes * len(self.folds()))
        return self._summed

    def _needed(self, name: SplitName, stored: StoredSplit, piece: Piece | None = None) -> range:
        """Return the blocks of a split that hold what methods see, or a piece of that."""
        if piece is None and name is not SplitName.TRAIN:
            return range(len(stored.rows))
        return stored.blocks_within(*piece[1:] if piece else (0, self.task.seen.count))

    def _stored(self, name: SplitName, split: Split) -> StoredSplit:
        if name not in self._splits:
            is_train = name is SplitName.TRAIN
            order = self.task.seen.order if is_train else np.arange(len(split))
            key = f"{self._key}-{name}"
            self._splits[name] = StoredSplit(self._arrays, key, split.labels, order, begins_small=is_train)
        return self._splits[name]

    def _encoded(self, name: SplitName, split: Split, piece: Piece | None = None) -> StoredSplit:
        """Return a split in the store, with all blocks that are needed."""
        if name is SplitName.TRAIN:
            split = self.task.seen.whole
        stored = self._stored(name, split)
        needed = self._needed(name, stored, piece)
        self._encode(name, split, [block for block in needed if not stored.features.present[block]])
        if name is SplitName.TRAIN and piece is None:
            stored.require_read(needed, f"{name} {PLURAL[self.task.modality]}")
        if name in self._with_probs - self._without_head and self.facts.source_classes:
            self._encode(name, split, [block for block in needed if not stored.source.present[block]])
        return stored

    def _encode(self, name: SplitName, split: Split, blocks: Sequence[int]) -> None:
        """Encode blocks of a split; stop early if needed probabilities are not available."""
        if not blocks:
            return
        start = time.perf_counter()
        stored, with_probs = self._splits[name], name in self._with_probs
        stream = self._kept.stream() if self._sums_now(name, blocks) else None
        digests = split.digests if self.task.modality is Modality.IMAGE and not self.model.names else None
        different = [distinct(digests, stored.examples[block]) for block in blocks]
        cuts = [self.batches.cut(examples) for examples, _ in different]
        batches = [batch for cut in cuts for batch in cut]
        encoded = self.batches.encoded(self.model, split, f"encode {name}", batches)
        for block, cut, (_, equal) in zip(blocks, cuts, different, strict=True):
            whole = repeated(joined(batch for _, batch in islice(encoded, len(cut))), equal)
            if whole.source_probs is None:
                self._without_head.add(name)
                if stored.features.present[block]:
                    break
            stored.write(block, whole, with_source=with_probs)
            if stream is not None:
                seen = stored.rows[block][: len(self.task.seen.rows_in_order) - stored.starts[block]]
                stream.update(seen, whole.features[: len(seen)])
        if stream is not None:
            self._summed = stream.finish()
        self.seconds += time.perf_counter() - start

    def _sums_now(self, name: SplitName, blocks: Sequence[int]) -> bool:
        """Return whether these blocks are all that the Moments are summed over."""
        is_all = name is SplitName.TRAIN and len(blocks) == len(self._needed(name, self._splits[name]))
        return is_all and not self._splits[name].features.present[blocks[0]]

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
