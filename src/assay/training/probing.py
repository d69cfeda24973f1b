"""Starts the new head where a linear probe ends, so that training does not first spoil good features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn

from assay.training.head import Head
from assay.training.loop import Course

PENALTIES = (1e-1, 1e-2, 1e-3, 1e-4)  # strong to weak, of centred features whose mean square is 1
_STEPS = 60  # of the optimiser for one penalty: a start need not be an optimum


def start_head(course: Course, penalties: Sequence[float] = PENALTIES) -> float:
    """Set the head to a linear probe of the features as they are; return its penalty, chosen on val.

    One number scales all features: each divided by its own deviation, those that rarely differ from zero
    would get such weights that the first steps of training throw the outputs far off.

    References:
        Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution (Kumar et al., 2022),
        https://arxiv.org/abs/2202.10054
    """
    net = course.net
    features = net.all_features(course.train.examples)
    judged = net.all_features(course.val.examples)
    mean = features.mean(0)
    spread = (features - mean).double().square().mean().sqrt()  # of random weights it may be 1e-21
    scale = float(1 / spread.clamp(min=1e-30))
    targets = net.head.targets(course.train.labels)
    best, found, chosen = None, (-float("inf"), 0.0), penalties[0]
    layer = nn.utils.skip_init(nn.Linear, features.shape[1], net.head.linear.out_features)  # type: ignore[no-untyped-call]
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    for penalty in penalties:
        _fit(net.head, layer, (features - mean) * scale, Wanted(targets, penalty))
        with torch.no_grad():
            outputs = layer((judged - mean) * scale)
            value = _merit(course, outputs)
        if value > found:
            best, found, chosen = (layer.weight.detach() * scale, layer.bias.detach().clone()), value, penalty
    assert best is not None
    with torch.no_grad():
        net.head.linear.weight.copy_(best[0])
        net.head.linear.bias.copy_(best[1] - best[0] @ mean)
    return chosen


def _merit(course: Course, outputs: torch.Tensor) -> tuple[float, float]:
    """Return the metric on val, and what decides between equals: the loss."""
    if not len(outputs):
        return 0.0, 0.0
    head, labels = course.net.head, course.val.labels
    return head.predicted(outputs).judged(course.metric, labels), -float(
        head.loss(outputs, head.targets(labels), 0.0)
    )


class Wanted(NamedTuple):
    """What a linear layer shall say, and at which cost of its weights."""

    targets: torch.Tensor
    penalty: float


def _fit(head: Head, layer: nn.Linear, features: torch.Tensor, wanted: Wanted) -> None:
    optimiser = torch.optim.LBFGS(layer.parameters(), max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        optimiser.zero_grad()
        found = head.loss(layer(features), wanted.targets, 0.0)
        found = found + wanted.penalty / 2 * layer.weight.square().sum()
        found.backward()  # type: ignore[no-untyped-call]  # torch has no annotation there
        return found

    with torch.enable_grad():
        optimiser.step(loss)  # type: ignore[no-untyped-call]  # nor there
