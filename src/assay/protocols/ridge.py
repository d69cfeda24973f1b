"""Ridge regression in closed form, for numbers and for one-hot classes; the penalty is chosen on val."""

from __future__ import annotations

from dataclasses import dataclass
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
class Ridge(FeatureProtocol):
    """Ridge regression; for classes, onto one-hot columns, where the largest output is the prediction.

    It minimises mean squared error / 2 + l2/2 |W|^2 on standardised features, for all columns at once and
    without a penalty on the intercept: alpha = N l2 in scikit-learn. With several labels, classes with an
    output above 1/2 are predicted. 46 penalties from 1e3 to 1e-6 come from one eigendecomposition; the best
    by the metric on val is fitted again to train and val. A given penalty is not judged on val. There are no
    probabilities. For numbers it equals
    ``linear_probe``.

    References:
        Ridge Regression: Biased Estimation for Nonorthogonal Problems (Hoerl and Kennard, 1970),
        https://doi.org/10.1080/00401706.1970.10488634

    Attributes:
        l2: The penalty; chosen on val if None.

    >>> import numpy as np
    >>> from assay.core.features import Features
    >>> from assay.core.task import Labels
    >>> from assay.metrics.r2 import R2
    >>> heights, weights = np.arange(20.0)[:, None], Labels(LabelKind.REGRESSION, 2 * np.arange(20.0) + 1)
    >>> train = LabelledFeatures(Features(heights), weights)
    >>> fitted = Ridge(l2=0.01).fit(train, train.take([]), R2())
    >>> fitted.predictor(np.array([[10.0]])).values.round(1)
    array([21.])
    """

    l2: float | None = None

    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND
    packages: ClassVar[tuple[str, ...]] = ("torch",)
    learns: ClassVar[type[Predictor]] = LinearPredictor

    def __post_init__(self) -> None:
        if self.l2 is not None and not self.l2 > 0:
            raise UsageError(f"ridge(l2={self.l2}) is not a penalty. Write l2=0.01, or leave l2 out.")

    def fit(self, train: LabelledFeatures, val: LabelledFeatures, metric: Metric) -> Fitted:
        """Choose the penalty on val, and fit train and val."""
        from assay.numerics.ridge import RidgePath

        if self.l2 is None and len(val) == 0:
            raise NotApplicable("There is no val to choose the penalty on. Write ridge(l2=0.01).")
        return fit_path(RidgePath, train, ValScorer(metric, val), self.l2)
