"""Fine-tuning: trains all weights of a pretrained model on the task."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from assay.core.errors import NotApplicable, UnknownName, UsageError
from assay.core.model import Model
from assay.core.task import LabelKind, Labels
from assay.plugins.method import EVERY_KIND
from assay.plugins.protocol import ModelProtocol, TrainingTask, TunedModel
from assay.training.recipe import DEFAULT, TUNABLE, Recipe, Trained, TrainingPlan, rate_factor

_TUNED = {  # settings that are tuned if None, and the fields of the recipe
    "learning_rate": "learning_rate", "weight_decay": "weight_decay", "layer_decay": "layer_decay",
    "label_smoothing": "label_smoothing", "augment": "is_augmented", "keep_statistics": "keeps_statistics",
}  # fmt: skip
_FLAGS = ("is_augmented", "keeps_statistics")


@dataclass(frozen=True, slots=True)
class FineTune(ModelProtocol):
    """Fine-tuning: trains all weights, or some, and a new linear head with the task's loss.

    The loss is cross-entropy, binary cross-entropy for several labels at once, or the squared error. Every
    model gets the same number of trials over the same space; val selects the recipe and the epoch. Settings
    that are given are not tuned. The head is initialised by a linear probe, and val may also select the
    weights before the first step, so fine-tuning is not worse than probing on small data. Batch
    normalisation keeps the statistics of pretraining, or starts from those of train and updates them,
    whichever is better on val; from scratch it updates them. The value on val is that of the best epoch.
    As in other protocols, the final model is then trained on train and val.
    With a GPU the forward pass runs in bfloat16.

    References:
        How transferable are features in deep neural networks? (Yosinski et al., 2014),
        https://arxiv.org/abs/1411.1792
        Fine-Tuning can Distort Pretrained Features and Underperform Out-of-Distribution (Kumar et al., 2022),
        https://arxiv.org/abs/2202.10054
        Revisiting Batch Normalization For Practical Domain Adaptation (Li et al., 2016),
        https://arxiv.org/abs/1603.04779

    Attributes:
        head_only: Train only the new head.
        lora: Train low-rank changes of this rank instead of the weights.
        from_scratch: Start from random weights, as a control for pretraining.
        trials: Number of recipes that are tried. The first are the same for every model: a learning rate of
            1e-3; 1e-4 with a layer decay of 0.85; with batch normalisation also 1e-3 and new statistics.
        epochs: Most epochs; training stops after half of them without a gain on val.
        batch_size: Examples in one step.
        optimiser: "adamw" or "sgd" (momentum 0.9).
        learning_rate: Tuned between 2e-5 and 5e-3 if None (twenty times that for SGD).
        weight_decay: Tuned between 1e-5 and 0.1.
        layer_decay: Tuned among 0.65, 0.75, 0.85 and 1: the factor for each twelfth of the depth.
        label_smoothing: Tuned: 0 or 0.1.
        augment: Tuned: whether images are cropped and mirrored, and tokens masked.
        keep_statistics: Tuned if all weights are trained: whether batch normalisation keeps its means and
            variances.
        head: "probe" or "random": initialisation of the head.
        refit: Train again on train and val with the best recipe and number of epochs; False keeps the weights
            of the best epoch on val.
        seconds: Time limit for tuning; the best recipe so far is used when it is reached.

    >>> FineTune(trials=8).repeats(seeds=5)  # training is random: a result for each seed
    5
    >>> FineTune(from_scratch=True).starts_random
    True
    """

    head_only: bool = False
    lora: int | None = None
    from_scratch: bool = False
    trials: int = 4
    epochs: int = DEFAULT.epochs
    batch_size: int = DEFAULT.batch_size
    optimiser: str = DEFAULT.optimiser
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
        """Whether the protocol receives the architecture with random weights."""
        return self.from_scratch

    def with_tuned(self, tuned: Mapping[str, float]) -> FineTune:
        """Return fine-tuning with the best recipe, without further tuning."""
        best: dict[str, Any] = {
            setting: bool(tuned[name]) if name in _FLAGS else tuned[name] for setting, name in _TUNED.items()
        }
        return replace(self, trials=1, **best)

    def fit(self, model: Model, task: TrainingTask, seed: int) -> AbstractContextManager[TunedModel]:
        """Train the model; its weights are restored when the context ends."""
        from assay.training.fitting import fitted

        if len(task.val) == 0:
            raise NotApplicable("there is no val to choose the recipe on: write sgd, or give the task a val")
        return fitted(model, task, self._plan(task.train.labels.kind), seed)

    def restored(
        self, model: Model, tensors: Mapping[str, np.ndarray], labels: Labels
    ) -> AbstractContextManager[TunedModel]:
        """Return the trained model with these tensors."""
        from assay.training.fitting import restored

        return restored(model, tensors, labels, self._recipe())

    def _written(self) -> dict[str, Any]:
        """Return the fields of the recipe that are given, not tuned."""
        values = {name: getattr(self, setting) for setting, name in _TUNED.items()}
        return {name: value for name, value in values.items() if value is not None}

    def _recipe(self) -> Recipe:
        lora = Trained.ALL if self.lora is None else Trained.LORA
        recipe = replace(
            DEFAULT,
            trained=Trained.HEAD if self.head_only else lora,
            rank=DEFAULT.rank if self.lora is None else self.lora,
            optimiser=self.optimiser,
            learning_rate=DEFAULT.learning_rate * rate_factor(self.optimiser),
            epochs=self.epochs,
            batch_size=self.batch_size,
            patience=max(3, -(-self.epochs // 2)),
            keeps_statistics=not self.from_scratch,
        )
        return replace(recipe, **self._written())

    def _plan(self, kind: LabelKind) -> TrainingPlan:
        fixed = {
            *self._written(),
            *(("layer_decay",) if self.head_only or self.from_scratch else ()),
            *(("label_smoothing",) if kind is not LabelKind.CLASSIFICATION else ()),
            *(("is_augmented",) if self.head_only else ()),
            *(("keeps_statistics",) if self.head_only or self.lora or self.from_scratch else ()),
        }
        tuned = [name for name in TUNABLE if name not in fixed]
        from_probe = self.head == "probe" and not self.from_scratch
        return TrainingPlan(self._recipe(), tuned, self.trials, from_probe, self.refit, self.seconds)
