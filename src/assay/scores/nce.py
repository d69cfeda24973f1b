"""NCE: how well the pseudo-labels of the source head predict the labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from assay.core.errors import NotApplicable
from assay.core.features import LabelledSourceProbs
from assay.plugins.method import SourceScore


@dataclass(frozen=True, slots=True)
class NCE(SourceScore):
    """Negative conditional entropy of the labels given the source pseudo-labels, in nats.

    It is 0 if each source class has one label only, and at least minus the entropy of the labels.

    References:
        Transferability and Hardness of Supervised Classification Tasks (Tran et al., 2019),
        https://arxiv.org/abs/1908.08142

    Note:
        Pseudo-labels are the likeliest source classes, the first of several. Nothing is added inside the
        logarithm: pairs that do not occur are left out. thuml/LogME NCE.py adds 1e-20 there, as does
        thuml/Transfer-Learning-Library, which changes no digit; dbolya/parc methods.py adds 1e-5 to every
        joint probability, which does; google-research/pactran_metrics counts probabilities in place of
        pseudo-labels.

    >>> from assay.core.task import LabelKind, Labels
    >>> labels = Labels(LabelKind.CLASSIFICATION, np.array([0, 0, 1, 1]), ("cat", "dog"))
    >>> sure = np.array([[0.9, 0.1], [0.9, 0.1], [0.1, 0.9], [0.1, 0.9]])
    >>> NCE()(LabelledSourceProbs(sure, labels)) > NCE()(LabelledSourceProbs(sure[[0, 2, 1, 3]], labels))
    True
    """

    def __call__(self, train: LabelledSourceProbs) -> float:
        """Return the negative conditional entropy, at most 0."""
        if train.probs.size == 0:
            raise NotApplicable("The source head gives no probabilities.")
        pseudo_labels = np.argmax(train.probs, axis=1)
        pairs = np.stack([train.labels.values, pseudo_labels])
        (_, sources), joint = np.unique(pairs, axis=1, return_counts=True)
        marginal = np.bincount(sources, weights=joint)[sources]
        return min(float((joint * np.log(joint / marginal)).sum()) / len(pseudo_labels), 0.0)
