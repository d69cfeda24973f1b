"""LEEP: how well the probabilities of the source head predict the labels, without training."""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.features import LabelledSourceProbs
from assay.numerics.mixture import leep
from assay.plugins.method import SourceScore


@dataclass(frozen=True, slots=True)
class LEEP(SourceScore):
    """LEEP: the mean log likelihood of the labels under the label distribution of each source class.

    The predictor draws a source class z from the source head, then a label from the empirical P(y given z).

    References:
        LEEP: A New Measure to Evaluate Transferability of Learned Representations (Nguyen et al., 2020),
        https://arxiv.org/abs/2002.12462

    Note:
        This is the score as defined, and as in thuml/LogME and thuml/Transfer-Learning-Library. The code of
        SFDA and what descends from it (TencentARC/SFDA metrics.py) leaves out the logarithm: leep(log=False).
        google-research/pactran_metrics gives minus this value, with 1e-10 added to P(z) and to the
        likelihoods. Source classes that no example has any probability for are left out. Rows are made to
        sum to 1 in double precision.

    Attributes:
        log: Average the log likelihoods; else the likelihoods, from 0 to 1.

    >>> import numpy as np
    >>> from assay.core.task import LabelKind, Labels
    >>> labels = Labels(LabelKind.CLASSIFICATION, np.array([0, 0, 1, 1]), ("cat", "dog"))
    >>> sure = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9]])
    >>> LEEP()(LabelledSourceProbs(sure, labels)) > LEEP()(LabelledSourceProbs(np.full((4, 2), 0.5), labels))
    True
    """

    log: bool = True

    def __call__(self, train: LabelledSourceProbs) -> float:
        """Return the mean log expected empirical probability of the labels, at most 0; or without the log."""
        return leep(train.probs, train.labels.values, log=self.log)
