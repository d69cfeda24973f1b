"""What scores may ask about train: each form is made when it is asked for. Test is out of their reach."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.features import Features, LabelledFeatures, LabelledSourceProbs
from assay.core.model import FisherProbe, Fishers, ModelFacts
from assay.core.task import LabelKind, Labels
from assay.moments.folded import FoldedMoments

FOLDS = 5  # of the Moments; a common choice for cross-validation
SAMPLE = 5000  # examples that scores which compare them get: all pairs of 5000 are 100 MB
SEED = 0  # of folds and samples: the same rows for every model
_TINY = 3  # with fewer examples of a class its covariance is meaningless


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Some examples of train, each with its fold: what judges rules learned on the other folds.

    Attributes:
        examples: At most ``SAMPLE``, in the proportions of train.
        folds: To which fold of the Moments each belongs.
    """

    examples: LabelledFeatures
    folds: np.ndarray


class TrainView(ABC):
    """Train as one model sees it."""

    @property
    @abstractmethod
    def kind(self) -> LabelKind:
        """The kind of the task."""

    @abstractmethod
    def moments(self) -> FoldedMoments:
        """Return the Moments of train, fold by fold."""

    @abstractmethod
    def sample(self) -> LabelledFeatures:
        """Return a bounded, class-balanced sample of train, the same rows for every model."""

    @abstractmethod
    def held_out(self) -> HeldOut:
        """Return a bounded sample in the proportions of train, with the folds of the Moments."""

    def source_probs(self) -> LabelledSourceProbs:
        """Return the probabilities of the source head on train."""
        raise NotApplicable("the model has no source head")

    def facts(self) -> ModelFacts:
        """Return what is known of the model without any task."""
        raise NotApplicable("nothing is known of the model but its features")

    def weights(self) -> Iterable[np.ndarray]:
        """Return the weight matrices of the model, one at a time: outputs x inputs."""
        raise NotApplicable("the weights of the model are not at hand")

    def fishers(self, probe: FisherProbe) -> Fishers:
        """Return the Fisher information of the weights under a head of the task and the source head."""
        raise NotApplicable("gradients of the model are not at hand")

    def random_features(self) -> Features:
        """Return the sample as the same architecture with random weights sees it."""
        raise NotApplicable("features of the same architecture with random weights are not at hand")


def small_sample_notes(labels: Labels, width: int) -> tuple[str, ...]:
    """Return in words where examples are few: what a reader of any score must know."""
    notes = []
    if len(labels) < width:
        notes.append(f"fewer examples ({len(labels)}) than features ({width})")
    if labels.kind is LabelKind.CLASSIFICATION:
        sizes = np.bincount(labels.values)
        tiny = int(((sizes > 0) & (sizes < _TINY)).sum())
        if tiny:
            notes.append(f"{tiny} of {np.count_nonzero(sizes)} classes have fewer than {_TINY} examples")
    return tuple(notes)


def balanced_rows(labels: Labels, count: int, seed: int) -> np.ndarray:
    """Return at most ``count`` positions, in order, as evenly from all classes as their sizes allow."""
    if len(labels) <= count:
        return np.arange(len(labels))
    order = np.random.default_rng(seed).permutation(len(labels))
    if labels.kind is not LabelKind.CLASSIFICATION:
        return np.sort(order[:count])
    turn = np.empty(len(order), dtype=np.int64)  # the rank of each example within its class
    for position in range(len(labels.classes)):
        members = order[labels.values[order] == position]
        turn[members] = np.arange(len(members))
    return np.sort(order[np.argsort(turn[order], kind="stable")[:count]])


def proportional_examples(labels: Labels, count: int, seed: int) -> np.ndarray:
    """Return the positions of examples with at most ``count`` labels, in order.

    Each class, or range of numbers, keeps its share; of texts with labelled words whole texts are drawn.
    """
    if len(labels) <= count:
        return np.arange(labels.examples)
    if labels.lengths is not None:
        texts = np.random.default_rng([seed, 1]).permutation(labels.examples)
        return np.sort(texts[: max(1, int((labels.lengths[texts].cumsum() <= count).sum()))])
    order = np.random.default_rng([seed, 1]).permutation(len(labels))  # not the order that folds are dealt in
    order = order[np.argsort(labels.strata()[order], kind="stable")]
    return np.sort(order[np.linspace(0, len(order) - 1, count).round().astype(np.int64)])
