"""How a model is trained: recipes, their defaults, what of them is tuned, and how much is tried."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Trained(StrEnum):
    """Which weights are trained, besides those of the new head."""

    ALL = "all"
    HEAD = "head"  # the head alone: the model stays in evaluation mode
    LORA = "lora"  # low-rank changes of its linear and convolutional layers


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to train: everything that decides the outcome besides the data, the weights and the seed.

    Attributes:
        trained: Which weights are trained.
        rank: Of low-rank changes, where those are trained.
        optimiser: "adamw", or "sgd" with momentum 0.9.
        learning_rate: The highest of the schedule, of the head and of the weights next to it.
        weight_decay: Decoupled from the gradient for AdamW, added to it for SGD; not of biases and norms.
        layer_decay: What the learning rate is multiplied with for each twelfth of the depth below the head.
        label_smoothing: The share of the probability that all classes share; for classes that exclude
            each other.
        is_augmented: Whether examples are changed at random, as fits their modality.
        keeps_statistics: Whether batch normalisation goes on with the means and variances that it has; else
            it takes those of each batch, and learns them.
        epochs: How often each example is seen, at most.
        batch_size: Examples in one step; they pass in smaller pieces where memory does not suffice.
        warm_up: The share of steps in which the learning rate grows from 0; it then shrinks by a cosine to 0.
            None for a learning rate that stays as it is.
        patience: Epochs without a better value on val after which training ends; None to go on to the end.
        clip: The longest gradient: a longer one is shortened to it. None for no limit.
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
TUTORIAL = Recipe(  # of PyTorch's own tutorial on transfer learning
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
    """Return what learning rates for AdamW are multiplied with for another optimiser."""
    return 20.0 if optimiser == "sgd" else 1.0


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """How a model is trained and how much is tried, the same for every model.

    Attributes:
        recipe: What the first trial does.
        tuned: The fields of the recipe that are tuned, in the order of ``TUNABLE``.
        trials: How many recipes are tried.
        from_probe: Whether the head starts where a linear probe ends; else as torch draws it.
        refit: Whether the best recipe then trains once more, on train and val, for as many epochs as were
            best; else the weights of the best epoch count.
        seconds: The time for everything; None for no limit.
    """

    recipe: Recipe
    tuned: Sequence[str] = ()
    trials: int = 1
    from_probe: bool = True
    refit: bool = False
    seconds: float | None = None
