"""Fine-tuning: all weights of a model are trained for the task, from where pretraining left them."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from assay.core.errors import NotApplicable, UnknownName, UsageError
from assay.core.model import Model
from assay.core.task import LabelKind, Labels
from assay.plugins.method import EVERY_KIND
from assay.plugins.protocol import ModelProtocol, TrainingTask, TunedModel

if TYPE_CHECKING:
    from assay.training.fitting import Plan
    from assay.training.recipe import Recipe


@dataclass(frozen=True, slots=True)
class FineTune(ModelProtocol):
    """All weights, or some, and a new linear head, trained with the task's loss.

    The loss is cross-entropy, binary cross-entropy for several labels at once, or the squared error. Every
    model gets the same number of trials over the same space; the recipe, and the epoch, are the best on val.
    What is written here is not tuned. The head starts where a linear probe ends, and the weights before the
    first step are one of the epochs that val chooses from, so fine-tuning does not fall behind probing where
    there is little to learn from. Batch normalisation goes on with the means and variances of pretraining,
    or begins with those of train and goes on learning them, as is better on val; from scratch it learns.
    As other protocols do, it then learns from train and val.
    With a GPU the forward pass runs in bfloat16.

    References:
        How transferable are features in deep neural networks? (Yosinski et al., 2014),
        https://arxiv.org/abs/1411.1792
        Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution (Kumar et al., 2022),
        https://arxiv.org/abs/2202.10054
        Revisiting Batch Normalization For Practical Domain Adaptation (Li et al., 2016),
        https://arxiv.org/abs/1603.04779

    Attributes:
        head_only: Train the new head alone.
        lora: Train low-rank changes of this rank instead of the weights.
        from_scratch: Start from random weights: the floor that pretraining must beat.
        trials: How many recipes are tried. The first are the same for every model: a learning rate of 1e-3;
            1e-4 with a layer decay of 0.85; where there is batch normalisation, 1e-3 and new statistics.
        epochs: How often each example is seen, at most; half of them without a gain on val end training.
        batch_size: Examples in one step.
        optimiser: "adamw" or "sgd" (momentum 0.9).
        learning_rate: Tuned between 2e-5 and 5e-3, twenty times that for SGD, where it is None.
        weight_decay: Tuned between 1e-5 and 0.1.
        layer_decay: Tuned among 0.65, 0.75, 0.85 and 1: the factor for each twelfth of the depth.
        label_smoothing: Tuned: 0 or 0.1.
        augment: Tuned: whether pictures are cut and mirrored, and tokens hidden.
        keep_statistics: Tuned, where all weights are trained: whether batch normalisation keeps its means and
            variances.
        head: "probe" or "random": where the head starts.
        refit: Train once more on train and val, by the best recipe and for as many epochs as were best; False
            to take the weights of the best epoch on val as they are.
        seconds: The time for choosing; the best so far counts when it is over.
    """

    head_only: bool = False
    lora: int | None = None
    from_scratch: bool = False
    trials: int = 4
    epochs: int = 10
    batch_size: int = 32
    optimiser: str = "adamw"
    learning_rate: float | None = None
    weight_decay: float | None = None
    layer_decay: float | None = None
    label_smoothing: float | None = None
    augment: bool | None = None
    keep_statistics: bool | None = None
    head: str = "probe"
    refit: bool = True
    seconds: float | None = None

    kinds: ClassVar[frozenset[LabelKind]] = EVERY_KIND
    packages: ClassVar[tuple[str, ...]] = ("torch", "optuna", "peft")
    version: ClassVar[int] = 3

    def __post_init__(self) -> None:
        if self.head_only + (self.lora is not None) + self.from_scratch > 1:
            raise UsageError("fine_tune trains one thing. Write one of head_only, lora and from_scratch.")
        if self.from_scratch and self.keep_statistics:
            raise UsageError(
                "Random weights have no statistics to keep. Leave keep_statistics out, or from_scratch."
            )
        self._check_values()

    def _check_values(self) -> None:
        for name, least in (("lora", 1), ("trials", 1), ("epochs", 1), ("batch_size", 2)):
            value = getattr(self, name)
            if value is not None and value < least:
                raise UsageError(f"fine_tune({name}={value}) cannot train. Write {least} or more.")
        for name in ("learning_rate", "seconds"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise UsageError(f"fine_tune({name}={value:g}) cannot train. Write more than 0.")
        for what, written, known in (
            ("optimiser", self.optimiser, ("adamw", "sgd")), ("head", self.head, ("probe", "random"))
        ):  # fmt: skip
            if written not in known:
                raise UnknownName(f"{what} of fine_tune", written, known)

    @property
    def starts_random(self) -> bool:
        """Whether it is given the same architecture with random weights."""
        return self.from_scratch

    def settled(self, tuned: Mapping[str, float]) -> FineTune:
        """Return fine-tuning by the recipe that was best, without trying others."""
        from dataclasses import replace

        return replace(
            self,
            trials=1,
            learning_rate=tuned["learning_rate"],
            weight_decay=tuned["weight_decay"],
            layer_decay=tuned["layer_decay"],
            label_smoothing=tuned["label_smoothing"],
            augment=bool(tuned["is_augmented"]),
            keep_statistics=bool(tuned["keeps_statistics"]),
        )

    def fit(self, model: Model, task: TrainingTask, seed: int) -> AbstractContextManager[TunedModel]:
        """Train the model; when the context ends its weights are as they were before."""
        from assay.training.fitting import fitted

        if len(task.val) == 0:
            raise NotApplicable("there is no val to choose the recipe on: write sgd, or give the task a val")
        return fitted(model, task, self._plan(task.train.labels), seed)

    def restored(
        self, model: Model, tensors: Mapping[str, np.ndarray], labels: Labels
    ) -> AbstractContextManager[TunedModel]:
        """Return the trained model of which these are the tensors."""
        from assay.training.fitting import restored

        return restored(model, tensors, labels, self._start())

    def _start(self) -> Recipe:
        from dataclasses import replace

        from assay.training.recipe import Recipe, Trained
        from assay.training.search import SGD_FACTOR

        patience = max(3, -(-self.epochs // 2))
        recipe = Recipe(
            optimiser=self.optimiser, epochs=self.epochs, batch_size=self.batch_size, patience=patience,
            keeps_statistics=not self.from_scratch,
        )  # fmt: skip
        if self.head_only:
            recipe = replace(recipe, trained=Trained.HEAD)
        if self.lora is not None:
            recipe = replace(recipe, trained=Trained.LORA, rank=self.lora)
        if self.optimiser == "sgd":
            recipe = replace(recipe, learning_rate=recipe.learning_rate * SGD_FACTOR)
        written = {
            "learning_rate": self.learning_rate, "weight_decay": self.weight_decay,
            "layer_decay": self.layer_decay, "label_smoothing": self.label_smoothing,
            "is_augmented": self.augment, "keeps_statistics": self.keep_statistics,
        }  # fmt: skip
        given: dict[str, Any] = {name: value for name, value in written.items() if value is not None}
        return replace(recipe, **given)

    def _plan(self, labels: Labels) -> Plan:
        from assay.training.fitting import Plan
        from assay.training.search import SGD_FACTOR, SPACE, Between

        is_classes = labels.kind is LabelKind.CLASSIFICATION
        trains_all = not (self.head_only or self.lora or self.from_scratch)
        fixed = {
            "learning_rate": self.learning_rate is not None, "weight_decay": self.weight_decay is not None,
            "layer_decay": self.layer_decay is not None or self.head_only or self.from_scratch,
            "label_smoothing": self.label_smoothing is not None or not is_classes,
            "is_augmented": self.augment is not None or self.head_only,
            "keeps_statistics": self.keep_statistics is not None or not trains_all,
        }  # fmt: skip
        space = {name: range_ for name, range_ in SPACE.items() if not fixed[name]}
        rate = space.get("learning_rate")
        if self.optimiser == "sgd" and isinstance(rate, Between):
            space["learning_rate"] = Between(rate.low * SGD_FACTOR, rate.high * SGD_FACTOR)
        from_probe = self.head == "probe" and not self.from_scratch
        return Plan(self._start(), space, self.trials, from_probe, self.refit, self.seconds)
