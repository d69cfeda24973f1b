"""The training loop: optimiser, schedule, validation after each epoch, and the best epoch."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from torch import nn

from assay.core.metric import Metric
from assay.core.task import Labels
from assay.encoders.batches import is_out_of_memory
from assay.encoders.weights import State, seeded
from assay.training.examples import PreparedExamples, shuffled
from assay.training.net import Net
from assay.training.recipe import Recipe

_STAGES = 12  # depth in units of a ViT-B's layers, so that layer decay is comparable across models
_MOMENTUM = 0.9


class Diverged(Exception):
    """The loss is not finite."""


class OutOfTime(Exception):
    """The time limit was reached before the first epoch ended."""


class PreparedSplit(NamedTuple):
    """Examples with their labels."""

    examples: PreparedExamples
    labels: Labels


@dataclass(frozen=True, slots=True)
class TrainingRun:
    """The inputs of a training run: model, data, metric and deadline.

    Attributes:
        net: The model and head, trained in place.
        deadline: The time at which training must stop, by ``time.monotonic``.
    """

    net: Net
    train: PreparedSplit
    val: PreparedSplit
    metric: Metric
    deadline: float = float("inf")


class BestEpoch(NamedTuple):
    """The best epoch of a run.

    Attributes:
        value: The metric on val; 0 without val.
        loss: The loss on val.
        number: The epoch number; 0 for the weights before training.
        state: The weights of module and head, on the CPU.
    """

    value: float
    loss: float
    number: int
    state: State

    @property
    def merit(self) -> tuple[float, float]:
        """The sort key of epochs: the value, then the negative loss."""
        return self.value, -self.loss


EpochReport = Callable[[int, float], None]  # epoch and value on val; it may raise to end the run


def train(
    run: TrainingRun, recipe: Recipe, seed: int, report: EpochReport, last: int | None = None
) -> BestEpoch:
    """Train and return the best epoch on val (ties: the smaller loss), or the last epoch without val.

    Args:
        run: The training run; its net holds the initial weights.
        recipe: The recipe to train by.
        seed: The seed of the example order, dropout and augmentation.
        report: Called with the value after each epoch.
        last: The epoch after which to stop, without changing the schedule; None for all epochs.

    Raises:
        Diverged: A loss is not finite.
        OutOfTime: The deadline passed before the first epoch ended.
    """
    with seeded(seed, run.net.trainable.device):  # independent of earlier runs
        return _best_epoch(run, recipe, seed, report, recipe.epochs if last is None else last)


def optimiser_of(module: nn.Module, head: nn.Module, recipe: Recipe) -> torch.optim.Optimizer:
    """Return the optimiser for the weights that require gradients.

    The depth of a weight is its position among the layers with weights in the module's order, which is
    the order from input to output in nearly all models.

    References:
        BEiT (Bao et al., 2021), https://arxiv.org/abs/2106.08254, for layer decay.
        Decoupled Weight Decay Regularization (Loshchilov and Hutter, 2017), https://arxiv.org/abs/1711.05101
    """
    layers = _layers_of(module)
    groups = []
    for position, layer in enumerate([*layers, *_layers_of(head)]):
        below = max(0.0, 1 - position / max(len(layers), 1))  # 1 at the input, 0 at the head
        rate = recipe.learning_rate * recipe.layer_decay ** (_STAGES * below)
        for weight in layer.parameters(recurse=False):
            if weight.requires_grad:
                decay = recipe.weight_decay if weight.ndim > 1 else 0.0
                groups.append({"params": [weight], "lr": rate, "weight_decay": decay})
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(groups, lr=recipe.learning_rate, momentum=_MOMENTUM)
    return torch.optim.AdamW(groups, lr=recipe.learning_rate)


def schedule_of(
    optimiser: torch.optim.Optimizer, recipe: Recipe, steps: int
) -> torch.optim.lr_scheduler.LambdaLR:
    """Return a schedule with linear warm-up and cosine decay to 0, or a constant learning rate."""
    warm_up = 0.0 if recipe.warm_up is None else recipe.warm_up * steps

    def factor(step: int) -> float:
        if recipe.warm_up is None:
            return 1.0
        if step < warm_up:
            return (step + 1) / (warm_up + 1)
        return (1 + math.cos(math.pi * (step - warm_up) / max(steps - warm_up, 1))) / 2

    return torch.optim.lr_scheduler.LambdaLR(optimiser, factor)


def _best_epoch(run: TrainingRun, recipe: Recipe, seed: int, report: EpochReport, last: int) -> BestEpoch:
    order = torch.Generator().manual_seed(seed)
    steps = len(shuffled(np.arange(len(run.train.examples)), recipe.batch_size))
    optimiser = optimiser_of(run.net.trainable.module, run.net.head, recipe)
    schedule = schedule_of(optimiser, recipe, steps * recipe.epochs)
    best = _better_epoch(run, 0, None)
    report(0, best.value)
    for epoch in range(1, last + 1):
        rows = torch.randperm(len(run.train.examples), generator=order).numpy()
        rng = np.random.default_rng([seed, epoch]) if recipe.is_augmented else None
        finished = _epoch(run, recipe, shuffled(rows, recipe.batch_size), optimiser, schedule, rng)
        if not finished:
            if epoch == 1:
                raise OutOfTime
            run.net.notes.append(f"the time was over in epoch {epoch}: the best one before it counts")
            break
        best = _better_epoch(run, epoch, best)
        report(epoch, best.value)
        if recipe.patience is not None and epoch - best.number >= recipe.patience:
            break
    return best


def _better_epoch(run: TrainingRun, epoch: int, best: BestEpoch | None) -> BestEpoch:
    """Return this epoch if it is better on val than the best so far, or if there is no val."""
    labels = run.val.labels
    if not len(run.val.examples):
        return BestEpoch(0.0, 0.0, epoch, run.net.state())
    outputs = run.net.all_outputs(run.val.examples)
    targets = run.net.head.targets(labels)
    with torch.no_grad():
        loss = float(run.net.head.loss(outputs, targets, 0.0))  # NaN if val has none of train's classes
    if not torch.isfinite(outputs).all():
        raise Diverged
    value = run.net.head.predicted(outputs).judged(run.metric, labels)
    if best is not None and (value, -loss) <= best.merit:
        return best
    return BestEpoch(value, loss, epoch, run.net.state())


def _epoch(
    run: TrainingRun,
    recipe: Recipe,
    batches: list[np.ndarray],
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LambdaLR,
    rng: np.random.Generator | None,
) -> bool:
    """Take one step per batch; return False if the deadline passes first."""
    run.net.learning(recipe)
    for rows, prepared in run.train.examples.batches(batches):
        if time.monotonic() > run.deadline:
            return False
        optimiser.zero_grad(set_to_none=True)
        _backward(run, recipe, rows, prepared, rng)
        weights = [weight for group in optimiser.param_groups for weight in group["params"]]
        if recipe.clip is not None:
            nn.utils.clip_grad_norm_(weights, recipe.clip)
        optimiser.step()
        schedule.step()
    return True


def _backward(
    run: TrainingRun,
    recipe: Recipe,
    rows: np.ndarray,
    prepared: list[object],
    rng: np.random.Generator | None,
) -> None:
    """Accumulate the gradients of one batch in micro-batches, halved while memory is insufficient."""
    targets = run.net.head.targets(run.train.labels.of(rows))
    start, first = 0, 0  # example, and label
    lengths = run.train.labels.lengths
    counts = np.ones(len(rows), dtype=np.int64) if lengths is None else lengths[rows]
    while start < len(rows):
        piece = prepared[start : start + run.net.piece]
        labels = int(counts[start : start + len(piece)].sum())
        try:
            outputs = run.net.forward(piece, rng)
            expected = targets[first : first + labels].to(outputs.device)
            loss = run.net.head.loss(outputs, expected, recipe.label_smoothing) * (labels / len(targets))
            if not torch.isfinite(loss):
                raise Diverged
            loss.backward()  # type: ignore[no-untyped-call]  # torch has no annotation there
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or run.net.piece == 1 or len(piece) == 1:
                raise
            run.net.piece = max(1, min(run.net.piece, len(piece)) // 2)
            note = "memory did not suffice for a batch: it passed in pieces, their gradients added up"
            if note not in run.net.notes:
                run.net.notes.append(note)
            continue
        start, first = start + len(piece), first + labels


def _layers_of(module: nn.Module) -> list[nn.Module]:
    return [layer for layer in module.modules() if any(True for _ in layer.parameters(recurse=False))]
