"""A model of a few weights, and tasks of small pictures that its features alone do not solve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from torch import nn

from assay.core.task import Example, Examples, LabelKind, Labels, Split
from assay.encoders.heads import read_output
from assay.encoders.identity import Origin
from assay.encoders.images import ImageEncoder
from assay.encoders.pixels import PixelRecipe
from assay.encoders.weights import seeded
from assay.metrics.accuracy import Accuracy
from assay.metrics.macro_f1 import MacroF1
from assay.metrics.r2 import R2
from assay.plugins.protocol import TrainingTask

METRICS = {LabelKind.CLASSIFICATION: Accuracy(), LabelKind.MULTILABEL: MacroF1(), LabelKind.REGRESSION: R2()}


@dataclass(frozen=True)
class Pictures(Examples):
    given: Sequence[Example]

    def __len__(self) -> int:
        return len(self.given)

    def read(self, row: int) -> Example:
        return self.given[row]

    def name(self, row: int) -> str:
        return f"picture {row}"


def small_net(width: int = 4) -> nn.Module:
    with seeded(0):
        return nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, width, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
        )  # fmt: skip


def opened(module: nn.Module, side: int = 8) -> ImageEncoder:
    return ImageEncoder(module, read_output(module), PixelRecipe(side, side), "cpu", Origin("drawn"))


def pictures(kind: LabelKind, count: int, seed: int, side: int = 8) -> Split:
    """Noise with bright lines: across, down, or both; or with a line as bright as the number says."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 90, (count, side, side, 3))
    across, down = rng.integers(0, 2, (2, count))
    light = rng.uniform(20, 165, count) if kind is LabelKind.REGRESSION else np.full(count, 120)
    for row in range(count):
        position = int(rng.integers(1, side - 1))
        if across[row] or kind is LabelKind.REGRESSION:
            noise[row, position] += int(light[row])
        if down[row] and kind is not LabelKind.REGRESSION:
            noise[row, :, position] += int(light[row])
    values = {
        LabelKind.CLASSIFICATION: across + 2 * down,
        LabelKind.MULTILABEL: np.column_stack([across, down]),
        LabelKind.REGRESSION: np.column_stack([light, 1000 - light]),
    }[kind]
    names = {
        LabelKind.CLASSIFICATION: ("none", "across", "down", "both"),
        LabelKind.MULTILABEL: ("across", "down"),
    }
    images = [image.clip(0, 255).astype(np.uint8) for image in noise]
    return Split(Pictures(images), Labels(kind, values, names.get(kind, ())))


def training_task(kind: LabelKind = LabelKind.CLASSIFICATION, count: int = 96) -> TrainingTask:
    return TrainingTask(pictures(kind, count, 0), pictures(kind, 48, 1), METRICS[kind])
