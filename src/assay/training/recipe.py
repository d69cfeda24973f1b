"""How a model is trained: everything that decides the outcome besides the data, the weights and the seed."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Trained(StrEnum):
    """Which weights are trained, besides those of the new head."""

    ALL = "all"
    HEAD = "head"  # the head alone: the model stays in evaluation mode
    LORA = "lora"  # low-rank changes of its linear and convolutional layers


@dataclass(frozen=True, slots=True)
class Recipe:
    """One way to train.

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
        warm_up: The share of steps in which the learning rate rises from 0; it then falls by a cosine to 0.
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
