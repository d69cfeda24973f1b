"""The base classes of methods and scores; protocols are defined in :mod:`assay.plugins.protocol`."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import replace
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
    """A score or a protocol: configured at construction, given train when called, and stateless.

    Attributes:
        version: Part of the key of a job; increase it when the results change.
        kinds: The label kinds (``LabelKind``) that the method applies to.
    """

    version: ClassVar[int] = 1
    kinds: ClassVar[frozenset[LabelKind]] = frozenset({LabelKind.CLASSIFICATION})

    def content(self) -> str:
        """Return a hash of inputs other than settings that determine the result, such as file contents."""
        return ""


class Invariance(StrEnum):
    """A transformation of all features that does not change a score."""

    SHIFT = "shift"  # adding the same vector to every example
    SCALE = "scale"  # multiplying all features by a positive constant
    ROTATION = "rotation"  # applying any orthogonal map


EVERY_KIND = frozenset(LabelKind)


class Score(Method):
    """A transferability estimate without access to test; higher is better.

    Attributes:
        invariances: Transformations that do not change the score; the contract tests verify them.
        needs_labels: False if the score does not depend on the labels.
        is_slow: True if thousands of examples take minutes; "all scores" excludes the score unless named.
        favours_width: True if the published formula scores wide noise above narrow signal.
        rewards_separation: False if larger separation between classes may not increase the score.
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
            train: A view of the train split as encoded by one model.
            metric: The main metric of the task; None if no metric applies to the task.
        """


class MomentScore(Score):
    """A score computed from Moments: one pass over train, with memory independent of N."""

    @abstractmethod
    def __call__(self, train: FoldedMoments) -> float:
        """Return the estimate, or raise ``NotApplicable`` with the reason."""

    def estimate(self, train: TrainView, metric: Metric | None) -> Estimate:
        """Return the estimate from the Moments of train."""
        return Estimate(self(train.moments()))


class SampleScore(Score):
    """A score that compares examples of a bounded, class-balanced sample of train."""

    @abstractmethod
    def __call__(self, train: LabelledFeatures) -> float:
        """Return the estimate, or raise ``NotApplicable`` with the reason."""

    def estimate(self, train: TrainView, metric: Metric | None) -> Estimate:
        """Return the estimate from the sample of train."""
        estimate = self(train.sample())
        if not isinstance(estimate, Estimate):
            return Estimate(estimate)
        if estimate.held_out is not None:
            estimate.held_out = replace(estimate.held_out, rows=train.sample_rows())
        return estimate


class HeldOutScore(Score):
    """A score in units of the task's metric: predictors are fitted on all folds but one and tested on it."""

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
    """A score that compares features with those of the same architecture with random weights."""

    @abstractmethod
    def __call__(self, train: LabelledFeatures, random: Features) -> float:
        """Return the estimate, or raise ``NotApplicable`` with the reason."""

    def estimate(self, train: TrainView, metric: Metric | None) -> Estimate:
        """Return the estimate from the sample of train under pretrained and random weights."""
        return Estimate(self(train.sample(), train.random_features()))


class FactScore(Score):
    """A trivial score computed from facts about the model, without encoding any example."""

    needs_labels: ClassVar[bool] = False
    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND

    @abstractmethod
    def __call__(self, facts: ModelFacts) -> float:
        """Return the estimate, or raise ``NotApplicable`` with the reason."""

    def estimate(self, train: TrainView, metric: Metric | None) -> Estimate:
        """Return the estimate from the facts."""
        return Estimate(self(train.facts()))


class WeightScore(Score):
    """A score computed from the weights alone, without data."""

    needs_labels: ClassVar[bool] = False
    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND

    @abstractmethod
    def __call__(self, weights: Iterable[np.ndarray]) -> float:
        """Return the estimate from the weight matrices (outputs x inputs), or raise ``NotApplicable``."""

    def estimate(self, train: TrainView, metric: Metric | None) -> Estimate:
        """Return the estimate from the weights."""
        return Estimate(self(train.weights()))


class FisherScore(Score):
    """A score that compares the Fisher information of the weights under the task head and the source head."""

    @abstractmethod
    def probe(self) -> FisherProbe:
        """Return the settings for measuring the Fisher information."""

    @abstractmethod
    def __call__(self, target: np.ndarray, source: np.ndarray) -> float:
        """Return the estimate from one value per filter for both heads, or raise ``NotApplicable``."""

    def estimate(self, train: TrainView, metric: Metric | None) -> Estimate:
        """Return the estimate from the Fisher information of the weights."""
        return Estimate(self(*train.fishers(self.probe())))
