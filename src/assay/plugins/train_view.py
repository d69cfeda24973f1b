"""The view of train that scores receive; inputs are computed on request, and test is not accessible."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.estimate import Estimate, judged_interval
from assay.core.features import Features, LabelledFeatures, LabelledSourceProbs
from assay.core.held_out import HeldOutPredictions
from assay.core.metric import Metric
from assay.core.model import FisherProbe, Fishers, ModelFacts
from assay.core.predictor import Predicted
from assay.core.task import LabelKind, Labels
from assay.moments.folded import FoldedMoments

FOLDS = 5  # number of folds of the Moments; a common choice for cross-validation
SAMPLE = 5000  # maximum sample size of scores that compare examples: all pairs of 5000 take 100 MB
SEED = 0  # seed of folds and samples: the same rows for every model
_TINY = 3  # minimum examples of a class for a meaningful covariance


@dataclass(frozen=True, slots=True)
class HeldOutContext:
    """What a protocol is given beyond train, and how much judges it.

    Attributes:
        val: At most ``SAMPLE`` examples of val; None if there is no val.
        val_count: The number of examples of val.
        test_count: The number of examples of test; None if unknown. Test itself is not accessible.
    """

    val: LabelledFeatures | None = None
    val_count: int = 0
    test_count: int | None = None


NO_CONTEXT = HeldOutContext()


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A sample of train with the fold of each example, for testing predictors fitted on the other folds.

    Attributes:
        examples: At most ``SAMPLE`` examples, with the class proportions of train.
        folds: The fold of the Moments to which each example belongs.
        rows: The positions of the examples' labels in the labels of train.
        train_count: The number of examples of train.
        beyond: Val and the number of test examples, if known.
    """

    examples: LabelledFeatures
    folds: np.ndarray
    rows: np.ndarray
    train_count: int
    beyond: HeldOutContext = NO_CONTEXT

    def outside(self, folds: Collection[int]) -> np.ndarray:
        """Return the positions of the examples that are in none of these folds."""
        of_example, lengths = self.folds, self.examples.labels.lengths
        if lengths is not None:  # all words of a text are in one fold; a text without words is in any
            of_example = np.append(of_example, 0)[np.cumsum(lengths) - lengths]
        return np.flatnonzero(~np.isin(of_example, list(folds)))

    def judged(self, metric: Metric, predicted: Predicted, notes: tuple[str, ...] = ()) -> Estimate:
        """Return the metric of predictions for the examples, with its interval.

        Args:
            metric: The metric.
            predicted: The prediction for each example from the other folds.
            notes: Caveats for the reader.

        Raises:
            NotApplicable: The metric judges probabilities, and there are none.
        """
        truth = self.examples.labels
        value = predicted.judged(metric, truth)
        judged = predicted.probs if metric.judges_probs else predicted.values
        assert judged is not None
        interval = judged_interval(metric, truth, judged)
        held_out = HeldOutPredictions(predicted, truth, self.rows)
        return Estimate(value, interval, metric.name, notes, held_out)


class TrainView(ABC):
    """The train split as encoded by one model."""

    @property
    @abstractmethod
    def kind(self) -> LabelKind:
        """The label kind."""

    @abstractmethod
    def moments(self) -> FoldedMoments:
        """Return the Moments of each fold of train."""

    @abstractmethod
    def sample(self) -> LabelledFeatures:
        """Return a bounded, class-balanced sample of train, the same rows for every model."""

    @abstractmethod
    def sample_rows(self) -> np.ndarray:
        """Return the positions of the labels of ``sample`` in the labels of train."""

    @abstractmethod
    def held_out(self) -> HeldOut:
        """Return a bounded sample with the class proportions of train, and the fold of each example."""

    def source_probs(self) -> LabelledSourceProbs:
        """Return the probabilities of the source head on train."""
        raise NotApplicable("the model has no source head")

    def facts(self) -> ModelFacts:
        """Return task-independent facts about the model."""
        raise NotApplicable("nothing is known of the model but its features")

    def weights(self) -> Iterable[np.ndarray]:
        """Return the weight matrices of the model, one at a time: outputs x inputs."""
        raise NotApplicable("the weights of the model are not available")

    def fishers(self, probe: FisherProbe) -> Fishers:
        """Return the Fisher information of the weights under a task head and the source head."""
        raise NotApplicable("gradients of the model are not available")

    def random_features(self) -> Features:
        """Return the features of the sample under the same architecture with random weights."""
        raise NotApplicable("features of the same architecture with random weights are not available")


def small_sample_notes(labels: Labels, width: int) -> tuple[str, ...]:
    """Return caveats about small samples: few examples overall, or few of some classes."""
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
    """Return at most ``count`` positions, sorted, as class-balanced as the class sizes allow."""
    if len(labels) <= count:
        return np.arange(len(labels))
    order = np.random.default_rng(seed).permutation(len(labels))
    if labels.kind is not LabelKind.CLASSIFICATION:
        return np.sort(order[:count])
    rank = np.empty(len(order), dtype=np.int64)  # the rank of each example within its class
    for position in range(len(labels.classes)):
        members = order[labels.values[order] == position]
        rank[members] = np.arange(len(members))
    return np.sort(order[np.argsort(rank[order], kind="stable")[:count]])


def proportional_examples(labels: Labels, count: int, seed: int) -> np.ndarray:
    """Return the sorted positions of examples with at most ``count`` labels in total.

    Each class, or range of numbers, keeps its proportion; texts with labelled words are drawn whole.
    """
    if len(labels) <= count:
        return np.arange(labels.examples)
    if labels.lengths is not None:
        texts = np.random.default_rng([seed, 1]).permutation(labels.examples)
        return np.sort(texts[: max(1, int((labels.lengths[texts].cumsum() <= count).sum()))])
    order = np.random.default_rng([seed, 1]).permutation(len(labels))  # independent of the order of the folds
    order = order[np.argsort(labels.strata()[order], kind="stable")]
    return np.sort(order[np.linspace(0, len(order) - 1, count).round().astype(np.int64)])
