"""Cross-validated logistic regression: the task's metric on held-out examples."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.core.estimate import Estimate
from assay.core.features import LabelledFeatures
from assay.core.held_out import HeldOutPredictions
from assay.core.metric import Metric
from assay.core.predictor import Predicted
from assay.moments.ridge import PAIRS
from assay.numerics.expected import FoldEvidence, SubsetPredictions, expected, in_order
from assay.numerics.linear import L2_PATH, LinearPredictor, ValScorer, best_of
from assay.plugins.method import Invariance, Score
from assay.plugins.train_view import SEED, HeldOut, TrainView, proportional_examples

_TUNED_ON = 2000  # most examples for the choice of the penalty, which takes most of the time
_UNLIKE = 0.08  # relative deviation of the probe's error from that of these rules: benchmarks/expected.py


@dataclass(frozen=True, slots=True)
class LogisticCV(Score):
    """Expected metric of a linear probe on examples drawn like train, by logistic regression on folds.

    Each fold of a sample of train is predicted by multinomial logistic regression on the other folds, with
    features standardised by those folds; constant features are ignored. So the value is out of sample, and
    wide features have no advantage. It is extended along the learning curve to all of train and val, to which
    the probe is fitted. The interval is for what the probe will reach on test: see
    :func:`assay.numerics.expected.expected`. At most 5000 held-out examples are judged.

    The penalty is chosen as the probe chooses it, with the first fold (of at most 2000 examples) for val. It
    is that of the sum of losses, which does not depend on the number of examples.

    References:
        The regression analysis of binary sequences (Cox, 1958),
        https://doi.org/10.1111/j.2517-6161.1958.tb00292.x
        Understanding intermediate layers using linear classifier probes (Alain and Bengio, 2016),
        https://arxiv.org/abs/1610.01644

    Note:
        Published code for such a score differs in the split: dbolya/parc methods.py trains on one half of
        the examples and tests on the other, alizkzm/te-guide uses three folds. Neither tunes the penalty.

    Attributes:
        C: The inverse penalty: Σ cross-entropy + |W|²/2C is minimised, as in scikit-learn; chosen if None.
        max_steps: Most steps of the optimiser for one fold; a note reports if they did not suffice.

    >>> import assay
    >>> labels = np.arange(60) % 2
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> assay.score(noise + 3 * labels[:, None], labels, "logistic_cv").value > 0.9
    True
    >>> assay.score(noise, labels, "logistic_cv").value > 0.75
    False
    """

    C: float | None = None
    max_steps: int = 1000

    version: ClassVar[int] = 4
    invariances: ClassVar[frozenset[Invariance]] = frozenset({Invariance.SHIFT, Invariance.SCALE})

    def __post_init__(self) -> None:
        if self.C is not None and not self.C > 0:
            raise UsageError(
                f"logistic_cv(C={self.C}) is not an inverse penalty. Write C=1.0, or leave C out."
            )
        if self.max_steps < 1:
            raise UsageError(f"logistic_cv(max_steps={self.max_steps}) has no step. Write max_steps=1000.")

    def estimate(self, train: TrainView, metric: Metric | None) -> Estimate:
        """Return the metric that is expected on test, with its interval."""
        if metric is None:
            raise NotApplicable("Nothing judges this kind of task.")
        if find_spec("torch") is None:
            raise NotApplicable("It needs the package torch: pip install 'assay[torch]'.")
        held_out = train.held_out()
        matrix = held_out.examples.matrix
        if len(np.unique(held_out.folds)) < 2:
            raise NotApplicable("Train has too few examples for two folds.")
        if len(np.unique(held_out.examples.labels.values)) < 2:
            raise NotApplicable("Fewer than two classes have examples in train.")
        if (matrix == matrix[0]).all():
            raise NotApplicable("All features are constant on train.")
        rules = _Rules(held_out, *self._tuned(held_out, metric), self.max_steps)
        evidence = rules.evidence()
        estimate = expected(held_out, metric, evidence)
        kept = HeldOutPredictions(evidence.predicted, held_out.examples.labels, held_out.rows)
        return Estimate(estimate.value, estimate.interval, metric.name, (*estimate.notes, *rules.notes), kept)

    def _tuned(self, held_out: HeldOut, metric: Metric) -> tuple[float, LinearPredictor | None]:
        """Return the penalty of the sum of losses, and a map that was fitted with it, if there is one.

        It is chosen as the linear probe chooses it on val, with the first fold of a sample for val.
        """
        from assay.numerics.logistic import LogisticPath

        labels = held_out.examples.labels
        if self.C is not None:  # scikit-learn keeps one column of weights for two classes
            return (2.0 if len(np.unique(labels.values)) == 2 else 1.0) / self.C, None
        some = proportional_examples(labels, _TUNED_ON, SEED)
        is_judged = ~np.isin(some, held_out.outside({0}))
        if is_judged.all() or not is_judged.any():
            return 1.0, None
        fitted = held_out.examples.take(some[~is_judged])
        judged = ValScorer(metric, held_out.examples.take(some[is_judged]))
        tried, start = LogisticPath(self.max_steps, fitted).judged(judged)
        return L2_PATH[best_of(tried)] * len(fitted), start


class _Rules:
    """Logistic regression on parts of a sample of train, with one penalty for the sum of losses.

    Args:
        held_out: The sample.
        penalty: The penalty.
        start: A map fitted with it to a part of the sample, or None.
        max_steps: Most steps of the optimiser.
    """

    def __init__(
        self, held_out: HeldOut, penalty: float, start: LinearPredictor | None, max_steps: int
    ) -> None:
        self._held_out = held_out
        self._penalty, self._start, self._max_steps = penalty, start, max_steps
        self.notes: tuple[str, ...] = ()

    def evidence(self) -> FoldEvidence:
        """Return the predictions of rules of all folds but one, of pairs of folds, and of all folds."""
        held_out = self._held_out
        count, truth, val = held_out.examples.labels.examples, held_out.examples.labels, held_out.beyond.val
        folds = np.unique(held_out.folds).tolist()
        predicted, rows = [], []
        for fold in folds:
            others = held_out.outside({fold})
            rows.append(truth.rows_of(np.setdiff1d(np.arange(count), others)))
            predicted.append(self._predicted(others, held_out.examples.matrix[rows[-1]]))
        on_parts = []
        for pair in PAIRS if len(folds) > np.max(PAIRS) + 1 else ():
            outside = held_out.outside(pair)
            inside = np.setdiff1d(np.arange(count), outside)
            asked = held_out.examples.matrix[truth.rows_of(outside)]
            on_parts.append(SubsetPredictions(outside, self._predicted(inside, asked)))
        on_val = None if val is None else self._predicted(np.arange(count), val.matrix)
        share = count / len(folds)
        counts = (count - share, 2 * share, float(count))
        return FoldEvidence(in_order(predicted, rows), tuple(on_parts), on_val, counts, _UNLIKE)

    def _predicted(self, examples: np.ndarray, features: np.ndarray) -> Predicted:
        """Return the predictions for features by the rule of these examples of the sample."""
        from assay.numerics.logistic import LogisticPath

        part: LabelledFeatures = self._held_out.examples.take(examples)
        rule, notes = LogisticPath(self._max_steps, part).at(self._penalty / len(part), self._start)
        self.notes = self.notes or notes
        return rule(features)
