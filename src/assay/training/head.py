"""The new head of a model: a linear layer from features to outputs, and the loss of the kind of task."""

from __future__ import annotations

from typing import final

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from assay.core.predictor import Decision, Predicted
from assay.core.task import LabelKind, Labels


@final
class Head(nn.Module):
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
            place = np.full(self.decision.classes, -100)
            place[self.decision.present] = np.arange(len(self.decision.present))
            return torch.from_numpy(place[labels.values])
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
