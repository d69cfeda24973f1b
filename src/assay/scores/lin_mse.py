"""LinMSE: the training error of a linear model on the features."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import UsageError
from assay.core.task import LabelKind
from assay.moments.folded import FoldedMoments
from assay.numerics.least_squares import FEATURES, regression_error
from assay.plugins.method import EVERY_KIND, Invariance, MomentScore


@dataclass(frozen=True, slots=True)
class LinMSE(MomentScore):
    """LinMSE: minus the mean squared error of linear regression from features to labels, on train itself.

    It is minus the minimum over A and b of mean((y - Ax - b)^2) + penalty |A|^2; 0 is a perfect fit. Its unit
    is that of the labels, squared. Classes are one-hot columns; the mean is over classes with examples.

    References:
        Simple Transferability Estimation for Regression Tasks (Nguyen et al., UAI 2023),
        https://arxiv.org/abs/2312.00656: penalty=0 is its LinMSE0, penalty=1 its LinMSE1.

    Note:
        The paper's value is the regularised error, penalty |A|^2 included. The function
        transferability_score_ridge of ``CuongNN218/regression_transferability`` (reg_score.py) leaves that
        term out of the value: write add_penalty=False for its numbers, with penalty for its alpha. The paper
        sums over label columns; the code takes their mean, and so does this. Models rank the same.
        Without penalty N - 1 independent features fit any labels of N examples, so the score does not apply
        there. With fewer, each noise feature still explains 1/N of the variance: wide features gain.

    Attributes:
        penalty: The weight of |A|^2 against the mean squared error; 0 for least squares.
        add_penalty: Count penalty |A|^2 as part of the error.

    >>> import assay
    >>> numbers = np.arange(60) / 60
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> signal = noise + 9 * numbers[:, None]
    >>> assay.score(signal, numbers, "lin_mse") > assay.score(noise, numbers, "lin_mse")
    True
    """

    penalty: float = 0.0
    add_penalty: bool = True

    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND
    invariances: ClassVar[frozenset[Invariance]] = frozenset({Invariance.SHIFT, Invariance.ROTATION})
    favours_width: ClassVar[bool] = True

    def __post_init__(self) -> None:
        if not 0 <= self.penalty < np.inf:
            raise UsageError(f"lin_mse(penalty={self.penalty}) has no minimum. Write penalty=1.0, or 0.")

    def __call__(self, train: FoldedMoments) -> float:
        """Return the negative error, at most 0."""
        moments = train.total, train.spectrum, train.kind
        return -regression_error(*moments, FEATURES, self.penalty, add_penalty=self.add_penalty)
