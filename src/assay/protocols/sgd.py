"""Plain SGD over all weights for a few epochs, without tuning, as in tutorials."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from assay.core.errors import UsageError
from assay.core.model import Model
from assay.core.task import LabelKind, Labels
from assay.plugins.method import EVERY_KIND
from assay.plugins.protocol import ModelProtocol, TrainingTask, TunedModel
from assay.training.recipe import TUTORIAL, Recipe, TrainingPlan


@dataclass(frozen=True, slots=True)
class SGD(ModelProtocol):
    """Fine-tuning by SGD: all weights and a new linear head, with momentum 0.9.

    The learning rate is constant, there is no augmentation, and the last epoch is used. Nothing is tuned, so
    it trains on train and val, and no metric on val is recorded. With default settings and a torchvision
    model it does what PyTorch's transfer-learning tutorial does with a folder of images.

    References:
        Transfer Learning for Computer Vision Tutorial (Chilamkurthy, 2017),
        https://docs.pytorch.org/tutorials/beginner/transfer_learning_tutorial.html

    Attributes:
        learning_rate: Learning rate of all weights.
        epochs: Number of epochs.
        batch_size: Examples in one step.
        weight_decay: Added to the gradient of weight matrices.

    >>> SGD(epochs=3).repeats(seeds=5)  # training is random: a result for each seed
    5
    """

    learning_rate: float = TUTORIAL.learning_rate
    epochs: int = TUTORIAL.epochs
    batch_size: int = TUTORIAL.batch_size
    weight_decay: float = TUTORIAL.weight_decay

    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND
    packages: ClassVar[tuple[str, ...]] = ("torch",)

    def __post_init__(self) -> None:
        if self.epochs < 1 or self.batch_size < 2 or not self.learning_rate > 0:
            raise UsageError(
                f"sgd(learning_rate={self.learning_rate:g}, epochs={self.epochs}, "
                f"batch_size={self.batch_size}) cannot train. Write more than 0, 1 or more, and 2 or more."
            )

    @property
    def starts_random(self) -> bool:
        """Whether the protocol receives random weights: False."""
        return False

    def fit(self, model: Model, task: TrainingTask, seed: int) -> AbstractContextManager[TunedModel]:
        """Train the model on train and val; its weights are restored when the context ends."""
        from assay.training.fitting import fitted

        everything = TrainingTask(task.train.followed_by(task.val), task.val.take([]), task.metric)
        return fitted(model, everything, TrainingPlan(self._recipe(), from_probe=False), seed)

    def restored(
        self, model: Model, tensors: Mapping[str, np.ndarray], labels: Labels
    ) -> AbstractContextManager[TunedModel]:
        """Return the trained model with these tensors."""
        from assay.training.fitting import restored

        return restored(model, tensors, labels, self._recipe())

    def _recipe(self) -> Recipe:
        return replace(
            TUTORIAL,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            epochs=self.epochs,
            batch_size=self.batch_size,
        )
