"""TMI: the entropy of the features within classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.core.features import LabelledFeatures
from assay.plugins.method import Invariance, SampleScore

_AVERAGES = ("shares", "published")
_CHUNK = 1 << 22  # distances held at a time: 32 MiB


@dataclass(frozen=True, slots=True)
class TMI(SampleScore):
    """TMI: the conditional entropy H(F|Y) of the features given the class, in nats, from nearest neighbours.

    The entropy of n examples of a class is digamma(n) - digamma(k) + D mean(log 2r), r the distance of an
    example to its k-th nearest neighbour in the class by maximum norm (Kozachenko and Leonenko). Classes are
    averaged by their shares. The paper holds that models whose classes vary more are the better ones to
    fine-tune, so more entropy is a higher score; how well the classes are separated plays no role.

    References:
        Fast and Accurate Transferability Measurement by Evaluating Intra-class Feature Variance (Xu and Kang,
        2023), https://arxiv.org/abs/2308.05986
        Estimating mutual information (Kraskov, Stoegbauer and Grassberger, 2004), for the estimator,
        https://doi.org/10.1103/PhysRevE.69.066138

    Note:
        The value is proportional to the width for features of one scale and falls below 0 where distances
        are below 1/2: it compares only models of the same width and scale. snudatalab/TMI divides the sum
        over classes by their number once more and raises all distances to 1:
        average="published", minimum_distance=1.0. The latter makes the score of normalised features constant.
        Classes of k examples or fewer have no estimate: they are left out, and the shares are those of the
        examples that remain.

    Attributes:
        k: The nearest neighbour whose distance is used.
        average: "shares" of the examples, or "published" for the number of the published code.
        minimum_distance: Smaller distances are clipped to it.

    >>> from assay.core.features import Features
    >>> from assay.core.task import LabelKind, Labels
    >>> labels = Labels(LabelKind.CLASSIFICATION, np.arange(60) % 2, ("cat", "dog"))
    >>> narrow = np.random.default_rng(0).standard_normal((60, 8))
    >>> wide = LabelledFeatures(Features(2 * narrow), labels)
    >>> TMI()(wide) > TMI()(LabelledFeatures(Features(narrow), labels))
    True
    """

    k: int = 3
    average: str = "shares"
    minimum_distance: float = 0.0

    favours_width: ClassVar[bool] = True
    rewards_separation: ClassVar[bool] = False
    invariances: ClassVar[frozenset[Invariance]] = frozenset({Invariance.SHIFT})

    def __post_init__(self) -> None:
        if self.k < 1:
            raise UsageError(f"tmi(k={self.k}) has no neighbour. Write k=3.")
        if self.average not in _AVERAGES:
            raise UsageError(f"average is '{self.average}'. Write {' or '.join(map(repr, _AVERAGES))}.")
        if self.minimum_distance < 0:
            raise UsageError("minimum_distance is below 0. Write minimum_distance=0.0.")

    def __call__(self, train: LabelledFeatures) -> float:
        """Return the conditional entropy in nats."""
        classes, sizes = np.unique(train.labels.values, return_counts=True)
        large = sizes > self.k
        if sizes.max() < 2:
            raise NotApplicable("Each class has one example in train.")
        if not large.any():
            raise NotApplicable(f"No class has more than k={self.k} examples. Write k={sizes.max() - 1}.")
        rows = np.asarray(train.matrix, dtype=np.float64)
        if (rows == rows[0]).all():
            raise NotApplicable("All features are constant on train.")
        entropies = np.array([self._entropy(rows[train.labels.values == label]) for label in classes[large]])
        if self.average == "published":  # classes of one example count as 0, those of up to k not at all
            return float(entropies @ sizes[large]) / len(train) / int((large | (sizes == 1)).sum())
        return float(np.average(entropies, weights=sizes[large]))

    def _entropy(self, rows: np.ndarray) -> float:
        """Return the entropy of the examples of one class (examples x width)."""
        from scipy.special import digamma

        distances = np.maximum(_distances(rows, self.k), self.minimum_distance)
        same = int((distances == 0).sum())
        if same:
            raise NotApplicable(
                f"{same} of {len(rows)} examples of a class have {self.k} equal ones, so it has no entropy: "
                "features hardly vary, or examples repeat. Write tmi(minimum_distance=1.0) to compute it as "
                "the published code does."
            )
        count, width = rows.shape
        return float(digamma(count) - digamma(self.k) + width * np.log(2 * distances).mean())


def _distances(rows: np.ndarray, k: int) -> np.ndarray:
    """Return the maximum-norm distance of each row to its k-th nearest other row."""
    from scipy.spatial.distance import cdist

    step = max(1, _CHUNK // len(rows))
    distances = [
        np.partition(cdist(rows[start : start + step], rows, "chebyshev"), k, axis=1)[
            :, k
        ]  # 0 is the row itself
        for start in range(0, len(rows), step)
    ]
    return np.concatenate(distances)
