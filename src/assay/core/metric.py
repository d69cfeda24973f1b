"""The base class of metrics, which evaluate predictions; higher is better for every metric."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

import numpy as np

from assay.core.task import Labels, TaskKind

PLUGIN_PREFIX = "assay_plugin_"  # prefix of the module names of users' plug-in files


class Metric(ABC):
    """A metric that evaluates predictions: one file in ``metrics/``.

    Attributes:
        kinds: The task kinds (``TaskKind``) that the metric applies to.
        shown_negated: True if lower is better by convention (RMSE): values are stored negated and
            displayed without the sign.
        is_mean: True if the value is a mean of per-example values (accuracy), which allows fast intervals
            and exact tests.
        of_two_classes: True if the metric applies to two classes only; the second is the positive class.
        judges_probs: True if the metric takes class probabilities instead of predicted classes.
    """

    kinds: ClassVar[frozenset[TaskKind]] = frozenset({TaskKind.CLASSIFICATION})
    shown_negated: ClassVar[bool] = False
    is_mean: ClassVar[bool] = False
    of_two_classes: ClassVar[bool] = False
    judges_probs: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """The metric's name, which is its file name."""
        return type(self).__module__.rpartition(".")[2].removeprefix(PLUGIN_PREFIX)

    @classmethod
    def measure(cls, name: str, classes: Sequence[str]) -> str:
        """Return what reports call the metric on a task; one of two classes names the positive one.

        Args:
            name: The name of the metric.
            classes: The classes of the task.
        """
        return f"{name} of '{classes[1]}'" if cls.of_two_classes and len(classes) == 2 else name

    @abstractmethod
    def __call__(self, truth: Labels, predicted: np.ndarray) -> float:
        """Return the value for predictions of the same examples; higher is better.

        Args:
            truth: The labels.
            predicted: Shaped like the values of ``truth``; examples x classes for metrics of probabilities.

        Raises:
            NotApplicable: The metric is undefined for these labels, for example if all have one class.
        """
