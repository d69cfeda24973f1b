"""Logistic regression along a path of penalties, for multiclass and multilabel tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from assay.core.features import LabelledFeatures
from assay.core.predictor import Decision
from assay.core.task import LabelKind
from assay.numerics.components import Components
from assay.numerics.lbfgs import PAIRS, Stop, minimise
from assay.numerics.linear import L2_PATH, LinearPredictor, PenaltyPath, ValScorer, best_of

_TOGETHER = 10  # penalties (two decades) per batch on a CPU
_TOGETHER_CUDA = len(L2_PATH)  # a GPU has room for all at once
_STALE = 10  # the path stops if so many penalties in a row do not improve
_CHOOSING = 1e-6  # relative tolerance of the loss for weights that are evaluated on val
_FINAL = 1e-10  # relative tolerance of the loss for the final weights
_APPROACH = (1e3, 1e2, 1e1, 1.0)  # multiples of a penalty for warm starts from zero weights
_AT_ONCE = 1 << 19  # logits computed at a time, so that they stay in the CPU cache
_AT_ONCE_CUDA = 1 << 26  # 256 MiB
_FEWEST_ROWS = 512  # below, products of matrices lose speed
_MEMORY = 1 << 28  # largest count of numbers in the optimiser: 1 GiB in single precision
_SEEN = 4096  # examples from which the curvature is estimated
_LEAST_CURVATURE = 1e-4  # for a certain class: bounds the scale of its intercept


class LogisticPath(PenaltyPath):
    """Logistic regression on standardised features, multinomial or one binary model per label.

    It minimises mean cross-entropy + l2/2 |W|^2; for several labels the sum of the binary cross-entropies.
    A class that no example has, or that all have, is not fitted and is predicted never, or always.

    It also runs on a GPU, and to a closer tolerance than scikit-learn, which takes 3.3 times as long for
    300 x 1280 features of 10 classes, 1.2 times for 2000 x 768 of 20, and 0.6 times for 2000 x 1024 of 100,
    on one core: ``benchmarks/probes.py``.
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
            self._bias = np.where(shares > 0.5, 1, -1) * np.log(
                2 * len(labels) + 1
            )  # as if half an example differed
            truth = labels.values[:, self._places]
        self._components = Components.of(fitted.matrix, fitted.device)
        rows = self._components.project(fitted.matrix)
        targets = torch.from_numpy(truth).to(rows.device)
        self._loss = Logistic(rows, self._components.variances.float(), targets, len(self._columns))

    def along(self) -> Iterator[LinearPredictor]:
        """Yield the maps of all penalties, strong to weak.

        Ten are fitted in one batch, on a GPU all; the next ten start from the weights of the weakest so far.
        """
        weights = self._loss.start()
        most = _TOGETHER_CUDA if weights.is_cuda else _TOGETHER
        stop, step = Stop(_CHOOSING, self._max_steps), self._loss.at_once(most)
        for at in range(0, len(L2_PATH), step):
            together = self._loss.fit(L2_PATH[at : at + step], weights, stop, torch.float32).weights
            yield from map(self._linear, together)
            weights = together[-1]

    def judged(self, val_scorer: ValScorer) -> tuple[list[tuple[float, float]], LinearPredictor]:
        """Return (metric, -loss) on val until ten in a row improve neither, and the best map."""
        tried: list[tuple[float, float]] = []
        best: LinearPredictor | None = None
        for each in self.along():
            tried.append(val_scorer(self._decision, each.outputs(val_scorer.val.matrix)))
            if best_of(tried) == len(tried) - 1:
                best = each
            if _are_stale(tried):
                break
        assert best is not None
        return tried, best

    def at(self, l2: float, start: LinearPredictor | None) -> tuple[LinearPredictor, tuple[str, ...]]:
        """Return the map for one penalty, and a note if the optimiser did not converge.

        Without a start, stronger penalties give warm starts.
        """
        weights = self._loss.start() if start is None else self._near(start)
        rough, fine = Stop(_CHOOSING, self._max_steps), Stop(_FINAL, self._max_steps)
        for factor in _APPROACH if start is None else (1.0,):
            weights = self._loss.fit([factor * l2], weights, rough, torch.float32).weights[0]
        heads = self._loss.fit([l2], weights, fine, torch.float64)
        note = f"The optimiser stopped after {self._max_steps} steps, before it converged."
        return self._linear(heads.weights[0]), () if heads.arrived.all() else (note,)

    def _near(self, other: LinearPredictor) -> Tensor:
        """Return the weights of a map fitted to a subset of these examples, outputs x width."""
        weights = self._loss.start()
        known = np.isin(self._columns, other.decision.present)
        columns = np.searchsorted(other.decision.present, self._columns[known])
        of_features = torch.from_numpy(other.weights[:, columns]).to(weights.device)
        moved = self._components.mean - torch.from_numpy(other.centre).to(weights.device)
        bias = torch.from_numpy(other.bias[columns]).to(weights.device) + moved @ of_features
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
    """Return whether neither metric nor loss has improved in the last penalties."""
    stale = [len(column) - 1 - column.index(max(column)) for column in zip(*tried, strict=True)]
    return bool(tried) and min(stale) >= _STALE


class Heads(NamedTuple):
    """Linear maps from components to logits, one for each penalty."""

    weights: Tensor  # penalties x outputs x (components, then the intercept)
    arrived: Tensor  # penalties: whether the optimiser converged


class Logistic:
    """The mean loss of weights: cross-entropy, or binary cross-entropies summed over columns.

    Args:
        rows: Examples x (components, then ones for the intercept), single precision.
        variances: Variances of the components.
        truth: Class positions of the examples, or 0 and 1 for examples x columns.
        outputs: Number of classes or columns.
    """

    def __init__(self, rows: Tensor, variances: Tensor, truth: Tensor, outputs: int) -> None:
        self._rows = rows
        self._variances = torch.cat([variances, variances.new_ones(1)])
        self._truth = truth
        self._shape = (outputs, self._rows.shape[1])

    def start(self) -> Tensor:
        """Return zero weights with intercepts that predict the class shares, outputs x width."""
        weights = self._rows.new_zeros(self._shape, dtype=torch.float64)
        if self._truth.ndim == 1:
            weights[:, -1] = torch.log(torch.bincount(self._truth, minlength=len(weights)) / len(self._truth))
        else:
            weights[:, -1] = torch.logit(self._truth.double().mean(dim=0))
        return weights

    def at_once(self, most: int) -> int:
        """Return how many penalties fit into memory together, at most ``most``."""
        numbers = self._shape[0] * self._shape[1]
        return max(1, min(most, _MEMORY // max(1, numbers * (2 * PAIRS + 8))))

    def fit(self, l2: Sequence[float], start: Tensor, stop: Stop, dtype: torch.dtype) -> Heads:
        """Minimise mean loss + l2/2 |W|^2 for each penalty, all from the same weights (outputs x width)."""
        ridge = torch.tensor(l2, dtype=torch.float64, device=start.device)[:, None].repeat(1, start.shape[1])
        ridge[:, -1] = 0  # the intercept
        unit = 1 / torch.sqrt(self._curvature(start) * self._variances + ridge)  # scales curvature to 1
        begun = (start / unit[:, None]).to(dtype)
        penalty, scale = (ridge * unit.square()).to(dtype)[:, None], unit.to(dtype)[:, None]

        def objective(points: Tensor, members: Tensor) -> tuple[Tensor, Tensor]:
            weights = points.view(-1, *start.shape)
            loss, slope = self(weights * scale[members])
            pull = penalty[members] * weights
            loss += (pull * weights).sum(dim=(1, 2), dtype=torch.float64) / 2
            return loss, slope.mul_(scale[members]).add_(pull).flatten(1)

        minima = minimise(objective, begun.flatten(1), stop)
        return Heads(minima.points.view(begun.shape).double() * unit[:, None], minima.arrived)

    def __call__(self, weights: Tensor) -> tuple[Tensor, Tensor]:
        """Return the mean loss of each member, and its gradient: members, members x outputs x width."""
        flat = weights.flatten(0, 1)
        loss = torch.zeros(len(weights), dtype=torch.float64, device=flat.device)
        slope = torch.zeros_like(flat)
        step = max(_FEWEST_ROWS, (_AT_ONCE_CUDA if flat.is_cuda else _AT_ONCE) // max(1, len(flat)))
        for begin in range(0, len(self._rows), step):
            rows = self._rows[begin : begin + step].to(flat.dtype)
            truth = self._truth[begin : begin + step]
            logits = (flat @ rows.T).view(*weights.shape[:2], len(rows))
            losses, errors = (_one_of if truth.ndim == 1 else _each_of)(logits, truth)
            loss += losses
            slope.addmm_(errors.flatten(0, 1), rows)
        return loss / len(self._rows), (slope / len(self._rows)).view_as(weights)

    def _curvature(self, weights: Tensor) -> float:
        rows = self._rows[:: max(1, len(self._rows) // _SEEN)].double()
        logits = rows @ weights.T
        probs = logits.softmax(dim=1) if self._truth.ndim == 1 else logits.sigmoid()
        return max(float((probs * (1 - probs)).mean()), _LEAST_CURVATURE)


def _one_of(logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Return the sums of cross-entropies, and their derivatives by logits: members x classes x examples.

    The probabilities of other classes are summed, not subtracted from 1, which keeps small values exact.
    """
    targets = truth.expand(len(logits), 1, -1)
    log_probs = logits.log_softmax(dim=1)
    true_losses = -log_probs.gather(1, targets)
    errors = log_probs.exp_().scatter_(1, targets, 0.0)
    others = errors.sum(dim=1, keepdim=True)
    losses = torch.where(others < 0.5, -torch.log1p(-others), true_losses).sum(
        dim=(1, 2), dtype=torch.float64
    )
    return losses, errors.scatter_(1, targets, -others)


def _each_of(logits: Tensor, truth: Tensor) -> tuple[Tensor, Tensor]:
    """Return the sums of binary cross-entropies, and their derivatives by logits."""
    wanted = truth.T.to(logits.dtype).expand_as(logits)
    losses = binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    return losses.sum(dim=(1, 2), dtype=torch.float64), logits.sigmoid() - wanted
