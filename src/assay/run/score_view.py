"""The view of train and an opened model that scores receive; it gives no access to test."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.features import Features, LabelledFeatures, LabelledSourceProbs
from assay.core.model import FisherProbe, Fishers, ModelFacts
from assay.core.task import Example, LabelKind, SelectedExamples, SplitName
from assay.moments.folded import FoldedMoments
from assay.plugins.train_view import (
    NO_CONTEXT,
    SAMPLE,
    SEED,
    HeldOut,
    HeldOutContext,
    TrainView,
    balanced_rows,
    proportional_examples,
)
from assay.run.encoder import Encoder


class ScoreView(TrainView):
    """The train split of a task as encoded by an opened model.

    It holds an encoder, which has train and val but no access to test.
    """

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self._train = encoder.task.train

    @property
    def kind(self) -> LabelKind:
        """The label kind."""
        return self._train.labels.kind

    def moments(self) -> FoldedMoments:
        """Return the Moments of each fold of train."""
        return self._encoder.moments()

    def sample(self) -> LabelledFeatures:
        """Return a class-balanced sample of train, the same rows for every model."""
        rows = self.sample_rows()
        return LabelledFeatures(self._encoder.features_of_train(rows), self._train.labels.take(rows))

    def sample_rows(self) -> np.ndarray:
        """Return the positions of the labels of the sample in the labels of train."""
        return balanced_rows(self._train.labels, SAMPLE, SEED)

    def held_out(self) -> HeldOut:
        """Return a sample with the class proportions of train, and the fold of each example."""
        labels = self._train.labels
        chosen = proportional_examples(labels, SAMPLE, SEED)
        rows = labels.rows_of(chosen)
        features = self._encoder.features_of_train(rows)
        examples, folds = LabelledFeatures(features, labels.of(chosen)), self._encoder.folds()[rows]
        return HeldOut(examples, folds, rows, labels.examples, self._beyond())

    def _beyond(self) -> HeldOutContext:
        """Return a sample of val and the number of test examples; nothing if only a part of train is seen."""
        task = self._encoder.task
        if not task.seen.is_whole:
            return NO_CONTEXT
        if not len(task.val):
            return HeldOutContext(test_count=task.test_count)
        whole = LabelledFeatures(self._encoder.features(SplitName.VAL, task.val), task.val.labels)
        some = whole.take(proportional_examples(task.val.labels, SAMPLE, SEED))
        return HeldOutContext(some, len(task.val), task.test_count)

    def facts(self) -> ModelFacts:
        """Return the facts about the model."""
        return self._encoder.facts

    def source_probs(self) -> LabelledSourceProbs:
        """Return the source probabilities of train."""
        probs = self._encoder.source_probs(SplitName.TRAIN, self._train)
        return LabelledSourceProbs(probs, self._train.labels)

    def weights(self) -> Iterable[np.ndarray]:
        """Return the weight matrices of the model, one at a time."""
        return self._encoder.model.weights()

    def fishers(self, probe: FisherProbe) -> Fishers:
        """Return the Fisher information of the weights on a class-balanced sample of train."""
        if not self.facts().source_classes:
            raise NotApplicable("the model has no source head")
        if self._train.labels.lengths is not None:
            raise NotApplicable("it compares gradients of whole texts, not of words")
        rows = balanced_rows(self._train.labels, probe.examples, SEED)
        examples = self._read("gradients", SelectedExamples(self._train.examples, rows))
        return self._encoder.model.fishers(examples, probe.fit(self.sample()), probe.draws, probe.seed)

    def random_features(self) -> Features:
        """Return the features of the sample under the same architecture with random weights."""
        return self._encoder.random_features()

    def _read(self, what: str, examples: SelectedExamples) -> Iterator[Example]:
        for row in range(len(examples)):
            yield examples.read(row)
            self._encoder.batches.report(what, row + 1, len(examples))
