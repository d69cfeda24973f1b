"""The base class of metrics, which evaluate predictions; for all of them higher is better."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from assay.core.task import Labels, TaskKind


class Metric(ABC):
    """A metric that evaluates predictions: one file in ``metrics/``.

    Attributes:
        kinds: The kinds of task that it applies to.
        shown_negated: True where lower is better by convention (RMSE): values are its negative here, and
            are shown to readers without the sign.
        is_mean: True where the value is a mean of one value per example (accuracy): intervals are then
            fast and tests exact.
        of_two_classes: True where it applies to two classes only, of which the second is the positive one.
        judges_probs: True where it reads class probabilities instead of predicted classes.
    """

    kinds: ClassVar[frozenset[TaskKind]]
    shown_negated: ClassVar[bool] = False
    is_mean: ClassVar[bool] = False
    of_two_classes: ClassVar[bool] = False
    judges_probs: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The file name, which is the metric's name."""
        return type(self).__module__.rpartition(".")[2]

    @abstractmethod
    def __call__(self, truth: Labels, predicted: np.ndarray) -> float:
        """Return the value for predictions of the same examples; higher is better.

        Args:
            truth: The labels.
            predicted: As the values of ``truth``; or, if it reads probabilities, examples x classes.

        Raises:
            NotApplicable: It is undefined for these labels, for example where all are of one class.
        """
