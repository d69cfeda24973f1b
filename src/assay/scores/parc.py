"""PARC: the correlation between similarity of features and similarity of labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.core.features import LabelledFeatures
from assay.core.task import LabelKind
from assay.numerics.columns import centred_ranks
from assay.numerics.principal import principal_components
from assay.plugins.method import EVERY_KIND, Invariance, SampleScore

_VARIANTS = ("exact", "published")
_SEED, _POWERS = 1919, 1  # of the randomized PCA in the published code
_BLOCK = 256  # examples compared with all others at a time: 10 MB for 5000
_DECIMALS = 12  # of a correlation: makes values that differ by summation order equal
_FEW = 1000  # up to so many distinct labels each pair of labels is compared only once


@dataclass(frozen=True, slots=True)
class PARC(SampleScore):
    """PARC: Spearman's correlation, in percent, of the similarities of features and of labels over all pairs.

    Features are reduced by PCA and standardised. The similarity of two examples is the Pearson correlation of
    their features, and that of their labels is the correlation of their label vectors: one-hot for classes, 0
    and 1 for several labels, numbers as they are. 100 is perfect agreement, 0 none.

    References:
        Scalable Diverse Model Selection for Accessible Transfer Learning (Bolya et al., 2021),
        https://arxiv.org/abs/2111.06977: 500 examples, 32 components, the mean of 5 draws.

    Note:
        dbolya/parc methods.py differs in two ways, variant="published": its PCA is randomized, and it lets
        rounding break ties. All pairs of different classes are equally unlike, yet their correlations
        can differ in the last bit by where the two ones stand, and ranks see that. With many classes the
        number is far off (8 for 28 with 37 classes), and it depends on the processor. Here equal labels are
        exact ties. Correlations run over components, so their signs matter: the largest loading of each is
        positive, as in scikit-learn 1.5 and later. Examples whose labels are all 0, all 1 or all one number
        have no correlation and are left out. Where there is one number for each example the paper defines
        nothing: labels are the less similar the further apart.

    Attributes:
        pca: The number of principal components; None for the raw features.
        variant: "exact", or "published" for the numbers of the published code.

    >>> from assay.core.features import Features
    >>> from assay.core.task import Labels
    >>> labels = Labels(LabelKind.CLASSIFICATION, np.arange(60) % 2, ("cat", "dog"))
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> signal = noise + 3 * labels.targets()[:, :1]
    >>> PARC()(LabelledFeatures(Features(signal), labels)) > PARC()(LabelledFeatures(Features(noise), labels))
    True
    """

    pca: int | None = 32
    variant: str = "exact"

    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND
    invariances: ClassVar[frozenset[Invariance]] = frozenset({Invariance.SHIFT, Invariance.SCALE})

    def __post_init__(self) -> None:
        if self.pca is not None and self.pca < 2:
            raise UsageError(f"parc(pca={self.pca}) leaves nothing to correlate. Write pca=32, or pca=None.")
        if self.variant not in _VARIANTS:
            raise UsageError(f"variant is '{self.variant}'. Write {' or '.join(map(repr, _VARIANTS))}.")

    def __call__(self, train: LabelledFeatures) -> float:
        """Return the correlation in percent, between -100 and 100."""
        targets = train.labels.targets()
        features, varies = _unit_rows(self._standardised(train.matrix))
        if targets.shape[1] > 1:
            labels, differ = _unit_rows(targets)
            varies &= differ
        else:
            labels = targets / (float(np.ptp(targets)) or 1.0)
        rounds = self.variant == "published" and targets.shape[1] > 1
        label_ranks = centred_ranks(_published(targets[varies])) if rounds else _label_ranks(labels[varies])
        if not label_ranks.any():
            raise NotApplicable("All pairs of examples of train have equally similar labels.")
        feature_ranks = centred_ranks(_similarities(features[varies]))
        if not feature_ranks.any():
            raise NotApplicable("All pairs of examples of train have equally similar features.")
        return (
            100
            * float(feature_ranks @ label_ranks)
            / float(np.sqrt(feature_ranks @ feature_ranks) * np.sqrt(label_ranks @ label_ranks))
        )

    def _standardised(self, matrix: np.ndarray) -> np.ndarray:
        """Return examples x components, each of mean 0 and variance 1; constant ones are 0."""
        rows = np.asarray(matrix, dtype=np.float64)
        if (rows == rows[0]).all():
            raise NotApplicable("All features are constant on train.")
        if self.pca is not None:
            rows = (
                principal_components(rows, self.pca)
                if self.variant == "exact"
                else _randomized(rows, self.pca)
            )
        if rows.shape[1] < 2:
            raise NotApplicable("The features vary in one direction: examples have no correlation in it.")
        if self.pca is not None and rows.shape[1] >= len(rows) - 1:
            raise NotApplicable(
                f"{len(rows)} examples in {rows.shape[1]} principal components are all equally similar. "
                f"Give more examples, or write pca={max(2, len(rows) // 4)}."
            )
        spread = np.where(np.ptp(rows, axis=0) > 0, rows.std(axis=0), 1.0)
        return np.asarray((rows - rows.mean(axis=0)) / spread)


def _randomized(rows: np.ndarray, count: int) -> np.ndarray:
    """Return the principal components of the published code."""
    from sklearn.decomposition import PCA

    kept = min(count, *rows.shape)
    pca = PCA(kept, svd_solver="randomized", random_state=_SEED, iterated_power=_POWERS)
    return np.asarray(pca.fit_transform(rows))


def _unit_rows(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return centred rows of unit length, and a mask of the rows that are not constant."""
    varies = np.ptp(rows, axis=1) > 0
    centred = rows - rows.mean(axis=1, keepdims=True)
    lengths = np.sqrt(np.einsum("ij,ij->i", centred, centred))
    return centred / np.where(varies, lengths, 1.0)[:, None], varies


def _similarity(some: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Return the correlation of unit rows with others, or minus the distance of single numbers."""
    similarity = -np.abs(some - others.T) if some.shape[1] == 1 else some @ others.T
    return np.asarray(np.round(similarity, _DECIMALS, out=similarity))


def _similarities(rows: np.ndarray) -> np.ndarray:
    """Return the similarity of each unordered pair of rows."""
    similarities = np.empty(len(rows) * (len(rows) - 1) // 2)
    end = 0
    for start in range(0, len(rows), _BLOCK):
        for number, row in enumerate(_similarity(rows[start : start + _BLOCK], rows[start:]), start=1):
            begin, end = end, end + len(row) - number
            similarities[begin:end] = row[number:]
    return similarities


def _published(rows: np.ndarray) -> np.ndarray:
    """Return the similarity of each unordered pair of rows with the rounding of the published code."""
    return np.asarray((np.corrcoef(rows) - 1)[np.triu_indices(len(rows), 1)])


def _label_ranks(labels: np.ndarray) -> np.ndarray:
    """Return the centred rank of each pair of labels; few different ones are compared once and counted."""
    different, which = np.unique(labels, axis=0, return_inverse=True)
    if len(different) > _FEW:
        return centred_ranks(_similarities(labels))
    levels, codes = np.unique(_similarity(different, different), return_inverse=True)
    table = codes.reshape(len(different), len(different)).astype(np.int32)
    which = which.ravel()
    level = np.empty(len(which) * (len(which) - 1) // 2, dtype=np.int32)
    end = 0
    for number, own in enumerate(which, start=1):
        begin, end = end, end + len(which) - number
        level[begin:end] = table[own, which[number:]]
    counts = np.bincount(level, minlength=len(levels))
    ranks = np.cumsum(counts) - counts / 2 - len(level) / 2  # the middle of each level, less the mean rank
    return np.asarray(ranks[level])
