"""The inputs of a comparison: results, predictions and facts about models and tasks."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from assay.core.held_out import HeldOutPredictions
from assay.core.job import Job
from assay.core.limits import NO_LIMITS, Limits
from assay.core.metric import Metric
from assay.core.predictor import Predicted
from assay.core.result import Result, Status
from assay.core.slices import SliceColumn
from assay.core.task import Labels, SplitName
from assay.findings.facts import ModelRow, TaskFacts


def _nothing(*_: object) -> None:
    """Return None: nothing is stored."""


def _none_of(_: Collection[str]) -> dict[str, HeldOutPredictions]:
    """Return no predictions: nothing is stored."""
    return {}


@dataclass(frozen=True, slots=True)
class Evidence:
    """The inputs of a comparison; the order of results and models does not matter.

    Attributes:
        results: The results of all jobs; results on data other than that of ``tasks`` are ignored.
        tasks: The tasks, in the order of the report.
        models: The models that could be opened.
        predictions: Test predictions by the key of the job.
        truths: Test labels by the fingerprint of the task.
        metrics: Every metric by name.
        scores: The methods that are scores, as written in the jobs.
        settings: Settings of the study, for the reader.
        limits: Requirements that a model must meet to be ranked.
        names: Returns the names of the test examples of a task by its fingerprint; None if not stored.
        features: Returns the features of a model on the test examples of a task by its fingerprint; None if
            not stored.
        slices: Returns the slices of the test examples that a task defines; None if not stored.
        contents: Returns the group of identical contents of each example of a split of a task; None if all
            differ, or if not stored.
        held_out: Returns the stored predictions of scores on held-out examples of train, by the key of the
            job.
    """

    results: Sequence[Result]
    tasks: Sequence[TaskFacts]
    models: Sequence[ModelRow]
    predictions: Mapping[str, Predicted]
    truths: Mapping[str, Labels]
    metrics: Mapping[str, Metric]
    scores: Collection[str]
    settings: Mapping[str, str]
    limits: Limits = NO_LIMITS
    names: Callable[[str], Sequence[str] | None] = _nothing
    features: Callable[[ModelRow, str], np.ndarray | None] = _nothing
    slices: Callable[[TaskFacts], Sequence[SliceColumn] | None] = _nothing
    contents: Callable[[TaskFacts, SplitName], np.ndarray | None] = _nothing
    held_out: Callable[[Collection[str]], Mapping[str, HeldOutPredictions]] = _none_of
    _jobs: Mapping[tuple[str, str, str], list[Job]] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        jobs: dict[tuple[str, str, str], list[Job]] = {}
        for result in self.results:
            job = result.job
            if result.status is Status.OK:
                jobs.setdefault((job.task, job.fingerprint, job.method), []).append(job)
        object.__setattr__(self, "_jobs", jobs)

    def on_these_data(self) -> list[Result]:
        """Return the results whose data are those of the tasks."""
        known = {(task.address, task.fingerprint) for task in self.tasks}
        return [result for result in self.results if (result.job.task, result.job.fingerprint) in known]

    def by_seed(self, task: TaskFacts, method: str) -> dict[str, list[Predicted]]:
        """Return the predictions of each seed, for models with predictions for every seed with a value."""
        judges_probs = self.metrics[task.metric].judges_probs
        by_model: dict[str, list[Predicted]] = {}
        lost = set()
        for job in self._finished(task, method):
            predicted = self.predictions.get(job.key)
            if predicted is not None and (predicted.probs is not None or not judges_probs):
                by_model.setdefault(job.model, []).append(predicted)
            else:
                lost.add(job.model)  # the interval must cover the same seeds as the value
        return {model: rows for model, rows in by_model.items() if model not in lost}

    def held_out_by_seed(self, task: TaskFacts, score: str) -> dict[str, list[HeldOutPredictions]]:
        """Return the held-out predictions of each seed, for models with those of every seed with a value."""
        jobs = self._finished(task, score)
        kept = self.held_out({job.key for job in jobs})
        lost = {job.model for job in jobs if job.key not in kept}
        by_model: dict[str, list[HeldOutPredictions]] = {}
        for job in jobs:
            if job.model not in lost:
                by_model.setdefault(job.model, []).append(kept[job.key])
        return by_model

    def _finished(self, task: TaskFacts, method: str) -> list[Job]:
        """Return the jobs of a method on a task that have a value, by seed."""
        jobs = self._jobs.get((task.address, task.fingerprint, method), ())
        return sorted(jobs, key=lambda job: job.seed)


def judged_rows(seeds: Sequence[Predicted], metric: Metric) -> np.ndarray:
    """Return seeds x examples, and x classes where the metric judges probabilities."""
    return np.stack(
        [np.asarray(predicted.probs if metric.judges_probs else predicted.values) for predicted in seeds]
    )


def decided_rows(seeds: Sequence[Predicted]) -> np.ndarray:
    """Return the classes or numbers of each seed: seeds x examples (x columns)."""
    return np.stack([predicted.values for predicted in seeds])
