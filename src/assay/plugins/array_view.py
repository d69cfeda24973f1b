"""A train view of arrays, so that scores can be computed without opening a model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.features import Features, LabelledFeatures, LabelledSourceProbs
from assay.core.model import FisherProbe, Fishers, ModelFacts
from assay.core.task import LabelKind, Labels
from assay.moments.folded import FoldedMoments
from assay.moments.stream import moments_of, stratified_folds
from assay.plugins.train_view import (
    FOLDS,
    NO_CONTEXT,
    SAMPLE,
    SEED,
    HeldOut,
    HeldOutContext,
    TrainView,
    balanced_rows,
    proportional_examples,
)


@dataclass(frozen=True, eq=False)
class ArrayView(TrainView):
    """Features, labels and optional further inputs of scores, as arrays with one row per example.

    Attributes:
        matrix: Features, examples x width; None if only source probabilities are given.
        probs: Source probabilities, examples x source classes.
        random: Features of the same architecture with random weights.
        known: The facts about the model, or None.
        matrices: The weight matrices of the model.
        limit: The maximum sample size for scores that compare examples; None for all examples.
        gathered: Precomputed Moments with the fold of each example, or None.
        informed: The Fisher information of the weights under a task head and the source head, or None.
        beyond: Val and the number of test examples, if known.
    """

    labels: Labels
    matrix: np.ndarray | None = None
    probs: np.ndarray | None = None
    random: np.ndarray | None = None
    known: ModelFacts | None = None
    matrices: tuple[np.ndarray, ...] = ()
    limit: int | None = SAMPLE
    gathered: tuple[FoldedMoments, np.ndarray] | None = None
    informed: Fishers | None = None
    beyond: HeldOutContext = NO_CONTEXT

    @property
    def kind(self) -> LabelKind:
        """The label kind."""
        return self.labels.kind

    @cached_property
    def folds(self) -> np.ndarray:
        """The fold of each example."""
        return stratified_folds(self.labels, FOLDS, SEED) if self.gathered is None else self.gathered[1]

    @cached_property
    def _moments(self) -> FoldedMoments:
        if self.gathered is not None:
            return self.gathered[0]
        return moments_of(self._features(), self.labels, self.folds)

    def moments(self) -> FoldedMoments:
        """Return the Moments of all examples, computed once."""
        return self._moments

    def sample(self) -> LabelledFeatures:
        """Return a class-balanced sample."""
        return self._some(self.sample_rows())

    def sample_rows(self) -> np.ndarray:
        """Return the positions of the sample."""
        return balanced_rows(self.labels, self._most(), SEED)

    def held_out(self) -> HeldOut:
        """Return a sample with the class proportions of all examples."""
        rows = proportional_examples(self.labels, self._most(), SEED)
        return HeldOut(self._some(rows), self.folds[rows], rows, self.labels.examples, self.beyond)

    def source_probs(self) -> LabelledSourceProbs:
        """Return the source probabilities."""
        if self.probs is None:
            raise NotApplicable("it reads the probabilities of a source head: give source_probs")
        return LabelledSourceProbs(self.probs, self.labels)

    def facts(self) -> ModelFacts:
        """Return the facts about the model."""
        return self.known or super().facts()

    def weights(self) -> Iterable[np.ndarray]:
        """Return the weight matrices."""
        return self.matrices or super().weights()

    def fishers(self, probe: FisherProbe) -> Fishers:
        """Return the given Fisher information; measuring it would need a model."""
        return self.informed or super().fishers(probe)

    def random_features(self) -> Features:
        """Return the features of the sample under random weights."""
        if self.random is None:
            raise NotApplicable(
                "it reads features of the same model with random weights: give random_features"
            )
        return Features(self.random[self.sample_rows()])

    def take(self, rows: np.ndarray) -> ArrayView:
        """Return the examples at these positions, in that order."""
        matrix, probs, random = (
            part if part is None else part[rows] for part in (self.matrix, self.probs, self.random)
        )
        labels = self.labels.take(rows)
        return replace(self, labels=labels, matrix=matrix, probs=probs, random=random, gathered=None)

    def _features(self) -> np.ndarray:
        if self.matrix is None:
            raise NotApplicable("it reads features: give them as the first argument")
        return self.matrix

    def _some(self, rows: np.ndarray) -> LabelledFeatures:
        everything = len(rows) == len(self.labels)
        matrix = self._features() if everything else self._features()[rows]
        return LabelledFeatures(Features(matrix), self.labels.take(rows))

    def _most(self) -> int:
        return len(self.labels) if self.limit is None else self.limit
