"""Image classification with scikit-learn's bundled data, without a download."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import UnknownName
from assay.core.task import LabelKind, Labels, Task
from assay.core.task_source import TaskSource
from assay.readers.assembly import assemble
from assay.readers.gathering import ExampleLimits, gather_in_memory
from assay.readers.splits import Shares

_SETS = ("digits",)  # the only bundled image set; the others are tables of measurements
_DARKEST = 16  # pixel values of digits count the dark pixels of 4 x 4 blocks


@dataclass(frozen=True, slots=True)
class Sklearn(TaskSource):
    """Image sets of scikit-learn: ``digits``, 1797 handwritten digits of 8 x 8 pixels.

    Attributes:
        name: The name of the set.
        val: The fraction of val.
        test: The fraction of test.
        metric: The main metric; accuracy.
        limit: The maximum number of examples, stratified by class.

    >>> task = Sklearn("digits", limit=100).load("sklearn:digits", seed=0)
    >>> len(task.train), len(task.val), len(task.test), len(task.classes)
    (60, 20, 20, 10)
    """

    val: float = 0.2
    test: float = 0.2
    metric: str | None = None
    limit: int | None = None

    summary: ClassVar[str] = "image sets inside scikit-learn: digits"

    def load(self, address: str, seed: int) -> Task:
        """Load the set from the installed package."""
        shares = Shares(self.val, self.test)
        if self.name not in _SETS:
            raise UnknownName("image set of scikit-learn", self.name, _SETS)
        from sklearn.datasets import load_digits

        digits = load_digits()
        grey = np.rint(np.asarray(digits.images) * (255 / _DARKEST)).astype(np.uint8)
        images = np.repeat(grey[..., None], 3, axis=3)
        names = tuple(f"digit {number}" for number in range(len(images)))
        classes = tuple(str(digit) for digit in range(10))
        labels = Labels(LabelKind.CLASSIFICATION, np.asarray(digits.target), classes)
        gathered = gather_in_memory(list(images), names, labels)
        limits = ExampleLimits(self.limit)
        return assemble(gathered, address, shares=shares, metric=self.metric, seed=seed, limits=limits)
