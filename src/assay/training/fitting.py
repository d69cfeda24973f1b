"""Trains a model for a task from end to end, and hands back what predicts."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import final

import numpy as np
import torch

from assay.core.errors import ModelError
from assay.core.model import Model
from assay.core.predictor import Predicted
from assay.core.task import Examples, Labels
from assay.core.trainable import Trainable
from assay.encoders.weights import seeded
from assay.plugins.protocol import TrainingTask, TunedModel
from assay.training.adapters import adapted
from assay.training.examples import Prepared
from assay.training.head import Head
from assay.training.loop import Course, Diverged, Outcome, OutOfTime, Report, Set, train
from assay.training.net import Net
from assay.training.recipe import Recipe, Trained
from assay.training.search import Budget, Space, Tuned, tuned
from assay.training.starts import Starts


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is trained and how much is tried.

    Attributes:
        recipe: What the first trial does.
        space: What is tuned.
        trials: How many recipes are tried.
        from_probe: Whether the head starts where a linear probe ends; else as torch draws it.
        refit: Whether the best recipe then trains once more, on train and val, for as many epochs as were
            best; else the weights of the best epoch count.
        seconds: The time for everything; None for no limit.
    """

    recipe: Recipe
    space: Space = field(default_factory=dict)
    trials: int = 1
    from_probe: bool = True
    refit: bool = False
    seconds: float | None = None


@contextmanager
def fitted(model: Model, task: TrainingTask, plan: Plan, seed: int) -> Iterator[TunedModel]:
    """Train a model by the best of some recipes; afterwards it is what it was.

    Raises:
        NotApplicable: The model cannot be trained.
        ModelError: No recipe led to finite numbers, or none came as far as one epoch in time.
    """
    start = time.monotonic()
    deadline = start + plan.seconds if plan.seconds is not None else float("inf")
    with model.training() as weights, adapted(weights, plan.recipe, seed) as trainable:
        with seeded(seed, trainable.device):
            course = _course(trainable, task, deadline)
        starts = Starts(course, from_probe=plan.from_probe)
        found = _best(course, plan, starts, seed)
        spent = time.monotonic() - start
        if plan.refit:
            _refit(course, task, found, starts, seed)
        else:
            course.net.load(found.outcome.state)
        yield _Tuned(course.net, found, spent if plan.refit else spent - found.seconds)


@contextmanager
def restored(
    model: Model, tensors: Mapping[str, np.ndarray], labels: Labels, recipe: Recipe
) -> Iterator[TunedModel]:
    """Return the model as it was after training, from what training changed; afterwards it is what it was.

    Args:
        model: As it was before training.
        tensors: What training changed.
        labels: Those of train: which classes there are, and the units of numbers.
        recipe: What was trained.
    """
    with model.training() as weights, adapted(weights, recipe, seed=0) as trainable:
        head = Head(tensors["head.linear.weight"].shape[1], labels).to(trainable.device)
        net = Net(trainable, head)
        net.load({name: torch.from_numpy(np.array(values)) for name, values in tensors.items()})
        yield _Tuned(net, None, 0.0)


def _course(trainable: Trainable, task: TrainingTask, deadline: float) -> Course:
    train_set, val_set = (
        Set(Prepared(split.examples, trainable), split.labels) for split in (task.train, task.val)
    )
    trainable.module.eval()
    with torch.no_grad():
        first = trainable.prepared(task.train.examples.read(0))
        width = trainable.features(trainable.inputs([first], None)).shape[1]
    head = Head(width, task.train.labels).to(trainable.device)
    precision = torch.bfloat16 if trainable.device.startswith("cuda") else torch.float32
    net = Net(trainable, head, precision=precision)
    return Course(net, train_set, val_set, task.metric, deadline)


def _best(course: Course, plan: Plan, starts: Starts, seed: int) -> Tuned:
    net = course.net
    space = {
        name: range_
        for name, range_ in plan.space.items()
        if name != "keeps_statistics" or net.normalisations()
    }

    def run(recipe: Recipe, report: Report) -> Outcome:
        starts.begin(recipe)
        try:
            return train(course, recipe, seed, report)
        except Diverged:
            if net.precision is torch.float32:
                raise
        net.precision = torch.float32
        net.notes.append("a loss was not finite in half precision: trained in single precision instead")
        starts.begin(recipe)
        return train(course, recipe, seed, _silent)

    try:
        return tuned(plan.recipe, space, Budget(plan.trials, course.deadline), seed, run)
    except Diverged as error:
        raise ModelError("Training diverged: no loss was finite. Write a smaller learning_rate.") from error
    except OutOfTime as error:
        raise ModelError(
            f"{plan.seconds:g} seconds do not suffice for one epoch. Give more time, or take a smaller model."
        ) from error


def _refit(course: Course, task: TrainingTask, found: Tuned, starts: Starts, seed: int) -> None:
    """Train once more, on train and val, as the best trial did."""
    both = task.train.followed_by(task.val)
    everything = Set(Prepared(both.examples, course.net.trainable), both.labels)
    nothing = Set(Prepared(task.val.take([]).examples, course.net.trainable), task.val.labels.of([]))
    again = replace(course, train=everything, val=nothing, deadline=float("inf"))
    starts.begin_with(again, found.recipe)
    course.net.load(train(again, found.recipe, seed, _silent, last=found.outcome.epoch).state)


def _silent(epoch: int, value: float) -> None:
    """Report nothing: the epochs of this trial were told before."""


@final
class _Tuned(TunedModel):
    """A model in the state that training left it in."""

    def __init__(self, net: Net, found: Tuned | None, tune_seconds: float) -> None:
        self._net = net
        self._recipe = None if found is None else found.recipe
        self.tuned = {} if found is None else _in_numbers(found)
        self.notes = (*net.notes, *([] if found is None else _remarks(found)))
        self.tune_seconds = tune_seconds
        self.decision = net.head.decision

    def predict(self, examples: Examples) -> Predicted:
        """Return predictions in the order given."""
        return self._net.head.predicted(self._net.all_outputs(Prepared(examples, self._net.trainable)))

    def tensors(self) -> Mapping[str, np.ndarray]:
        """Return the head, and of the model what was trained."""
        trained = Trained.ALL if self._recipe is None else self._recipe.trained
        buffers = {f"model.{name}" for name, _ in self._net.trainable.module.named_buffers()}
        return {
            name: tensor.numpy()
            for name, tensor in self._net.state().items()
            if name.startswith("head.") or trained is Trained.ALL or name in buffers or "lora_" in name
        }


def _in_numbers(found: Tuned) -> dict[str, float]:
    recipe = found.recipe
    return {
        "learning_rate": recipe.learning_rate,
        "weight_decay": recipe.weight_decay,
        "layer_decay": recipe.layer_decay,
        "label_smoothing": recipe.label_smoothing,
        "is_augmented": float(recipe.is_augmented),
        "keeps_statistics": float(recipe.keeps_statistics),
        "epoch": float(found.outcome.epoch),
        "val": found.outcome.value,
        "trials": float(found.finished),
    }


def _remarks(found: Tuned) -> list[str]:
    notes = []
    if found.pruned:
        notes.append(f"{found.pruned} of {found.finished + found.pruned} trials were behind or diverged")
    if found.outcome.epoch == 0:
        notes.append("no epoch was better on val than the new head alone: the weights are as they were")
    return notes
