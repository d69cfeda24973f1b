"""Scores, which estimate, and protocols, which train and predict: both are methods."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from assay.core.features import Features, LabelledFeatures, LabelledSourceProbs
from assay.core.metric import Metric
from assay.core.moments import FoldedMoments
from assay.core.task import Kind


class Method(ABC):
    """A score or a protocol: settings at construction, training examples at call, no state.

    Attributes:
        version: Part of the key of a job; raise it when the numbers change.
        kinds: The kinds of task that it applies to.
    """

    version: ClassVar[int] = 1
    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.CLASSIFICATION})


class Score(Method):
    """A transferability estimate: higher is better, and test is out of its reach."""


class MomentScore(Score):
    """A score that is a function of Moments: one pass, memory that does not grow with N."""

    @abstractmethod
    def __call__(self, train: FoldedMoments) -> float:
        """Return the estimate, or raise ``NotApplicable`` with the reason."""


class SampleScore(Score):
    """A score that compares examples: it gets a bounded, class-balanced sample of train."""

    @abstractmethod
    def __call__(self, train: LabelledFeatures) -> float:
        """Return the estimate, or raise ``NotApplicable`` with the reason."""


class SourceScore(Score):
    """A score that reads the probabilities of the source head on train."""

    @abstractmethod
    def __call__(self, train: LabelledSourceProbs) -> float:
        """Return the estimate, or raise ``NotApplicable`` with the reason."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a protocol says of test.

    Attributes:
        values: One per test example: a position in the task's classes, or a number.
        tuned: What was chosen on val, by name.
        notes: Whatever a reader of the result must know, such as an optimiser that did not converge.
    """

    values: np.ndarray
    tuned: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


class FeatureProtocol(Method):
    """A way to train on the features of train, choose on val, and predict test, whose labels it lacks."""

    @abstractmethod
    def __call__(
        self, train: LabelledFeatures, val: LabelledFeatures, test: Features, metric: Metric
    ) -> Prediction:
        """Train, choose by ``metric`` on val, and predict test; the same input gives the same output."""
