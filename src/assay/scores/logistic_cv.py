"""Cross-validated logistic regression: the task's metric on held-out examples."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.core.estimate import Estimate
from assay.core.metric import Metric
from assay.core.predictor import Predicted
from assay.numerics.threads import one_thread_in_scipy
from assay.plugins.method import Invariance, Score
from assay.plugins.train_view import TrainView


@dataclass(frozen=True, slots=True)
class LogisticCV(Score):
    """The metric of logistic regression on standardised features on held-out folds.

    Each fold of a sample of train is predicted by multinomial logistic regression on the other folds, with
    features standardised by those folds; constant features are ignored. The value is out of sample by
    construction, so wide features have no advantage. The interval is a bootstrap over the held-out
    examples, at most 5000.

    References:
        The regression analysis of binary sequences (Cox, 1958),
        https://doi.org/10.1111/j.2517-6161.1958.tb00292.x
        Understanding intermediate layers using linear classifier probes (Alain and Bengio, 2016),
        https://arxiv.org/abs/1610.01644

    Note:
        Published code for such a score differs in the split: dbolya/parc methods.py trains on one half of
        the examples and tests on the other, alizkzm/te-guide uses three folds. The penalty is not tuned; the
        protocol linear_probe does that.

    Attributes:
        C: The inverse penalty: Σ cross-entropy + |W|²/2C is minimised, as in scikit-learn.
        max_steps: Most steps of the optimiser for one fold; a note reports if they did not suffice.

    >>> import assay
    >>> labels = np.arange(60) % 2
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> assay.score(noise + 3 * labels[:, None], labels, "logistic_cv").value > 0.9
    True
    >>> assay.score(noise, labels, "logistic_cv").value > 0.75
    False
    """

    C: float = 1.0
    max_steps: int = 200

    version: ClassVar[int] = 2
    invariances: ClassVar[frozenset[Invariance]] = frozenset({Invariance.SHIFT, Invariance.SCALE})

    def __post_init__(self) -> None:
        if not self.C > 0:
            raise UsageError(f"logistic_cv(C={self.C}) is no inverse penalty. Write C=1.0.")
        if self.max_steps < 1:
            raise UsageError(f"logistic_cv(max_steps={self.max_steps}) has no step. Write max_steps=200.")

    def estimate(self, train: TrainView, metric: Metric | None) -> Estimate:
        """Return the metric on held-out examples, with its interval."""
        if metric is None:
            raise NotApplicable("Nothing judges this kind of task.")
        if metric.judges_probs:
            raise NotApplicable(f"It foretells classes; {metric.name} judges probabilities.")
        held_out = train.held_out()
        truth, folds = held_out.examples.labels.values, held_out.folds
        if len(np.unique(folds)) < 2:
            raise NotApplicable("Train has too few examples for two folds.")
        if len(np.unique(truth)) < 2:
            raise NotApplicable("Fewer than two classes have examples in train.")
        rows = np.asarray(held_out.examples.matrix, dtype=np.float64)
        if (rows == rows[0]).all():
            raise NotApplicable("All features are constant on train.")
        predicted, finished = np.empty_like(truth), True
        for fold in np.unique(folds):
            judged = folds == fold
            predicted[judged], converged = self._predict(rows[~judged], truth[~judged], rows[judged])
            finished &= converged
        steps = f"The optimiser stopped after {self.max_steps} steps, before it converged."
        return held_out.judged(metric, Predicted(predicted), () if finished else (steps,))

    def _predict(self, rows: np.ndarray, labels: np.ndarray, judged: np.ndarray) -> tuple[np.ndarray, bool]:
        """Return the class of each held-out example, and whether the optimiser converged."""
        from sklearn.exceptions import ConvergenceWarning
        from sklearn.linear_model import LogisticRegression

        if (labels == labels[0]).all():
            return np.full(len(judged), labels[0]), True
        learned, asked = _standardised(rows, judged)
        with warnings.catch_warnings(), one_thread_in_scipy():
            warnings.simplefilter("ignore", ConvergenceWarning)
            warnings.filterwarnings("ignore", "The number of unique classes", UserWarning)
            model = LogisticRegression(C=self.C, max_iter=self.max_steps).fit(learned, labels)
        return model.predict(asked), bool(np.max(model.n_iter_) < self.max_steps)


def _standardised(rows: np.ndarray, judged: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Standardise both by the mean and deviation of ``rows``, in single precision like the features."""
    mean, deviation = rows.mean(axis=0), rows.std(axis=0)
    constant = deviation <= np.finfo(np.float32).eps * np.abs(mean)
    scale = np.where(constant, 0.0, 1 / np.where(constant, 1.0, deviation))
    return ((rows - mean) * scale).astype(np.float32), ((judged - mean) * scale).astype(np.float32)
