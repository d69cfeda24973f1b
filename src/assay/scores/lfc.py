"""LFC: the correlation between similarity of features and equality of labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable
from assay.moments.folded import FoldedMoments
from assay.moments.scatter import Scatter
from assay.plugins.method import Invariance, MomentScore


@dataclass(frozen=True, slots=True)
class LFC(MomentScore):
    """Label-feature correlation: the cosine of K - mean(K) and L - mean(L) over all pairs of examples.

    K = FF' holds the inner products of the raw features; L is 1 for two examples of the same class
    and -1 for others. The value is between -1 and 1. It is exact for any number of examples, from one pass:
    no pair is ever formed.

    References:
        A Linearized Framework and a New Benchmark for Model Selection for Fine-Tuning (Deshpande et al.,
        2021), https://arxiv.org/abs/2102.00084

    Note:
        ``zhangyikaii/Model-Spider`` (mptms/LFC.py) uses at most 45000 examples; this uses all. As published,
        similarities are centred, features are not.

    >>> import assay
    >>> labels = np.arange(60) % 2
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> signal = noise + 3 * labels[:, None]
    >>> assay.score(signal, labels, "lfc") > assay.score(noise, labels, "lfc")
    True
    """

    invariances: ClassVar[frozenset[Invariance]] = frozenset({Invariance.SCALE, Invariance.ROTATION})

    def __call__(self, train: FoldedMoments) -> float:
        """Return the correlation of the similarities."""
        total = train.total
        used = total.target_sum > 0
        if used.sum() < 2:
            raise NotApplicable("Fewer than two classes have examples in train.")
        counts = total.target_sum[used]
        sums = total.centred_cross().T[used]  # of each class about the mean of all: classes x width
        mean = total.scatter.shift + total.mean()
        agreement = 2 * float(np.square(sums).sum() + 2 * counts @ (sums @ mean))
        return agreement / (similarity_norm(total.scatter, mean) * label_norm(counts))


def similarity_norm(scatter: Scatter, mean: np.ndarray) -> float:
    """Return the Frobenius norm of K - mean(K), from the features about their mean.

    With x = mean + c, K - mean(K) is a1' + 1a' + cc' for a = c mean: the parts are orthogonal, and nothing
    large is subtracted from anything.
    """
    if scatter.is_constant:
        raise NotApplicable("All features are constant on train.")
    if scatter.rows is None:
        gram = scatter.centred_gram()
        along, spread = float(mean @ gram @ mean), float(np.square(gram).sum())
    else:
        along = float(np.square(scatter.centred_rows @ mean).sum())
        spread = float(np.square(scatter.dual).sum())
    return float(np.sqrt(2 * scatter.count * along + spread))


def label_norm(counts: np.ndarray) -> float:
    """Return the Frobenius norm of L - mean(L) for classes of these sizes."""
    total = counts.sum()
    same = np.square(counts / total).sum()  # the share of pairs that have the same class
    different = (counts / total * (total - counts) / total).sum()
    return float(2 * total * np.sqrt(same * different))
