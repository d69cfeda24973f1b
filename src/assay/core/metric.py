"""Judges of predictions; a higher value is better for every one of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np

from assay.core.task import Labels, TaskKind


class Metric(ABC):
    """A judge of predictions: one file in ``metrics/``.

    Attributes:
        kinds: The kinds of task that it judges.
        shown_negated: True where the field's number falls as predictions improve (RMSE): the value inside
            is its negative, a reader sees it positive.
        is_mean: True where the value is the mean over examples of each example's own value (accuracy):
            intervals are then fast and tests exact.
        of_two_classes: True where it judges two classes only, of which the second is the positive one.
        judges_probs: True where it judges probabilities of the classes, and not what was decided by them.
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
            predicted: As the values of ``truth``; or, for one that judges probabilities, examples x classes.

        Raises:
            NotApplicable: These labels have no such value, as where all examples are of one class.
        """
