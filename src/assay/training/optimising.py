"""Optimisers and their schedules: weight decay for weights alone, smaller steps far from the head."""

from __future__ import annotations

import math

import torch
from torch import nn

from assay.training.recipe import Recipe

_STAGES = 12  # of the depth of any model: layer decay means for all what it means for a ViT-B
MOMENTUM = 0.9


def optimiser_of(module: nn.Module, head: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return the optimiser of the weights that require gradients.

    The depth of a weight is its place among the layers with weights, in the order in which the module lists
    them, which is that from input to output in nearly all.

    References:
        BEiT (Bao et al., 2021), https://arxiv.org/abs/2106.08254, for layer decay.
        Decoupled Weight Decay Regularization (Loshchilov and Hutter, 2017), https://arxiv.org/abs/1711.05101
    """
    layers = _layers_of(module)
    groups = []
    for place, layer in enumerate([*layers, *_layers_of(head)]):
        below = max(0.0, 1 - place / max(len(layers), 1))  # 1 at the input, 0 at the head
        rate = recipe.learning_rate * recipe.layer_decay ** (_STAGES * below)
        for weight in layer.parameters(recurse=False):
            if weight.requires_grad:
                decay = recipe.weight_decay if weight.ndim > 1 else 0.0
                groups.append({"params": [weight], "lr": rate, "weight_decay": decay})
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=recipe.learning_rate, momentum=MOMENTUM)
    return torch.optim.AdamW(groups, lr=recipe.learning_rate)


def schedule_of(
    optimiser: torch.optim.Optimizer, recipe: Recipe, steps: int
) -> torch.optim.lr_scheduler.LambdaLR:
    """Return a linear warm-up and then a cosine to 0, over so many steps; or a rate that stays as it is."""
    warm_up = 0.0 if recipe.warm_up is None else recipe.warm_up * steps

    def factor(step: int) -> float:
        if recipe.warm_up is None:
            return 1.0
        if step < warm_up:
            return (step + 1) / (warm_up + 1)
        return (1 + math.cos(math.pi * (step - warm_up) / max(steps - warm_up, 1))) / 2

    return torch.optim.lr_scheduler.LambdaLR(optimiser, factor)


def _layers_of(module: nn.Module) -> list[nn.Module]:
    return [layer for layer in module.modules() if any(True for _ in layer.parameters(recurse=False))]
