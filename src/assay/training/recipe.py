"""Training recipes: hyperparameters, their defaults, and the search space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Trained(StrEnum):
    """The weights that are trained in addition to the new head."""

    ALL = "all"
    HEAD = "head"  # none: only the head is trained, and the model stays in evaluation mode
    LORA = "lora"  # LoRA adapters of linear and convolutional layers


@dataclass(frozen=True, slots=True)
class Recipe:
    """Training hyperparameters.

    Attributes:
        trained: The weights to train.
        rank: The rank of LoRA adapters.
        optimiser: "adamw", or "sgd" with momentum 0.9.
        learning_rate: The peak learning rate of the head and the layers next to it.
        weight_decay: Decoupled for AdamW, added to the gradient for SGD; not for biases and norms.
        layer_decay: The factor of the learning rate per twelfth of the depth below the head.
        label_smoothing: The probability mass spread over all classes; for single-label classification.
        is_augmented: Whether to augment examples by the augmentation of their modality.
        keeps_statistics: Whether batch normalisation uses its pretrained statistics; otherwise it uses
            batch statistics and updates its running statistics.
        epochs: The maximum number of epochs.
        batch_size: Examples per step, split into micro-batches if memory is insufficient.
        warm_up: The fraction of steps with linear warm-up, followed by cosine decay to 0; None for a constant
            learning rate.
        patience: Epochs without improvement on val before training stops; None disables early stopping.
        clip: The maximum gradient norm; None for no limit.
    """

    trained: Trained = Trained.ALL
    rank: int = 8
    optimiser: str = "adamw"
    learning_rate: float = 1e-3
    weight_decay: float = 0.01
    layer_decay: float = 1.0
    label_smoothing: float = 0.0
    is_augmented: bool = False
    keeps_statistics: bool = False
    epochs: int = 10
    batch_size: int = 32
    warm_up: float | None = 0.1
    patience: int | None = 3
    clip: float | None = 1.0


DEFAULT = Recipe()
TUTORIAL = Recipe(  # from PyTorch's tutorial on transfer learning
    optimiser="sgd",
    learning_rate=0.001,
    weight_decay=0.0,
    batch_size=64,
    warm_up=None,
    patience=None,
    clip=None,
)


RANGES = {"learning_rate": (2e-5, 5e-3), "weight_decay": (1e-5, 1e-1)}  # tuned on a logarithmic scale
CHOICES: Mapping[str, tuple[Any, ...]] = {
    "layer_decay": (0.65, 0.75, 0.85, 1.0),
    "label_smoothing": (0.0, 0.1),
    "is_augmented": (False, True),
    "keeps_statistics": (True, False),
}
TUNABLE = (*RANGES, *CHOICES)  # fields of a recipe


def rate_factor(optimiser: str) -> float:
    """Return the factor that converts a learning rate for AdamW to another optimiser."""
    return 20.0 if optimiser == "sgd" else 1.0


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """The search over recipes, the same for every model.

    Attributes:
        recipe: The recipe of the first trial.
        tuned: The fields of the recipe that are tuned, in the order of ``TUNABLE``.
        trials: The number of recipes to try.
        from_probe: Whether to initialise the head from a linear probe; otherwise at random.
        refit: Whether to train again on train and val with the best recipe and number of epochs; otherwise
            the weights of the best epoch are used.
        seconds: The total time limit; None for no limit.
    """

    recipe: Recipe
    tuned: Sequence[str] = ()
    trials: int = 1
    from_probe: bool = True
    refit: bool = False
    seconds: float | None = None
