"""One training run: steps, a look at val after each epoch, and the weights of the best epoch."""

from __future__ import annotations

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
from assay.encoders.weights import seeded
from assay.training.examples import Prepared, shuffled
from assay.training.net import Net, State
from assay.training.optimising import optimiser_of, schedule_of
from assay.training.recipe import Recipe


class Diverged(Exception):
    """The loss is not finite."""


class OutOfTime(Exception):
    """The time is over before the first epoch ended."""


class Set(NamedTuple):
    """Examples with their labels."""

    examples: Prepared
    labels: Labels


@dataclass(frozen=True, slots=True)
class Course:
    """What one run trains, on what, and how it is judged.

    Attributes:
        net: Its weights are trained in place.
        deadline: When training must stop, by ``time.monotonic``.
    """

    net: Net
    train: Set
    val: Set
    metric: Metric
    deadline: float = float("inf")


class Outcome(NamedTuple):
    """The best epoch of a run.

    Attributes:
        value: The metric on val; 0 where there is no val.
        loss: The loss on val.
        epoch: Its number; 0 for the weights before any step.
        state: The weights of module and head, on the CPU.
    """

    value: float
    loss: float
    epoch: int
    state: State


Report = Callable[[int, float], None]  # epoch and value on val; it may raise to end the run


def train(course: Course, recipe: Recipe, seed: int, report: Report, last: int | None = None) -> Outcome:
    """Train and return the best epoch by val, of equals the one with the smaller loss; the last without val.

    Args:
        course: Its net holds the weights to start from.
        recipe: How.
        seed: Of the order of examples, of dropout and of augmentation.
        report: Is told the value after each epoch.
        last: Stop after this epoch, though the schedule is that of all; None to go on.

    Raises:
        Diverged: A loss is not finite.
        OutOfTime: Not even one epoch fits into the time.
    """
    with seeded(seed, course.net.trainable.device):  # a run depends on its own recipe, and on none before it
        return _run(course, recipe, seed, report, recipe.epochs if last is None else last)


def _run(course: Course, recipe: Recipe, seed: int, report: Report, last: int) -> Outcome:
    order = torch.Generator().manual_seed(seed)
    steps = len(shuffled(np.arange(len(course.train.examples)), recipe.batch_size))
    optimiser = optimiser_of(course.net.trainable.module, course.net.head, recipe)
    schedule = schedule_of(optimiser, recipe, steps * recipe.epochs)
    best = _looked_at(course, 0, None)
    report(0, best.value)
    for epoch in range(1, last + 1):
        rows = torch.randperm(len(course.train.examples), generator=order).numpy()
        rng = np.random.default_rng([seed, epoch]) if recipe.is_augmented else None
        finished = _epoch(course, recipe, shuffled(rows, recipe.batch_size), optimiser, schedule, rng)
        if not finished:
            _out_of_time(course, epoch)
            break
        best = _looked_at(course, epoch, best)
        report(epoch, best.value)
        if recipe.patience is not None and epoch - best.epoch >= recipe.patience:
            break
    return best


def _looked_at(course: Course, epoch: int, best: Outcome | None) -> Outcome:
    """Return this epoch if it is better on val than the best before it, or where there is no val."""
    labels = course.val.labels
    if not len(course.val.examples):
        return Outcome(0.0, 0.0, epoch, course.net.state())
    outputs = course.net.all_outputs(course.val.examples)
    targets = course.net.head.targets(labels)
    with torch.no_grad():
        loss = float(course.net.head.loss(outputs, targets, 0.0))  # NaN where val has none of train's classes
    if not torch.isfinite(outputs).all():
        raise Diverged
    value = course.net.head.predicted(outputs).judged(course.metric, labels)
    if best is not None and (value, -loss) <= (best.value, -best.loss):
        return best
    return Outcome(value, loss, epoch, course.net.state())


def _epoch(
    course: Course,
    recipe: Recipe,
    batches: list[np.ndarray],
    optimiser: torch.optim.Optimizer,
    schedule: torch.optim.lr_scheduler.LambdaLR,
    rng: np.random.Generator | None,
) -> bool:
    """Take one step for each batch; return False where the time is over before all were taken."""
    course.net.learning(recipe)
    for rows, prepared in course.train.examples.batches(batches):
        if time.monotonic() > course.deadline:
            return False
        optimiser.zero_grad(set_to_none=True)
        _backward(course, recipe, rows, prepared, rng)
        weights = [weight for group in optimiser.param_groups for weight in group["params"]]
        if recipe.clip is not None:
            nn.utils.clip_grad_norm_(weights, recipe.clip)
        optimiser.step()
        schedule.step()
    return True


def _backward(
    course: Course, recipe: Recipe, rows: np.ndarray, prepared: list[object], rng: np.random.Generator | None
) -> None:
    """Add up the gradients of one batch, in pieces; while memory does not suffice, in smaller ones."""
    targets = course.net.head.targets(course.train.labels.of(rows))
    start, first = 0, 0  # example, and label
    counts = _label_counts(course.train.labels, rows)
    while start < len(rows):
        piece = prepared[start : start + course.net.piece]
        labels = int(counts[start : start + len(piece)].sum())
        try:
            outputs = course.net.forward(piece, rng)
            wanted = targets[first : first + labels].to(outputs.device)
            loss = course.net.head.loss(outputs, wanted, recipe.label_smoothing) * (labels / len(targets))
            if not torch.isfinite(loss):
                raise Diverged
            loss.backward()  # type: ignore[no-untyped-call]  # torch has no annotation there
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error) or course.net.piece == 1 or len(piece) == 1:
                raise
            course.net.piece = max(1, min(course.net.piece, len(piece)) // 2)
            note = "memory did not suffice for a batch: it passed in pieces, their gradients added up"
            if note not in course.net.notes:
                course.net.notes.append(note)
            continue
        start, first = start + len(piece), first + labels


def _label_counts(labels: Labels, rows: np.ndarray) -> np.ndarray:
    return np.ones(len(rows), dtype=np.int64) if labels.lengths is None else labels.lengths[rows]


def _out_of_time(course: Course, epoch: int) -> None:
    if epoch == 1:
        raise OutOfTime
    course.net.notes.append(f"the time was over in epoch {epoch}: the best one before it counts")
