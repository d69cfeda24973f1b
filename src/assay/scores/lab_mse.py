"""LabMSE: the training error of a linear model on the probabilities of the source head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.core.features import LabelledSourceProbs
from assay.core.task import LabelKind
from assay.moments.moments import Moments
from assay.moments.stream import MomentStream
from assay.numerics.least_squares import Inputs, regression_error
from assay.plugins.method import EVERY_KIND, SourceScore

_CHUNK = 4096  # rows in double precision at a time
_PROBS = Inputs("source classes", "The source head says the same of every example.", "lab_mse(penalty=1.0)")


@dataclass(frozen=True, slots=True)
class LabMSE(SourceScore):
    """LabMSE: minus the mean squared error of linear regression from source probabilities to labels.

    It is minus the minimum over A and b of mean((y - Ap - b)^2) + penalty |A|^2 on the same examples; 0 is a
    perfect fit. Its unit is that of the labels, squared. Classes are one-hot columns; the mean is over
    classes with examples.

    References:
        Simple Transferability Estimation for Regression Tasks (Nguyen et al., UAI 2023),
        https://arxiv.org/abs/2312.00656: penalty=0 is its LabMSE0, penalty=1 its LabMSE1, with the outputs of
        the source model for its labels.

    Note:
        The paper's sources predict numbers, and their outputs are those; here they are probabilities, made to
        sum to 1 in double precision. The value includes the penalty, as in the paper, and is the mean over
        label columns, as in ``CuongNN218/regression_transferability`` (reg_score.py): it is the number of its
        function transferability_score_ridge under add_penalty=False. Without penalty, heads of more source
        classes fit better whatever they are, and those of as many as there are examples fit any labels.

    Attributes:
        penalty: The weight of |A|^2 against the mean squared error; 0 for least squares.
        add_penalty: Count penalty |A|^2 as part of the error.

    >>> from assay.core.task import Labels
    >>> labels = Labels(LabelKind.REGRESSION, np.array([0.0, 1.0, 4.0, 6.0]))
    >>> probs = np.array([[0.9, 0.1], [0.8, 0.2], [0.3, 0.7], [0.1, 0.9]])
    >>> mixed = probs[[1, 3, 0, 2]]
    >>> LabMSE()(LabelledSourceProbs(probs, labels)) > LabMSE()(LabelledSourceProbs(mixed, labels))
    True
    """

    penalty: float = 0.0
    add_penalty: bool = True

    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND
    favours_width: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.penalty < np.inf:
            raise UsageError(f"lab_mse(penalty={self.penalty}) has no minimum. Write penalty=1.0, or 0.")

    def __call__(self, train: LabelledSourceProbs) -> float:
        """Return the negative error, at most 0."""
        total = gathered(train)
        moments = total, total.spectrum(), train.labels.kind
        return -regression_error(*moments, _PROBS, self.penalty, add_penalty=self.add_penalty)


def gathered(train: LabelledSourceProbs) -> Moments:
    """Return the Moments of the probabilities, with rows normalised to sum to 1."""
    if not len(train.labels):
        raise NotApplicable("The source head gives no probabilities.")
    stream = MomentStream(train.labels, np.zeros(len(train.labels), dtype=np.int64))
    for start in range(0, len(train.labels), _CHUNK):
        probs = np.asarray(train.probs[start : start + _CHUNK], dtype=np.float64)
        stream.update(np.arange(start, start + len(probs)), probs / probs.sum(axis=1, keepdims=True))
    return stream.finish().total
