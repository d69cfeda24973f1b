"""Initial weights of training: pretrained weights, batch statistics, and a head from a linear probe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import nn

from assay.encoders.weights import State
from assay.training.loop import TrainingRun
from assay.training.net import NewHead
from assay.training.recipe import Recipe

PENALTIES = (1e-1, 1e-2, 1e-3, 1e-4)  # strong to weak, for centred features with mean square 1
_STEPS = 60  # optimiser steps per penalty; the initial head need not be optimal


@final
class StartingWeights:
    """The initial weights of recipes, shared by recipes with the same initialisation.

    A recipe that does not keep the batch normalisation statistics starts with those of train, so that the
    head is fitted to the features used in training.

    Args:
        run: The training run; its net holds pretrained weights and a randomly initialised head.
        from_probe: Whether to initialise the head from a linear probe; otherwise no weights change.
    """

    def __init__(self, run: TrainingRun, *, from_probe: bool) -> None:
        self._run, self._from_probe = run, from_probe
        self._first = run.net.state()
        self._ready: dict[bool, State] = {}
        self._penalties: dict[bool, float] = {}

    def load(self, recipe: Recipe) -> None:
        """Load the initial weights of a recipe into the net."""
        keeps = recipe.keeps_statistics
        if self._from_probe and keeps not in self._ready:
            self._run.net.load(self._first)
            self._penalties[keeps] = _prepare(self._run, recipe, PENALTIES)
            self._ready[keeps] = self._run.net.state()
        self._run.net.load(self._ready.get(keeps, self._first))

    def load_for(self, run: TrainingRun, recipe: Recipe) -> None:
        """Load initial weights for a run on more examples, reusing the penalty chosen on val."""
        run.net.load(self._first)
        if self._from_probe:
            _prepare(run, recipe, (self._penalties[recipe.keeps_statistics],))


def start_head(run: TrainingRun, penalties: Sequence[float] = PENALTIES) -> float:
    """Initialise the head from a linear probe of the pretrained features; return its penalty, chosen on val.

    This avoids distorting good features at the start of training. All features are scaled by one number:
    standardising each feature would give rarely active features such large weights that the first training
    steps change the outputs drastically.

    References:
        Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution (Kumar et al., 2022),
        https://arxiv.org/abs/2202.10054
    """
    net = run.net
    train, val = (net.all_features(split.examples) for split in (run.train, run.val))
    mean = train.mean(0)
    spread = (train - mean).double().square().mean().sqrt()  # may be as small as 1e-21 for random weights
    scale = float(1 / spread.clamp(min=1e-30))
    targets = net.head.targets(run.train.labels)
    best, best_merit, chosen = None, (-float("inf"), 0.0), penalties[0]
    layer = nn.utils.skip_init(nn.Linear, train.shape[1], net.head.linear.out_features)  # type: ignore[no-untyped-call]
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    for penalty in penalties:
        _fit(net.head, layer, (train - mean) * scale, targets, penalty)
        with torch.no_grad():
            merit = _merit(run, layer((val - mean) * scale))
        if merit > best_merit:
            best, best_merit = (layer.weight.detach() * scale, layer.bias.detach().clone()), merit
            chosen = penalty
    assert best is not None
    with torch.no_grad():
        net.head.linear.weight.copy_(best[0])
        net.head.linear.bias.copy_(best[1] - best[0] @ mean)
    return chosen


def _prepare(run: TrainingRun, recipe: Recipe, penalties: Sequence[float]) -> float:
    if not recipe.keeps_statistics:
        run.net.learn_statistics(run.train.examples)
    return start_head(run, penalties)


def _merit(run: TrainingRun, outputs: torch.Tensor) -> tuple[float, float]:
    """Return the metric on val and the tie-breaking negative loss."""
    if not len(outputs):
        return 0.0, 0.0
    head, labels = run.net.head, run.val.labels
    loss = float(head.loss(outputs, head.targets(labels), 0.0))
    return head.predicted(outputs).judged(run.metric, labels), -loss


def _fit(
    head: NewHead, layer: nn.Linear, features: torch.Tensor, targets: torch.Tensor, penalty: float
) -> None:
    optimiser = torch.optim.LBFGS(layer.parameters(), max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        value = head.loss(layer(features), targets, 0.0) + penalty / 2 * layer.weight.square().sum()
        value.backward()  # type: ignore[no-untyped-call]  # torch has no annotation there
        return value

    with torch.enable_grad():
        optimiser.step(loss)  # type: ignore[no-untyped-call]  # nor there
