"""A model with a new head: forward pass, loss, and reading and setting the weights."""

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

PIECE = 64  # maximum micro-batch size


@final
class NewHead(nn.Module):
    """A linear layer; regression targets are standardised by their mean and deviation on train.

    Args:
        width: The number of features per example.
        labels: The labels of train.
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
        """Return logits or standardised numbers, examples x outputs."""
        outputs: torch.Tensor = self.linear(features)
        return outputs

    def targets(self, labels: Labels) -> torch.Tensor:
        """Return the targets of the loss; -100 (ignored) for classes without examples in train."""
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
        """Convert outputs to predictions."""
        numbers = outputs.cpu().double() * self.deviation.cpu().double() + self.mean.cpu().double()
        return self.decision(numbers.numpy())


@dataclass
class Net:
    """A trainable model with a new head.

    Attributes:
        piece: The micro-batch size, halved if memory is insufficient.
        precision: The precision of the model's forward pass; weights and losses stay in float32.
        notes: Caveats for the reader.
    """

    trainable: Trainable
    head: NewHead
    piece: int = PIECE
    precision: torch.dtype = torch.float32
    notes: list[str] = field(default_factory=list)

    def forward(self, prepared: Sequence[Any], rng: np.random.Generator | None) -> torch.Tensor:
        """Return the outputs of the head for a batch, one row per label."""
        return self.head(self.features(prepared, rng))  # type: ignore[no-any-return]  # as nn.Module says

    def features(self, prepared: Sequence[Any], rng: np.random.Generator | None) -> torch.Tensor:
        """Return float32 features of a batch, on the device."""
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
        """Switch the trained parts of the model to training mode."""
        self.trainable.module.train(recipe.trained is not Trained.HEAD)
        self.head.train()
        if recipe.keeps_statistics:
            for module in self.normalisations():
                module.eval()

    def normalisations(self) -> list[nn.modules.batchnorm._BatchNorm]:
        """Return the batch normalisation layers."""
        kind = nn.modules.batchnorm._BatchNorm
        return [module for module in self.trainable.module.modules() if isinstance(module, kind)]

    def learn_statistics(self, examples: PreparedExamples) -> None:
        """Re-estimate the batch normalisation statistics on these examples, with equal batch weights.

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
        """Switch to evaluation mode."""
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
        """Load the weights of model and head from a state, which may be partial."""
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
