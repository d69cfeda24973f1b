"""Starts the new head where a linear probe ends, so that training does not first spoil good features."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import nn

from assay.training.head import Head
from assay.training.loop import Course

PENALTIES = (1e-1, 1e-2, 1e-3, 1e-4)  # strong to weak, of standardised features
_STEPS = 60  # of the optimiser for one penalty: a start need not be an optimum


def start_head(course: Course, penalties: Sequence[float] = PENALTIES) -> float:
    """Set the head to a linear probe of the features as they are; return its penalty, chosen on val.

    References:
        Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution (Kumar et al., 2022),
        https://arxiv.org/abs/2202.10054
    """
    net = course.net
    features = net.all_features(course.train.examples)
    judged = net.all_features(course.val.examples)
    mean, deviation = features.mean(0), features.std(0)
    scale = torch.where(deviation > 0, 1 / deviation.clamp(min=1e-12), torch.zeros_like(deviation))
    targets = net.head.targets(course.train.labels)
    best, found, chosen = None, -float("inf"), penalties[0]
    layer = nn.Linear(features.shape[1], net.head.linear.out_features)
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    for penalty in penalties:
        _fit(net.head, layer, (features - mean) * scale, Wanted(targets, penalty))
        with torch.no_grad():
            outputs = layer((judged - mean) * scale)
        value = net.head.predicted(outputs).judged(course.metric, course.val.labels) if len(judged) else 0.0
        if value > found:
            best, found, chosen = (layer.weight.detach() * scale, layer.bias.detach().clone()), value, penalty
    assert best is not None
    with torch.no_grad():
        net.head.linear.weight.copy_(best[0])
        net.head.linear.bias.copy_(best[1] - best[0] @ mean)
    return chosen


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
