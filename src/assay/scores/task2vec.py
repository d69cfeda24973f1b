"""Task2Vec: similarity of the task and the source task by the Fisher information of the weights."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.core.features import LabelledFeatures
from assay.core.model import FisherProbe, LinearHead
from assay.plugins.method import FisherScore


@dataclass(frozen=True, slots=True)
class Task2Vec(FisherScore):
    """Task2Vec distance, negated, between the task and the source task, with the model as probe network.

    A task is embedded as the diagonal of the Fisher information of the weights, averaged in each filter: for
    F_t and F_s the distance is 1 - cos(F_t / (F_t + F_s), F_s / (F_t + F_s)), from 0 to 1. The score is from
    -1 to 0. It needs the source head and gradients of the model.

    References:
        Task2Vec: Task Embedding for Meta-Learning (Achille et al., 2019), https://arxiv.org/abs/1902.03545

    Note:
        The embedding and the symmetric distance are those of the paper. The paper embeds all tasks with one
        fixed probe network and selects an expert among models trained on similar tasks. Here each model is
        its own probe, the source task is given by its source head, and both tasks use the inputs of the
        target, so that they differ only in labels. Values of different models are based on different
        filters; the paper does not evaluate such a ranking.

        The head is a logistic regression on standardised features, not ten epochs of Adam. Gradients are of
        each example alone, where awslabs/aws-cv-task2vec (task2vec.py) squares the mean gradient of 64 with
        one class drawn for each: on average 1/64 of the value here. Weights are those that it takes, every
        ``weight`` below the features, with those of attention that have another name besides, and without
        embedding tables. The asymmetric distance subtracts 0.15 times the distance to the trivial task, which
        is defined by the prior of the variational estimate; the expected Fisher has none: it is not here.

    Attributes:
        offset: Added to F_t + F_s; task_similarity.py of that repository has 1e-8.
        C: The inverse penalty of the head, as in scikit-learn.
        max_steps: Most steps of the optimiser of the head.
        examples: Most training examples for gradients, class-balanced.
        draws: Gradients for each example and head. With as many as classes the expectation over classes is
            exact; fewer estimate the Fisher information without bias, and the distance comes out a little
            larger: by 0.03 with 2 draws on 20 images, where 24 draws give 0.29.
        seed: Seed of these draws only.

    >>> target = np.array([4.0, 1.0, 0.5])
    >>> round(Task2Vec()(target, target), 12)
    0.0
    >>> Task2Vec()(target, np.array([3.0, 1.0, 1.0])) > Task2Vec()(target, np.array([0.0, 1.0, 9.0]))
    True
    """

    offset: float = 0.0
    C: float = 1.0
    max_steps: int = 200
    examples: int = 200
    draws: int = 2
    seed: int = 0

    rewards_separation: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not self.offset >= 0:
            raise UsageError(f"task2vec(offset={self.offset}) is below 0. Write offset=0.0.")
        if not self.C > 0:
            raise UsageError(f"task2vec(C={self.C}) is not an inverse penalty. Write C=1.0.")
        for name, usual in (("max_steps", 200), ("examples", 200), ("draws", 2)):
            if getattr(self, name) < 1:
                raise UsageError(f"task2vec({name}={getattr(self, name)}) is below 1. Write {name}={usual}.")

    def probe(self) -> FisherProbe:
        """Return the settings for measuring the Fisher information."""
        return FisherProbe(self.fit, self.examples, self.draws, self.seed)

    def fit(self, train: LabelledFeatures) -> LinearHead:
        """Return the logistic regression of the labels, as a head of the features as they are."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        labels = train.labels.values
        if len(np.unique(labels)) < 2:
            raise NotApplicable("Fewer than two classes have examples in train.")
        rows = np.asarray(train.matrix, dtype=np.float64)
        mean, deviation = rows.mean(axis=0), rows.std(axis=0)
        constant = deviation <= np.finfo(np.float32).eps * np.abs(mean)  # features come in single precision
        if constant.all():
            raise NotApplicable("All features are constant on train.")
        scale = np.where(constant, 0.0, 1 / np.where(constant, 1.0, deviation))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # a head need not be the best to use weights
            regression = LogisticRegression(C=self.C, max_iter=self.max_steps).fit(
                (rows - mean) * scale, labels
            )
        weights, bias = regression.coef_ * scale, regression.intercept_
        if len(weights) == 1:  # of two classes it gives the logit of the second alone
            weights, bias = np.vstack([np.zeros_like(weights), weights]), np.append(0.0, bias)
        return LinearHead(weights, bias - weights @ mean)

    def __call__(self, target: np.ndarray, source: np.ndarray) -> float:
        """Return minus the cosine distance of the normalised Fisher information; 0 if both are equal.

        Args:
            target: The Fisher information under a head of the task, one number for each filter.
            source: The Fisher information under the source head.
        """
        both = np.asarray(target, dtype=np.float64), np.asarray(source, dtype=np.float64)
        if not all(np.isfinite(part).all() for part in both):
            raise NotApplicable("Gradients of the model are not finite on train.")
        total = both[0] + both[1] + self.offset
        of_task, of_source = (np.divide(part, total, np.zeros_like(total), where=total > 0) for part in both)
        norms = np.linalg.norm(of_task) * np.linalg.norm(of_source)
        if norms == 0:
            raise NotApplicable("One of both heads does not depend on any weight: its gradients are all 0.")
        return min(float(of_task @ of_source / norms) - 1.0, 0.0)
