"""Linear probe: a linear classifier or regression on frozen features, with its penalty chosen on val."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

from assay.core.errors import NotApplicable, UsageError
from assay.core.features import LabelledFeatures
from assay.core.metric import Metric
from assay.core.predictor import Predictor
from assay.core.task import LabelKind
from assay.numerics.linear import LinearPredictor, ValScorer, fit_path
from assay.plugins.method import EVERY_KIND
from assay.plugins.protocol import FeatureProtocol, Fitted


@dataclass(frozen=True, slots=True)
class LinearProbe(FeatureProtocol):
    """Linear probe: logistic regression, one-vs-rest if several classes apply at once; ridge for numbers.

    Classification minimises mean cross-entropy + l2/2 |W|^2; several classes at once the mean of the sum of
    their binary cross-entropies + l2/2 |W|^2; regression mean squared error / 2 + l2/2 |W|^2, for all columns
    at once. None penalises the intercept. In scikit-learn's words, with N examples: C = 1/(N l2) for three
    classes or more and for one against the rest, C = 2/(N l2) for two classes (it keeps one column of weights
    where we keep two), and alpha = N l2 for Ridge. Features are standardised by the examples that are fitted;
    constant ones are ignored.

    46 penalties from 1e3 to 1e-6, five in a decade, are fitted to train: ten at a time (on a GPU all) in one
    batch of L-BFGS in single precision. It stops after ten penalties without improvement of the metric or the
    loss on val. The best metric on val wins; ties: smaller loss, then stronger penalty. The probe is then
    fitted to train and val together, in double precision. A given penalty is not judged on val. There is no
    randomness. A class without examples is never predicted. It runs where the model ran if that is a CUDA
    device, else on the CPU, and holds the features of train once in single precision.

    References:
        Understanding intermediate layers using linear classifier probes (Alain and Bengio, 2016),
        https://arxiv.org/abs/1610.01644
        Learning Transferable Visual Models From Natural Language Supervision (Radford et al., 2021),
        https://arxiv.org/abs/2103.00020, whose probe is L-BFGS with its L2 chosen on val.
        DINOv2: Learning Robust Visual Features without Supervision (Oquab et al., 2023),
        https://arxiv.org/abs/2304.07193, whose path has 45 penalties.

    Note:
        The optimiser works on principal components, each scaled by the curvature of the loss along it. That
        changes neither the loss nor its minimum, and there are never more components than examples.

    Attributes:
        l2: The penalty; chosen on val if None.
        max_steps: Most steps of the optimiser for one penalty.

    >>> import numpy as np
    >>> from assay.core.features import Features
    >>> from assay.core.task import Labels
    >>> from assay.metrics.r2 import R2
    >>> heights, weights = np.arange(20.0)[:, None], Labels(LabelKind.REGRESSION, 2 * np.arange(20.0) + 1)
    >>> train = LabelledFeatures(Features(heights), weights)
    >>> fitted = LinearProbe(l2=0.01).fit(train, train.take([]), R2())
    >>> fitted.predictor(np.array([[10.0]])).values.round(1)
    array([21.])
    """

    l2: float | None = None
    max_steps: int = 1000

    version: ClassVar[int] = 2
    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND
    packages: ClassVar[tuple[str, ...]] = ("torch",)
    learns: ClassVar[type[Predictor]] = LinearPredictor

    def __post_init__(self) -> None:
        if self.l2 is not None and not self.l2 > 0:
            raise UsageError(f"linear_probe(l2={self.l2}) is not a penalty. Write l2=0.01, or leave l2 out.")
        if self.max_steps < 1:
            raise UsageError(f"linear_probe(max_steps={self.max_steps}) has no step. Write max_steps=1000.")

    def fit(self, train: LabelledFeatures, val: LabelledFeatures, metric: Metric) -> Fitted:
        """Choose the penalty on val, and fit train and val."""
        if self.l2 is None and len(val) == 0:
            raise NotApplicable("There is no val to choose the penalty on. Write linear_probe(l2=0.01).")
        val_scorer = ValScorer(metric, val)
        if train.labels.kind is LabelKind.REGRESSION:
            from assay.numerics.ridge import RidgePath

            return fit_path(RidgePath, train, val_scorer, self.l2)
        from assay.numerics.logistic import LogisticPath

        return fit_path(partial(LogisticPath, self.max_steps), train, val_scorer, self.l2)
