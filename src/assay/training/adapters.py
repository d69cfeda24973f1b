"""Selects the trainable weights of a module: all weights, the head only, or LoRA adapters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, final

import numpy as np
import torch
from torch import nn

from assay.core.errors import NotApplicable
from assay.core.task import Example
from assay.core.trainable import Trainable
from assay.encoders.weights import seeded
from assay.training.recipe import Recipe, Trained


@contextmanager
def adapted(trainable: Trainable, recipe: Recipe, seed: int) -> Iterator[Trainable]:
    """Enable gradients for the recipe's weights only; adapters are removed afterwards.

    Args:
        trainable: The model.
        recipe: The recipe, which selects the weights to train.
        seed: The seed of the initial LoRA weights.
    """
    if trainable.module is None or not any(True for _ in trainable.module.parameters()):
        raise NotApplicable("the model has no weights that could be trained")
    if recipe.trained is Trained.ALL:
        yield trainable
        return
    trainable.module.requires_grad_(requires_grad=False)
    if recipe.trained is Trained.HEAD:
        yield trainable if recipe.is_augmented else Frozen(trainable)
        return
    with _low_rank(trainable.module, recipe.rank, seed):
        yield trainable


@final
class Frozen(Trainable):
    """A frozen model whose features are computed once and reused in every epoch."""

    def __init__(self, trainable: Trainable) -> None:
        self.module = nn.Identity()
        self.device = trainable.device
        self._inner = trainable

    def prepared(self, example: Example) -> np.ndarray:
        """Return the features of one example, or of its words."""
        self._inner.module.eval()
        with torch.no_grad():
            inputs = self._inner.inputs([self._inner.prepared(example)], None)
            return np.asarray(self._inner.features(inputs).float().cpu())

    def inputs(self, prepared: Sequence[np.ndarray], rng: np.random.Generator | None) -> torch.Tensor:
        """Return the features of all examples."""
        return torch.from_numpy(np.concatenate(prepared)).to(self.device)

    def features(self, inputs: Any) -> Any:
        """Return the features unchanged."""
        return inputs


@contextmanager
def _low_rank(module: nn.Module, rank: int, seed: int) -> Iterator[None]:
    """Add LoRA adapters to linear layers and ungrouped convolutions.

    References:
        LoRA: Low-Rank Adaptation of Large Language Models (Hu et al., 2021), https://arxiv.org/abs/2106.09685
    """
    from peft import LoraConfig
    from peft.tuners.lora import LoraModel

    targets = [name for name, part in module.named_modules() if name and _takes_low_rank(part)]
    if not targets:
        raise NotApplicable("the model has no linear or plain convolutional layer for low-rank changes")
    config = LoraConfig(r=rank, lora_alpha=2 * rank, target_modules=targets)
    with seeded(seed, str(next(module.parameters()).device)):
        adapters = LoraModel(module, {"default": config}, "default")
    try:
        yield
    finally:
        adapters.unload()


def _takes_low_rank(part: nn.Module) -> bool:
    if type(part) is nn.Linear or type(part).__name__ == "Conv1D":  # the linear layer of GPT-2
        return True
    return type(part) is nn.Conv2d and part.groups == 1
