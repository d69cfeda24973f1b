"""N-LEEP: LEEP with the components of a Gaussian mixture on the features as source classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.core.features import LabelledFeatures
from assay.numerics.mixture import leep, posteriors
from assay.plugins.method import Invariance, SampleScore

_PER_CLASS = 5  # components for each class, as in the paper
_EXAMPLES = 2  # least examples per component: a single example would reveal its own label


@dataclass(frozen=True, slots=True)
class NLEEP(SampleScore):
    """NLEEP: the mean log likelihood of the labels under the label distribution of each mixture component.

    Features are reduced to the principal components with 80 % of their variance. A Gaussian mixture, whose
    components have full covariances, is fitted to them without the labels. Its posteriors replace the source
    head of LEEP, so that the score applies to models without a head.

    References:
        Ranking Neural Checkpoints (Li et al., 2021), https://arxiv.org/abs/2011.11200

    Note:
        This is the score as defined, with the logarithm. The code of SFDA and what descends from it
        (TencentARC/SFDA metrics.py) leaves it out: nleep(log=False). That code has five components for each
        class, but one on Food-101 and Pets; google-research/pactran_metrics has max(min(C, N/5), N/10) and
        gives minus the value: write the number as components. Both draw k-means anew in each run; here it is
        seeded, and examples are sorted first, so that their order does not matter. As in the published code
        1e-6 is added to the variances, so that the score depends on the scale of features that are tiny.

    Attributes:
        components: The number of Gaussians; None for five per class, but at most one for every two
            examples.
        energy: The share of the variance in the principal components.
        seed: Seed of k-means, which initialises the mixture.
        log: Average the log likelihoods; else the likelihoods, from 0 to 1.

    >>> from assay.core.features import Features
    >>> from assay.core.task import LabelKind, Labels
    >>> labels = Labels(LabelKind.CLASSIFICATION, np.arange(60) % 2, ("cat", "dog"))
    >>> noise = np.random.default_rng(0).standard_normal((60, 8))
    >>> signal = noise + 9 * labels.targets()[:, :1]
    >>> score = NLEEP()
    >>> score(LabelledFeatures(Features(signal), labels)) > score(LabelledFeatures(Features(noise), labels))
    True
    """

    components: int | None = None
    energy: float = 0.8
    seed: int = 0
    log: bool = True

    is_slow: ClassVar[bool] = True
    invariances: ClassVar[frozenset[Invariance]] = frozenset({Invariance.SHIFT, Invariance.ROTATION})

    def __post_init__(self) -> None:
        if self.components is not None and self.components < 1:
            raise UsageError(
                f"nleep(components={self.components}) has no Gaussian. Write components=10, or leave it out."
            )
        if not 0 < self.energy <= 1:
            raise UsageError(f"nleep(energy={self.energy}) is not a share of the variance. Write energy=0.8.")
        if self.seed < 0:
            raise UsageError(f"nleep(seed={self.seed}) is not a seed. Write seed=0.")

    def __call__(self, train: LabelledFeatures) -> float:
        """Return the mean log expected empirical probability of the labels, at most 0; or without the log."""
        classes = len(np.unique(train.labels.values))
        if classes < 2:
            raise NotApplicable("Fewer than two classes have examples in train.")
        components = self.components or min(_PER_CLASS * classes, len(train) // _EXAMPLES)
        if components < 2 and self.components is None:
            raise NotApplicable(f"Train has {len(train)} examples; two Gaussians need four.")
        probs = posteriors(train.matrix, components, self.energy, self.seed)
        return leep(probs, train.labels.values, log=self.log)
