"""The stages of a model in a search: what runs on how many examples of train; the last is the whole study."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from assay.core.task import Task
from assay.plugins.address import Address
from assay.plugins.families import families
from assay.plugins.method import Method
from assay.plugins.protocol import ModelProtocol, SourceProtocol, SubsetProtocol
from assay.plugins.registry import Named
from assay.plugins.settings import all_settings
from assay.run.plan import Run

SCREEN = "ridge_cv"  # out of sample, of one metric with the protocols, and cheap: it needs only Moments
_FIRST = 64  # examples
_PER_CLASS = 4
_GROWTH = 4
_TRAINING = "fine_tune"  # it has trials and epochs
_EPOCHS = 2  # of a short training
_SAVES = 8  # times as long is training that a short one comes before


class PlannedStage(NamedTuple):
    """What a model is given at one stage.

    Attributes:
        rows: For each task, the number of examples of train; None for all.
        asked: Methods of the study with their seeds, whose results are compared with others.
        screens: What the search learns from besides; their results are no rows of the study.
    """

    rows: tuple[int | None, ...]
    asked: tuple[Run, ...] = ()
    screens: tuple[Run, ...] = ()

    @property
    def runs(self) -> tuple[Run, ...]:
        """All of it."""
        return (*self.asked, *self.screens)

    @property
    def needed(self) -> frozenset[str]:
        """The methods; a model comes through if at least one of them has a result."""
        return frozenset(str(run.method) for run in self.asked or self.screens)

    @property
    def counts(self) -> bool:
        """Whether its results are those of the study."""
        return bool(self.asked)


def stages_of(tasks: Sequence[Task], runs: Sequence[Run]) -> tuple[PlannedStage, ...]:
    """Return the stages of every model: growing parts of train with one score, then all that was asked for.

    Methods that train the model are a stage of their own, after those that use its features, and
    where they tune for long, after a short one on a part of train. Without either, there is one stage.
    """
    trains = tuple(run for run in runs if _trains(run))
    features = tuple(run for run in runs if run not in trains)
    whole = (None,) * len(tasks)
    if all(isinstance(run.method.plugin, SourceProtocol) for run in features) and not trains:
        return (PlannedStage(whole, tuple(runs)),)
    screen = (Run(_screen(), 0),)
    parts = [_parts(task) for task in tasks]
    count = max(1, *map(len, parts))
    stages = []
    for number in range(count):
        rows = tuple(part[number] if number < len(part) else None for part in parts)
        stages.append(PlannedStage(rows, screens=screen))
    known = {str(run.method) for run in runs}
    screens = () if str(screen[0].method) in known else screen
    if features:
        stages.append(PlannedStage(whole, features, screens))
    if trains:
        short = _shortened(trains)
        if short and stages[0].rows != whole:
            stages.append(PlannedStage(stages[count - 1].rows, screens=short))
        stages.append(PlannedStage(whole, trains))
    return tuple(stages)


def examples_of(tasks: Sequence[Task], stages: Sequence[PlannedStage]) -> list[int]:
    """Return how many examples each stage encodes beyond the one before, over all tasks."""
    before = [0] * len(tasks)
    counts = []
    for stage in stages:
        now = [
            len(task.train) + (len(task.val) + len(task.test) if stage.counts else 0)
            if rows is None
            else rows
            for task, rows in zip(tasks, stage.rows, strict=True)
        ]
        counts.append(sum(max(0, new - old) for new, old in zip(now, before, strict=True)))
        before = [max(pair) for pair in zip(now, before, strict=True)]
    return counts


def _trains(run: Run) -> bool:
    plugin = run.method.plugin
    base = plugin.base() if isinstance(plugin, SubsetProtocol) else plugin
    return isinstance(base, ModelProtocol)


def _shortened(runs: Sequence[Run]) -> tuple[Run, ...]:
    """Return the first fine-tuning with few epochs and one trial; none if that saves little."""
    for run in runs:
        settings: dict[str, Any] = dict(all_settings(run.method.plugin))
        full = sum(other.method == run.method for other in runs) * settings.get("trials", 1)
        if run.method.address.name == _TRAINING and full * settings["epochs"] >= _SAVES * _EPOCHS:
            short = {**dict(run.method.address.settings), "epochs": _EPOCHS, "trials": 1, "refit": False}
            address = replace(run.method.address, settings=tuple(sorted(short.items())))
            created = families().protocols.create(address)
            return (Run(Named(created.address, created.plugin), 0),)
    return ()


def _screen() -> Named[Method]:
    score = families().scores.create(Address.parse(SCREEN))
    return Named(score.address, score.plugin)


def _parts(task: Task) -> list[int]:
    """Return the growing parts of train that models are screened on, each at most half of it."""
    half = len(task.train) // 2
    rows = min(half, max(_FIRST, _PER_CLASS * len(task.classes)))
    parts = []
    while 0 < rows <= half:
        parts.append(rows)
        rows *= _GROWTH
    return parts
