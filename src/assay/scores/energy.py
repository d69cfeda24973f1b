"""Energy: the mean logsumexp of the features over the examples where it is lowest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import UsageError
from assay.core.features import LabelledFeatures
from assay.core.task import LabelKind
from assay.plugins.method import EVERY_KIND, SampleScore

_TAILS = ("bot", "top")


@dataclass(frozen=True, slots=True)
class Energy(SampleScore):
    """The mean of log sum exp(features) over the examples where it is lowest: the energy term of ETran.

    It is minus the free energy of an energy-based model that treats features as logits. Low values indicate
    examples unlike those of the pretraining. It ignores labels.

    References:
        ETran: Energy-Based Transferability Estimation (Gholami et al., 2023),
        https://arxiv.org/abs/2308.02027
        Energy-based Out-of-distribution Detection (Liu et al., 2020), https://arxiv.org/abs/2010.03759, with
        the logits of the source head in place of features.

    Note:
        The lowest 0.5 % are what mgholamikn/ETran takes (evaluate_metric.py). Below 200 examples that is
        none, and its value NaN; here it is one example at least. The value grows with the logarithm of the
        width: it compares models of one width best.

    Attributes:
        percent: Percentage of the examples in the average; 100 for all.
        tail: "bot" for the examples with the lowest values, "top" for those with the highest.

    >>> import assay
    >>> features = np.log([[1.0, 1.0], [2.0, 2.0], [1.0, 5.0]])
    >>> round(assay.score(features, ["ant", "bee", "cat"], "energy") - np.log(2), 12)
    0.0
    """

    percent: float = 0.5
    tail: str = "bot"

    needs_labels: ClassVar[bool] = False
    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND

    def __post_init__(self) -> None:
        if not 0 < self.percent <= 100:
            raise UsageError(
                f"energy(percent={self.percent}) is not a share of the examples. Write percent=0.5."
            )
        if self.tail not in _TAILS:
            raise UsageError(f"energy(tail='{self.tail}') is neither end. Write tail='bot' or tail='top'.")

    def __call__(self, train: LabelledFeatures) -> float:
        """Return the mean of log sum exp over one tail of the examples."""
        from scipy.special import logsumexp

        energies = np.sort(logsumexp(np.asarray(train.matrix, dtype=np.float64), axis=1))
        tenths = int(self.percent * 10)  # per mille, cut to a whole number: as the published code counts
        if self.tail == "bot":
            return float(energies[: max(tenths * len(energies) // 1000, 1)].mean())
        return float(energies[min(-tenths * len(energies) // 1000, -1) :].mean())
