"""Cross-validated discriminant analysis: the task's metric on held-out examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.estimate import Estimate
from assay.core.metric import Metric
from assay.core.predictor import Predicted
from assay.moments.folded import FoldedMoments
from assay.moments.ridge import LeftOut
from assay.numerics.fold_rules import estimate_by_rules
from assay.plugins.method import HeldOutScore, Invariance
from assay.plugins.train_view import HeldOut


@dataclass(frozen=True, slots=True)
class LDACV(HeldOutScore):
    """Expected metric of a linear probe on examples drawn like train, by discriminant analysis on folds.

    Each fold is classified by class means, a shared covariance and class shares from the other folds.
    The covariance is shrunk by adding a multiple of the identity: the penalty that ridge regression chooses
    by generalised cross-validation on train. So the value is out of sample, and wide features have no
    advantage. It is extended along the learning curve to all of train and val, to which the probe is fitted.
    The interval is for what the probe will reach on test: see :func:`assay.numerics.expected.expected`. At
    most 5000 held-out examples are judged.

    References:
        The Use of Multiple Measurements in Taxonomic Problems (Fisher, 1936),
        https://doi.org/10.1111/j.1469-1809.1936.tb02137.x
        Regularized Discriminant Analysis (Friedman, 1989), https://doi.org/10.1080/01621459.1989.10478752
        Penalized Discriminant Analysis (Hastie, Buja and Tibshirani, 1995),
        https://doi.org/10.1214/aos/1176324456, for the relation to ridge regression.

    >>> import assay
    >>> labels = np.arange(60) % 2
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> assay.score(noise + 3 * labels[:, None], labels, "lda_cv").value > 0.9
    True
    >>> assay.score(noise, labels, "lda_cv").value > 0.75
    False
    """

    version: ClassVar[int] = 3
    invariances: ClassVar[frozenset[Invariance]] = frozenset(Invariance)

    def __call__(self, train: FoldedMoments, held_out: HeldOut, metric: Metric | None) -> Estimate:
        """Return the metric that is expected on test, with its interval."""
        if metric is None:
            raise NotApplicable("Nothing judges this kind of task.")
        if metric.judges_probs:
            raise NotApplicable(f"It predicts classes; {metric.name} needs probabilities.")
        if len(train.folds) < 2:
            raise NotApplicable("Train has too few examples for two folds.")
        if np.count_nonzero(train.total.target_sum) < 2:
            raise NotApplicable("Fewer than two classes have examples in train.")
        if train.total.scatter.is_constant:
            raise NotApplicable("All features are constant on train.")
        return estimate_by_rules(
            train, held_out, metric, lambda rule, features: Predicted(classify(rule, features))
        )


def classify(rule: LeftOut, features: np.ndarray) -> np.ndarray:
    """Return the class of each example by discriminant analysis on the folds of a rule.

    With A the scatter about the mean, B = (class mean - mean) n_c its cross sums and Z = (A + pI)^-1 B, the
    scatter within classes is A - B diag(1/n) B', so that by the push-through identity
    (A - B diag(1/n) B' + pI)^-1 B = Z (I - diag(1/n) B'Z)^-1: no second factor is needed.
    """
    counts = rule.target_sum
    used = np.flatnonzero(counts > 0)
    if len(used) == 1:
        return np.full(len(features), used[0])
    n, sums, solved = counts[used], rule.cross[:, used], rule.solution[:, used]
    between = np.eye(len(used)) - (sums.T @ solved) / n[:, None]
    freedom = max(rule.count - len(used), 1)
    weights = np.linalg.solve(between.T, solved.T).T * (freedom / n)  # Sw^-1 (class mean - mean)
    offsets = np.log(n / n.sum()) - np.einsum("dc,dc->c", sums / n, weights) / 2
    return np.asarray(used[(rule.centred(features) @ weights + offsets).argmax(axis=1)])
