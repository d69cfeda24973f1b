"""Logistic regression of labelled features along a path of penalties."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from assay.core.features import LabelledFeatures
from assay.core.predictor import Decision
from assay.core.task import LabelKind
from assay.numerics.components import Components
from assay.numerics.lbfgs import Stop
from assay.numerics.linear_predictor import LinearPredictor
from assay.numerics.logistic import Logistic
from assay.numerics.penalty import L2_PATH, Judge, Path, best_of

_TOGETHER = 10  # penalties, two decades: where so many in a row improve nothing, the rest overfits
_CHOOSING = 1e-6  # share of the loss by which weights that are judged on val may lie above the minimum
_FINAL = 1e-10  # the same for the weights that predict test
_APPROACH = (1e3, 1e2, 1e1, 1.0)  # multiples of a penalty on the way to it from weights of zero


class LogisticPath(Path):
    """Logistic regression on standardised features: of one class, or of each of several at once.

    Mean cross-entropy + l2/2 |W|^2 is minimised; for several classes at once the sum of the binary ones.
    A class that no example has, or all have, is left out: it is predicted never, or always.
    """

    def __init__(self, max_steps: int, fitted: LabelledFeatures) -> None:
        labels = fitted.labels
        self._decision = Decision.of(labels, are_logits=True)
        self._max_steps = max_steps
        if labels.kind is LabelKind.CLASSIFICATION:
            self._columns, truth = np.unique(labels.values, return_inverse=True)
            self._bias = np.zeros(len(self._columns))
            self._places = np.arange(len(self._columns))
        else:
            shares = labels.values.mean(axis=0)
            self._columns = self._places = ((shares > 0) & (shares < 1)).nonzero()[0]
            self._bias = np.where(shares > 0.5, 1, -1) * np.log(2 * len(labels) + 1)  # of half an example
            truth = labels.values[:, self._places]
        self._components = Components.of(fitted.matrix, fitted.device)
        rows = self._components.project(fitted.matrix)
        own = torch.from_numpy(truth).to(rows.device)
        self._loss = Logistic(rows, self._components.variances.float(), own, len(self._columns))

    def along(self) -> Iterator[LinearPredictor]:
        """Give the maps of all penalties, strong to weak.

        Ten are fitted together, then ten weaker ones from where the weakest of them arrived.
        """
        weights = self._loss.start()
        stop, step = Stop(_CHOOSING, self._max_steps), self._loss.at_once(_TOGETHER)
        for at in range(0, len(L2_PATH), step):
            together = self._loss.fit(L2_PATH[at : at + step], weights, stop, torch.float32).weights
            yield from map(self._linear, together)
            weights = together[-1]

    def judged(self, judge: Judge) -> tuple[list[tuple[float, float]], LinearPredictor]:
        """Return what the judge says until ten in a row improve neither metric nor loss; and the best."""
        tried: list[tuple[float, float]] = []
        best: LinearPredictor | None = None
        for each in self.along():
            tried.append(judge(self._decision, each.outputs(judge.val.matrix)))
            if best_of(tried) == len(tried) - 1:
                best = each
            if _are_stale(tried):
                break
        assert best is not None
        return tried, best

    def at(self, l2: float, near: LinearPredictor | None) -> tuple[LinearPredictor, tuple[str, ...]]:
        """Return the map for one penalty, and a note where the optimiser did not arrive.

        From weights of zero it goes by way of stronger penalties.
        """
        weights = self._loss.start() if near is None else self._near(near)
        rough, fine = Stop(_CHOOSING, self._max_steps), Stop(_FINAL, self._max_steps)
        for factor in _APPROACH if near is None else (1.0,):
            weights = self._loss.fit([factor * l2], weights, rough, torch.float32).weights[0]
        heads = self._loss.fit([l2], weights, fine, torch.float64)
        note = f"The optimiser stopped after {self._max_steps} steps, before it converged."
        return self._linear(heads.weights[0]), () if heads.arrived.all() else (note,)

    def _near(self, other: LinearPredictor) -> Tensor:
        """Return the weights of a map that was fitted to some of these examples: outputs x width."""
        weights = self._loss.start()
        known = np.isin(self._columns, other.decision.present)
        places = np.searchsorted(other.decision.present, self._columns[known])
        of_features = torch.from_numpy(other.weights[:, places]).to(weights.device)
        moved = self._components.mean - torch.from_numpy(other.centre).to(weights.device)
        bias = torch.from_numpy(other.bias[places]).to(weights.device) + moved @ of_features
        contracted = self._components.contract(of_features)
        weights[torch.from_numpy(known).to(weights.device)] = torch.cat([contracted, bias[None]]).T
        return weights

    def _linear(self, weights: Tensor) -> LinearPredictor:
        expanded = self._components.expand(weights[:, :-1].T).cpu().numpy()
        full = np.zeros((len(expanded), len(self._bias)))
        full[:, self._places] = expanded
        bias = self._bias.copy()
        bias[self._places] = weights[:, -1].cpu().numpy()
        return LinearPredictor(self._components.mean.cpu().numpy(), full, bias, self._decision)


def _are_stale(tried: list[tuple[float, float]]) -> bool:
    """Return whether neither the metric nor the loss has improved for a while."""
    stale = [len(column) - 1 - column.index(max(column)) for column in zip(*tried, strict=True)]
    return bool(tried) and min(stale) >= _TOGETHER
