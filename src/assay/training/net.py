"""A model with its new head: how both see examples, their losses, and how their weights are read and set."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from assay.core.predictor import Decision, Predicted
from assay.core.task import LabelKind, Labels
from assay.core.trainable import Trainable
from assay.encoders.weights import State
from assay.training.examples import PreparedExamples, in_order, shuffled
from assay.training.recipe import Recipe, Trained

PIECE = 64  # examples that pass at once, at most; a batch of fewer passes whole


@final
class NewHead(nn.Module):
    """A linear layer; numbers are learned and predicted in units of their deviation on train.

    Args:
        width: Features of one example.
        labels: Of train.
    """

    mean: torch.Tensor  # outputs
    deviation: torch.Tensor  # outputs

    def __init__(self, width: int, labels: Labels) -> None:
        super().__init__()
        self.decision = Decision.of(labels, are_logits=True)
        targets = labels.targets()
        is_numbers = labels.kind is LabelKind.REGRESSION
        columns = (
            targets.shape[1] if labels.kind is not LabelKind.CLASSIFICATION else len(self.decision.present)
        )
        mean = targets.mean(axis=0) if is_numbers else np.zeros(columns)
        deviation = targets.std(axis=0) if is_numbers else np.ones(columns)
        self.linear = nn.Linear(width, columns)
        self.register_buffer("mean", torch.from_numpy(mean).float())
        self.register_buffer("deviation", torch.from_numpy(np.where(deviation > 0, deviation, 1.0)).float())

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        """Return logits, or numbers in units of their deviation: examples x outputs."""
        outputs: torch.Tensor = self.linear(features)
        return outputs

    def targets(self, labels: Labels) -> torch.Tensor:
        """Return what the loss compares outputs with; -100 for classes that train has no example of."""
        if labels.kind is LabelKind.CLASSIFICATION:
            positions = np.full(self.decision.classes, -100)
            positions[self.decision.present] = np.arange(len(self.decision.present))
            return torch.from_numpy(positions[labels.values])
        values = torch.from_numpy(labels.targets()).float()
        return (
            (values - self.mean.cpu()) / self.deviation.cpu()
            if labels.kind is LabelKind.REGRESSION
            else values
        )

    def loss(self, outputs: torch.Tensor, targets: torch.Tensor, label_smoothing: float) -> torch.Tensor:
        """Return the mean loss: cross-entropy, binary cross-entropy, or half the squared error."""
        if self.decision.kind is LabelKind.CLASSIFICATION:
            return functional.cross_entropy(outputs, targets, label_smoothing=label_smoothing)
        if self.decision.kind is LabelKind.MULTILABEL:
            return functional.binary_cross_entropy_with_logits(outputs, targets)
        return functional.mse_loss(outputs, targets) / 2

    def predicted(self, outputs: torch.Tensor) -> Predicted:
        """Return predictions for outputs."""
        numbers = outputs.cpu().double() * self.deviation.cpu().double() + self.mean.cpu().double()
        return self.decision(numbers.numpy())


@dataclass
class Net:
    """A model whose weights are trained, and its new head.

    Attributes:
        piece: Examples that pass at once: halved where memory does not suffice.
        precision: What the forward pass of the model computes in; weights and losses stay in float32.
        notes: What a reader must know.
    """

    trainable: Trainable
    head: NewHead
    piece: int = PIECE
    precision: torch.dtype = torch.float32
    notes: list[str] = field(default_factory=list)

    def forward(self, prepared: Sequence[Any], rng: np.random.Generator | None) -> torch.Tensor:
        """Return the outputs of the head for some examples: a row for each label."""
        return self.head(self.features(prepared, rng))  # type: ignore[no-any-return]  # as nn.Module says

    def features(self, prepared: Sequence[Any], rng: np.random.Generator | None) -> torch.Tensor:
        """Return float32 features of some examples, on the device."""
        inputs = self.trainable.inputs(prepared, rng)
        device = torch.device(self.trainable.device).type
        with torch.autocast(device, self.precision, enabled=self.precision is not torch.float32):
            features: torch.Tensor = self.trainable.features(inputs)
        return features.float()

    def all_features(self, examples: PreparedExamples) -> torch.Tensor:
        """Return the features of a split in evaluation mode, on the CPU."""
        return self._batched(self.features, examples, self.head.linear.in_features)

    def all_outputs(self, examples: PreparedExamples) -> torch.Tensor:
        """Return the outputs of the head for a split in evaluation mode, on the CPU."""
        return self._batched(self.forward, examples, self.head.linear.out_features)

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

    def learn_statistics(self, examples: PreparedExamples) -> None:
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

    def _batched(
        self, call: Callable[[Sequence[Any], None], torch.Tensor], examples: PreparedExamples, width: int
    ) -> torch.Tensor:
        self.evaluating()
        outputs = [torch.empty(0, width)]
        with torch.no_grad():
            for _, prepared in examples.batches(in_order(len(examples), self.piece)):
                outputs.append(call(prepared, None).cpu())
        return torch.cat(outputs)
