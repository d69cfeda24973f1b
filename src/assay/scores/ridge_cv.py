"""Cross-validated ridge regression: the task's metric on held-out examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.estimate import Estimate
from assay.core.metric import Metric
from assay.core.predictor import Predicted
from assay.core.task import LabelKind
from assay.moments.folded import FoldedMoments
from assay.moments.ridge import LeftOut
from assay.numerics.fold_rules import estimate_by_rules
from assay.plugins.method import EVERY_KIND, HeldOutScore, Invariance
from assay.plugins.train_view import HeldOut


@dataclass(frozen=True, slots=True)
class RidgeCV(HeldOutScore):
    """Expected metric of a linear probe on examples drawn like train, by ridge regression on folds.

    Each fold is predicted from the others; for classification the largest of the one-hot columns is the
    prediction. So the value is out of sample, and wide features have no advantage. It is extended along the
    learning curve to all of train and val, to which the probe is fitted. The interval is for what the probe
    will reach on test: see :func:`assay.numerics.expected.expected`. It does not apply to probabilities,
    which ridge regression gives as clipped targets: log loss and AUC are those of ridge regression.

    Training needs only the Moments of folds; evaluation at most 5000 examples in the proportions of train.
    If no metric applies to the kind of task, the value is the explained share of the squares of the target
    columns, exact over all examples, without extension.

    References:
        Ridge Regression: Biased Estimation for Nonorthogonal Problems (Hoerl and Kennard, 1970),
        https://doi.org/10.1080/00401706.1970.10488634
        Cross-Validatory Choice and Assessment of Statistical Predictions (Stone, 1974),
        https://doi.org/10.1111/j.2517-6161.1974.tb00994.x

    Note:
        The penalty minimises the generalised cross-validation error on all of train; all folds and columns
        share it, and the intercept is not penalised.

    >>> import assay
    >>> labels = np.arange(60) % 2
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> assay.score(noise + 3 * labels[:, None], labels, "ridge_cv").value > 0.9
    True
    >>> assay.score(noise, labels, "ridge_cv").value > 0.75
    False
    """

    version: ClassVar[int] = 4
    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND
    invariances: ClassVar[frozenset[Invariance]] = frozenset(Invariance)

    def __call__(self, train: FoldedMoments, held_out: HeldOut, metric: Metric | None) -> Estimate:
        """Return the metric that is expected on test, with its interval."""
        total = train.total
        if len(train.folds) < 2:
            raise NotApplicable("Train has too few examples for two folds.")
        if float(total.centred_target_square().sum()) <= 1e-12 * float(total.target_square.sum()):
            raise NotApplicable("All labels of train are the same.")
        if total.scatter.is_constant:
            raise NotApplicable("All features are constant on train.")
        if metric is None:
            return Estimate(explained(train))
        shape = held_out.examples.labels.values.shape[1:]

        def predict(rule: LeftOut, features: np.ndarray) -> Predicted:
            guesses = rule.predict(features)
            probs = _as_probs(guesses, train.kind) if metric.judges_probs else None
            return Predicted(_as_labels(guesses, train.kind, shape), probs)

        return estimate_by_rules(train, held_out, metric, predict)


def _as_labels(guesses: np.ndarray, kind: LabelKind, shape: tuple[int, ...]) -> np.ndarray:
    """Return expected targets as labels: the likeliest class, the classes above one half, or numbers."""
    if kind is LabelKind.CLASSIFICATION:
        return np.asarray(guesses.argmax(axis=1))
    if kind is LabelKind.MULTILABEL:
        return (guesses > 0.5).astype(np.int64)
    return guesses.reshape(len(guesses), *shape)


def _as_probs(guesses: np.ndarray, kind: LabelKind) -> np.ndarray:
    """Return expected targets as probabilities: within 0..1, those of exclusive classes summing to 1."""
    probs = np.clip(guesses, 0.0, 1.0)
    return np.asarray(probs / probs.sum(axis=1, keepdims=True)) if kind is LabelKind.CLASSIFICATION else probs


def explained(train: FoldedMoments) -> float:
    """Return the cross-validated R2 over all examples and target columns, at most 1."""
    error, baseline = 0.0, 0.0
    for fold, rule in zip(train.folds, train.left_out, strict=True):
        intercept = rule.target_mean - rule.shifted_mean @ rule.solution
        error += fold.squared_error(rule.solution, intercept)
        baseline += fold.squared_error(np.zeros_like(rule.solution), rule.target_mean)
    return 1 - error / baseline
