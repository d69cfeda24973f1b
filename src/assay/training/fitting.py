"""Trains a model for a task end to end and returns the trained predictor."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
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
from assay.training.examples import PreparedExamples
from assay.training.loop import BestEpoch, Diverged, EpochReport, OutOfTime, PreparedSplit, TrainingRun, train
from assay.training.net import Net, NewHead
from assay.training.recipe import TUNABLE, Recipe, Trained, TrainingPlan
from assay.training.search import BestTrial, best_trial
from assay.training.start import StartingWeights


@contextmanager
def fitted(model: Model, task: TrainingTask, plan: TrainingPlan, seed: int) -> Iterator[TunedModel]:
    """Train a model by the best of several recipes; its weights are restored afterwards.

    Raises:
        NotApplicable: The model cannot be trained.
        ModelError: All recipes diverged, or none finished an epoch within the time limit.
    """
    start = time.monotonic()
    deadline = start + plan.seconds if plan.seconds is not None else float("inf")
    with model.training() as weights, adapted(weights, plan.recipe, seed) as trainable:
        with seeded(seed, trainable.device):
            run = _training_run(trainable, task, deadline)
        starts = StartingWeights(run, from_probe=plan.from_probe)
        trial = _best_trial(run, plan, starts, seed)
        spent = time.monotonic() - start
        if plan.refit:
            _refit(run, task, trial, starts, seed)
        else:
            run.net.load(trial.epoch.state)
        trained = _TrainedModel(run.net, trial, spent if plan.refit else spent - trial.seconds)
        trained.val_value = trial.epoch.value if len(task.val) else None
        yield trained


@contextmanager
def restored(
    model: Model, tensors: Mapping[str, np.ndarray], labels: Labels, recipe: Recipe
) -> Iterator[TunedModel]:
    """Load trained weights into the model; its original weights are restored afterwards.

    Args:
        model: The model before training.
        tensors: The weights that training changed.
        labels: The labels of train, which determine the classes and the scale of numbers.
        recipe: The recipe by which it was trained.
    """
    with model.training() as weights, adapted(weights, recipe, seed=0) as trainable:
        head = NewHead(tensors["head.linear.weight"].shape[1], labels).to(trainable.device)
        net = Net(trainable, head)
        net.load({name: torch.from_numpy(np.array(values)) for name, values in tensors.items()})
        yield _TrainedModel(net, None, 0.0)


def _training_run(trainable: Trainable, task: TrainingTask, deadline: float) -> TrainingRun:
    train_split, val_split = (
        PreparedSplit(PreparedExamples(split.examples, trainable), split.labels)
        for split in (task.train, task.val)
    )
    trainable.module.eval()
    with torch.no_grad():
        first = trainable.prepared(task.train.examples.read(0))
        width = trainable.features(trainable.inputs([first], None)).shape[1]
    head = NewHead(width, task.train.labels).to(trainable.device)
    precision = torch.bfloat16 if trainable.device.startswith("cuda") else torch.float32
    net = Net(trainable, head, precision=precision)
    return TrainingRun(net, train_split, val_split, task.metric, deadline)


def _best_trial(run: TrainingRun, plan: TrainingPlan, starts: StartingWeights, seed: int) -> BestTrial:
    net = run.net
    if not net.normalisations():
        plan = replace(plan, tuned=[name for name in plan.tuned if name != "keeps_statistics"])

    def train_by(recipe: Recipe, report: EpochReport) -> BestEpoch:
        starts.load(recipe)
        try:
            return train(run, recipe, seed, report)
        except Diverged:
            if net.precision is torch.float32:
                raise
        net.precision = torch.float32
        net.notes.append("a loss was not finite in half precision: trained in single precision instead")
        starts.load(recipe)
        return train(run, recipe, seed, _silent)

    try:
        return best_trial(plan, seed, run.deadline, train_by)
    except Diverged as error:
        raise ModelError("Training diverged: no loss was finite. Write a smaller learning_rate.") from error
    except OutOfTime as error:
        raise ModelError(
            f"{plan.seconds:g} seconds do not suffice for one epoch. Give more time, or take a smaller model."
        ) from error


def _refit(
    run: TrainingRun, task: TrainingTask, trial: BestTrial, starts: StartingWeights, seed: int
) -> None:
    """Train again on train and val with the recipe of the best trial."""
    both, nothing = (
        PreparedSplit(PreparedExamples(split.examples, run.net.trainable), split.labels)
        for split in (task.train.followed_by(task.val), task.val.take([]))
    )
    again = replace(run, train=both, val=nothing, deadline=float("inf"))
    starts.load_for(again, trial.recipe)
    run.net.load(train(again, trial.recipe, seed, _silent, last=trial.epoch.number).state)


def _silent(epoch: int, value: float) -> None:
    """Report nothing, because the epochs of this trial were already reported."""


@final
class _TrainedModel(TunedModel):
    """A model with its weights after training."""

    def __init__(self, net: Net, trial: BestTrial | None, tune_seconds: float) -> None:
        self._net = net
        self._trained = Trained.ALL if trial is None else trial.recipe.trained
        self.tuned = {} if trial is None else _numbers(trial)
        self.notes = (*net.notes, *([] if trial is None else _notes(trial)))
        self.tune_seconds = tune_seconds
        self.decision = net.head.decision

    def predict(self, examples: Examples) -> Predicted:
        """Return predictions in the order of the examples."""
        return self._net.head.predicted(
            self._net.all_outputs(PreparedExamples(examples, self._net.trainable))
        )

    def tensors(self) -> Mapping[str, np.ndarray]:
        """Return the weights of the head and the trained weights of the model."""
        buffers = {f"model.{name}" for name, _ in self._net.trainable.module.named_buffers()}
        return {
            name: tensor.numpy()
            for name, tensor in self._net.state().items()
            if name.startswith("head.") or self._trained is Trained.ALL or name in buffers or "lora_" in name
        }


def _numbers(trial: BestTrial) -> dict[str, float]:
    """Return the recipe and its epoch, by the names used in stores."""
    recipe = {name: float(getattr(trial.recipe, name)) for name in TUNABLE}
    epoch = trial.epoch
    return {**recipe, "epoch": float(epoch.number), "val": epoch.value, "trials": float(trial.finished)}


def _notes(trial: BestTrial) -> list[str]:
    notes = []
    if trial.pruned:
        notes.append(f"{trial.pruned} of {trial.finished + trial.pruned} trials were behind or diverged")
    if trial.epoch.number == 0:
        notes.append("no epoch was better on val than the new head alone: the weights are as they were")
    return notes
