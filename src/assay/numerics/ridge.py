"""Ridge regression for every penalty from one eigendecomposition."""

from __future__ import annotations

import torch
from torch import Tensor

from assay.core.features import LabelledFeatures
from assay.core.predictor import Decision
from assay.core.task import LabelKind
from assay.numerics.components import Components
from assay.numerics.linear import L2_PATH, LinearPredictor, PenaltyPath, ValScorer, best_of


class RidgePath(PenaltyPath):
    """Ridge regression on standardised features, for all target columns at once.

    It minimises mean squared error / 2 + l2/2 |W|^2, without a penalty on the intercept; in scikit-learn
    alpha = N l2. Classes without examples have no column.
    """

    def __init__(self, fitted: LabelledFeatures) -> None:
        self._decision = Decision.of(fitted.labels, are_logits=False)
        targets = fitted.labels.targets()
        if self._decision.kind is LabelKind.CLASSIFICATION:
            targets = targets[:, self._decision.present]
        self._intercept = targets.mean(axis=0)
        self._components = Components.of(fitted.matrix, fitted.device)
        centred = torch.from_numpy(targets - self._intercept).to(self._components.mean.device)
        self._agreement = torch.zeros((len(self._components.variances), centred.shape[1])).to(centred)
        start = 0
        for block in self._components.blocks(fitted.matrix):
            self._agreement.addmm_(block.T, centred[start : start + len(block)], alpha=1 / len(fitted))
            start += len(block)

    def judged(self, val_scorer: ValScorer) -> tuple[list[tuple[float, float]], LinearPredictor]:
        """Return (metric, -loss) on val for every penalty, and the best map."""
        val = torch.cat(list(self._components.blocks(val_scorer.val.matrix)))
        outputs = ((val @ self._weights(l2)).cpu().numpy() + self._intercept for l2 in L2_PATH)
        tried = [val_scorer(self._decision, output) for output in outputs]
        return tried, self.at(L2_PATH[best_of(tried)], None)[0]

    def at(self, l2: float, start: LinearPredictor | None) -> tuple[LinearPredictor, tuple[str, ...]]:
        """Return the map for one penalty; the solution is exact, so ``start`` is ignored."""
        weights = self._components.expand(self._weights(l2)).cpu().numpy()
        mean = self._components.mean.cpu().numpy()
        return LinearPredictor(mean, weights, self._intercept, self._decision), ()

    def _weights(self, l2: float) -> Tensor:
        return self._agreement / (self._components.variances + l2)[:, None]
