"""Where a recipe starts: the weights of pretraining, its statistics, and the head of a linear probe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import nn

from assay.encoders.weights import State
from assay.training.loop import TrainingRun
from assay.training.net import NewHead
from assay.training.recipe import Recipe

PENALTIES = (1e-1, 1e-2, 1e-3, 1e-4)  # strong to weak, of centred features whose mean square is 1
_STEPS = 60  # of the optimiser for one penalty: a start need not be an optimum


@final
class StartingWeights:
    """The weights from which recipes start: those that start alike share them.

    A recipe that does not keep the statistics of batch normalisation starts with those of train, so that the
    head is fitted to the features that training sees.

    Args:
        run: Its net holds the weights of pretraining, and a head as torch drew it.
        from_probe: Whether the head starts where a linear probe ends; else all weights stay as they are.
    """

    def __init__(self, run: TrainingRun, *, from_probe: bool) -> None:
        self._run, self._from_probe = run, from_probe
        self._first = run.net.state()
        self._ready: dict[bool, State] = {}
        self._penalties: dict[bool, float] = {}

    def load(self, recipe: Recipe) -> None:
        """Set the net to the weights from which the recipe starts."""
        keeps = recipe.keeps_statistics
        if self._from_probe and keeps not in self._ready:
            self._run.net.load(self._first)
            self._penalties[keeps] = _prepare(self._run, recipe, PENALTIES)
            self._ready[keeps] = self._run.net.state()
        self._run.net.load(self._ready.get(keeps, self._first))

    def load_for(self, run: TrainingRun, recipe: Recipe) -> None:
        """Do the same for a run on more examples, with the penalty of the head that val chose before."""
        run.net.load(self._first)
        if self._from_probe:
            _prepare(run, recipe, (self._penalties[recipe.keeps_statistics],))


def start_head(run: TrainingRun, penalties: Sequence[float] = PENALTIES) -> float:
    """Set the head to a linear probe of the features as they are; return its penalty, chosen on val.

    Training then does not first spoil good features. One number scales all features: each divided by its own
    deviation, those that rarely differ from zero would get such weights that the first steps of training
    throw the outputs far off.

    References:
        Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution (Kumar et al., 2022),
        https://arxiv.org/abs/2202.10054
    """
    net = run.net
    train, val = (net.all_features(split.examples) for split in (run.train, run.val))
    mean = train.mean(0)
    spread = (train - mean).double().square().mean().sqrt()  # of random weights it may be 1e-21
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
    """Return the metric on val, and what decides between equals: the loss."""
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
