"""Log loss: the mean negative log probability of the true class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.metric import Metric
from assay.core.task import LabelKind, Labels, TaskKind

_LEAST = float(np.finfo(np.float64).eps)  # a probability of 0 counts as this much, as in scikit-learn


@dataclass(frozen=True, slots=True)
class LogLoss(Metric):
    """The mean of -log p of the true class, in nats; negative here, so that higher is better.

    With several labels it is the mean over the binary losses of all classes.

    References:
        Rational Decisions (Good, 1952), https://doi.org/10.1111/j.2517-6161.1952.tb00104.x

    >>> truth = Labels(LabelKind.CLASSIFICATION, np.array([0, 1]), ("no", "yes"))
    >>> LogLoss()(truth, np.array([[0.5, 0.5], [0.5, 0.5]])).__round__(4)
    -0.6931
    """

    kinds: ClassVar[frozenset[TaskKind]] = frozenset(
        {TaskKind.CLASSIFICATION, TaskKind.TOKENS, TaskKind.MULTILABEL}
    )
    shown_negated: ClassVar[bool] = True
    judges_probs: ClassVar[bool] = True

    def __call__(self, truth: Labels, predicted: np.ndarray) -> float:
        """Return minus the log loss."""
        if truth.kind is LabelKind.MULTILABEL:
            own = np.where(truth.values == 1, predicted, 1 - predicted)
        else:
            own = predicted[np.arange(len(truth)), truth.values]
        return float(np.log(np.clip(own, _LEAST, 1.0)).mean())
