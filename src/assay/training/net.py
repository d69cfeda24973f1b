"""A model with its new head: how both see examples, and how their weights are taken and given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from assay.core.trainable import Trainable
from assay.training.examples import Prepared, in_order, shuffled
from assay.training.head import Head
from assay.training.recipe import Recipe, Trained

State = dict[str, torch.Tensor]

PIECE = 64  # examples that pass at once, at most; a batch of fewer passes whole


@dataclass
class Net:
    """A model whose weights are lent, and its new head.

    Attributes:
        piece: Examples that pass at once: halved where memory does not suffice.
        precision: What the forward pass of the model computes in; weights and losses stay in float32.
        notes: What a reader must know.
    """

    trainable: Trainable
    head: Head
    piece: int = PIECE
    precision: torch.dtype = torch.float32
    notes: list[str] = field(default_factory=list)

    def forward(self, prepared: Sequence[Any], rng: np.random.Generator | None) -> torch.Tensor:
        """Return what the head says of some examples: a row for each label."""
        return self.head(self.features(prepared, rng))  # type: ignore[no-any-return]  # as nn.Module says

    def features(self, prepared: Sequence[Any], rng: np.random.Generator | None) -> torch.Tensor:
        """Return float32 features of some examples, on the device."""
        inputs = self.trainable.inputs(prepared, rng)
        device = torch.device(self.trainable.device).type
        with torch.autocast(device, self.precision, enabled=self.precision is not torch.float32):
            features: torch.Tensor = self.trainable.features(inputs)
        return features.float()

    def all_features(self, examples: Prepared) -> torch.Tensor:
        """Return the features of a split in evaluation mode, on the CPU."""
        self.evaluating()
        found = [torch.empty(0, self.head.linear.in_features)]
        with torch.no_grad():
            for _, prepared in examples.batches(in_order(len(examples), self.piece)):
                found.append(self.features(prepared, None).cpu())
        return torch.cat(found)

    def all_outputs(self, examples: Prepared) -> torch.Tensor:
        """Return what the head says of a split in evaluation mode, on the CPU."""
        self.evaluating()
        found = [torch.empty(0, self.head.linear.out_features)]
        with torch.no_grad():
            for _, prepared in examples.batches(in_order(len(examples), self.piece)):
                found.append(self.forward(prepared, None).cpu())
        return torch.cat(found)

    def learning(self, recipe: Recipe) -> None:
        """Go into training mode, as far as the recipe lets a part of the model learn."""
        self.trainable.module.train(recipe.trained is not Trained.HEAD)
        self.head.train()
        if recipe.keeps_statistics:
            for module in self.normalisations():
                module.eval()

    def normalisations(self) -> list[nn.modules.batchnorm._BatchNorm]:
        """Return the layers that normalise by the means and variances of a batch."""
        kind = nn.modules.batchnorm._BatchNorm
        return [module for module in self.trainable.module.modules() if isinstance(module, kind)]

    def learn_statistics(self, examples: Prepared) -> None:
        """Let batch normalisation take its means and variances from these examples, all batches alike.

        References:
            Revisiting Batch Normalization For Practical Domain Adaptation (Li et al., 2016),
            https://arxiv.org/abs/1603.04779
        """
        layers = self.normalisations()
        momenta = [layer.momentum for layer in layers]
        self.evaluating()
        for layer in layers:
            layer.reset_running_stats()
            layer.momentum = None
            layer.train()
        with torch.no_grad():
            for _, prepared in examples.batches(shuffled(np.arange(len(examples)), self.piece)):
                self.features(prepared, None)
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum

    def evaluating(self) -> None:
        """Go into evaluation mode."""
        self.trainable.module.eval()
        self.head.eval()

    def state(self) -> State:
        """Return the weights of model and head, on the CPU."""
        parts = {"model": self.trainable.module, "head": self.head}
        return {
            f"{part}.{name}": tensor.detach().to("cpu", copy=True)
            for part, module in parts.items()
            for name, tensor in module.state_dict().items()
        }

    def load(self, state: Mapping[str, torch.Tensor]) -> None:
        """Set the weights of model and head to those of a state that may leave some out."""
        for part, module in (("model.", self.trainable.module), ("head.", self.head)):
            mine = {name.removeprefix(part): state[name] for name in state if name.startswith(part)}
            module.load_state_dict(mine, strict=False)
