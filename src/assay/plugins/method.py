"""Methods, and of the two families of methods the scores, which estimate."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from enum import StrEnum
from typing import ClassVar

import numpy as np

from assay.core.estimate import Estimate
from assay.core.features import Features, LabelledFeatures, LabelledSourceProbs
from assay.core.metric import Metric
from assay.core.model import FisherProbe, ModelFacts
from assay.core.task import LabelKind
from assay.moments.folded import FoldedMoments
from assay.plugins.train_view import HeldOut, TrainView


class Method(ABC):
    """A score or a protocol: settings at construction, training examples at call, no state.

    Attributes:
        version: Part of the key of a job; raise it when the numbers change.
        kinds: The kinds of task that it applies to.
    """

    version: ClassVar[int] = 1
    kinds: ClassVar[frozenset[LabelKind]] = frozenset({LabelKind.CLASSIFICATION})

    def content(self) -> str:
        """Return a hash of what decides the numbers besides settings: the content of files, for example."""
        return ""


class Invariance(StrEnum):
    """What may be done to all features of a model without changing a score."""

    SHIFT = "shift"  # add the same vector to every example
    SCALE = "scale"  # multiply everything by one positive number
    ROTATION = "rotation"  # any orthogonal map


EVERY_KIND = frozenset(LabelKind)


class Score(Method):
    """A transferability estimate: higher is better, and test is out of its reach.

    Attributes:
        invariances: What it does not depend on; the contract tests what is declared.
        needs_labels: False where it does not depend on the labels.
        is_slow: True where thousands of examples take minutes: left out of "all scores" unless it is named.
        favours_width: True where the published formula gives wide noise more than narrow signal.
        rewards_separation: False where examples may lie further apart by class without scoring higher.
    """

    invariances: ClassVar[frozenset[Invariance]] = frozenset()
    needs_labels: ClassVar[bool] = True
    favours_width: ClassVar[bool] = False
    is_slow: ClassVar[bool] = False
    rewards_separation: ClassVar[bool] = True

    @abstractmethod
    def estimate(self, train: TrainView, metric: Metric | None) -> Estimate:
        """Return the estimate, or raise ``NotApplicable`` with the reason.

        Args:
            train: Train as one model sees it.
            metric: The main metric of the task; None where nothing judges this kind of task.
        """


class MomentScore(Score):
    """A score that is a function of Moments: one pass, memory that does not grow with N."""

    @abstractmethod
    def __call__(self, train: FoldedMoments) -> float:
        """Return the estimate, or raise ``NotApplicable`` with the reason."""

    def estimate(self, train: TrainView, metric: Metric | None) -> Estimate:
        """Return the estimate from the Moments of train."""
        return Estimate(self(train.moments()))


class SampleScore(Score):
    """A score that compares examples: it gets a bounded, class-balanced sample of train."""

    @abstractmethod
    def __call__(self, train: LabelledFeatures) -> float:
        """Return the estimate, or raise ``NotApplicable`` with the reason."""

    def estimate(self, train: TrainView, metric: Metric | None) -> Estimate:
        """Return the estimate from the sample of train."""
        return Estimate(self(train.sample()))


class HeldOutScore(Score):
    """A score in units of the task's metric: rules learned on all folds but one judge that one."""

    @abstractmethod
    def __call__(self, train: FoldedMoments, held_out: HeldOut, metric: Metric | None) -> Estimate:
        """Return the estimate with its interval, or raise ``NotApplicable`` with the reason."""

    def estimate(self, train: TrainView, metric: Metric | None) -> Estimate:
        """Return the estimate from the Moments and a sample of train."""
        return self(train.moments(), train.held_out(), metric)


class SourceScore(Score):
    """A score that reads the probabilities of the source head on train."""

    @abstractmethod
    def __call__(self, train: LabelledSourceProbs) -> float:
        """Return the estimate, or raise ``NotApplicable`` with the reason."""

    def estimate(self, train: TrainView, metric: Metric | None) -> Estimate:
        """Return the estimate from the source probabilities of train."""
        return Estimate(self(train.source_probs()))


class ContrastScore(Score):
    """A score that sets features beside those of the same architecture with random weights."""

    @abstractmethod
    def __call__(self, train: LabelledFeatures, random: Features) -> float:
        """Return the estimate, or raise ``NotApplicable`` with the reason."""

    def estimate(self, train: TrainView, metric: Metric | None) -> Estimate:
        """Return the estimate from the sample of train, seen twice."""
        return Estimate(self(train.sample(), train.random_features()))


class FactScore(Score):
    """A trivial score: what is known of a model before any example is encoded."""

    needs_labels: ClassVar[bool] = False
    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND

    @abstractmethod
    def __call__(self, facts: ModelFacts) -> float:
        """Return the estimate, or raise ``NotApplicable`` with the reason."""

    def estimate(self, train: TrainView, metric: Metric | None) -> Estimate:
        """Return the estimate from the facts."""
        return Estimate(self(train.facts()))


class WeightScore(Score):
    """A score that looks at the weights alone: no data at all."""

    needs_labels: ClassVar[bool] = False
    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND

    @abstractmethod
    def __call__(self, weights: Iterable[np.ndarray]) -> float:
        """Return the estimate from the weight matrices (outputs x inputs), or raise ``NotApplicable``."""

    def estimate(self, train: TrainView, metric: Metric | None) -> Estimate:
        """Return the estimate from the weights."""
        return Estimate(self(train.weights()))


class FisherScore(Score):
    """A score that compares the Fisher information of the weights under the task and under the source."""

    @abstractmethod
    def probe(self) -> FisherProbe:
        """Return how the Fisher information is measured."""

    @abstractmethod
    def __call__(self, target: np.ndarray, source: np.ndarray) -> float:
        """Return the estimate from one number for each filter of both, or raise ``NotApplicable``."""

    def estimate(self, train: TrainView, metric: Metric | None) -> Estimate:
        """Return the estimate from the Fisher information of the weights."""
        return Estimate(self(*train.fishers(self.probe())))
