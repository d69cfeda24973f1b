"""Predicts how long evaluations take, from results of the same store and from the sizes of models."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

from assay.core.job import Job
from assay.core.result import Result, Status
from assay.core.task import Task
from assay.plugins.method import Method
from assay.plugins.protocol import ModelProtocol
from assay.run.catalogue import entry_of
from assay.run.evaluation import Evaluation
from assay.run.search.candidates import downloads_of, sizes_of
from assay.search.costs import Costs, StepTime

_PASSES = 30.0  # times that training passes over train, before any was measured: ten epochs, forward and back


class PredictedCost(NamedTuple):
    """The predicted seconds of each evaluation.

    Attributes:
        measured: The number of models whose own speed is known.
    """

    seconds: tuple[float, ...]
    measured: int


def predicted_cost(evaluations: Sequence[Evaluation], results: Iterable[Result]) -> PredictedCost:
    """Return the predicted seconds of evaluations, with their part of opening and downloading the model.

    Args:
        evaluations: The evaluations.
        results: Results of the store: of these models, or others, on these tasks.
    """
    models = {str(evaluation.model): evaluation.model for evaluation in evaluations}
    numbers = {model: number for number, model in enumerate(models)}
    examples = {evaluation.task.fingerprint: _examples(evaluation.task) for evaluation in evaluations}
    entries = [entry_of(model) for model in models.values()]
    costs = Costs(sizes_of(entries), downloads_of(entries), [sum(examples.values())])
    encoding = np.zeros((2, len(models)))  # seconds and examples of each model
    seen: set[tuple[str, str]] = set()
    methods: dict[str, list[float]] = {}
    for result in results:
        job = result.job
        if result.status is not Status.OK or job.train_rows is not None:
            continue
        methods.setdefault(job.method, []).append(result.seconds)
        if job.model in numbers and job.fingerprint in examples:
            encoding[0, numbers[job.model]] += result.encode_seconds
            if result.encode_seconds > 0 and (job.model, job.fingerprint) not in seen:
                seen.add((job.model, job.fingerprint))
                encoding[1, numbers[job.model]] += examples[job.fingerprint]
    for number in np.flatnonzero(encoding[1]):
        seconds, count = encoding[:, number]
        costs.tell(int(number), 0, StepTime(encoding=seconds / count * sum(examples.values())))
    rates, openings = costs.rates(), costs.openings()
    usual = {method: float(np.mean(seconds)) for method, seconds in methods.items()}
    counts = np.bincount([numbers[str(evaluation.model)] for evaluation in evaluations])

    def seconds_of(evaluation: Evaluation) -> float:
        number = numbers[str(evaluation.model)]
        rate = float(rates[number])
        learning = sum(
            _learning(job, method, evaluation.task, rate, usual) for job, method in evaluation.jobs
        )
        opening = float(openings[number]) / int(counts[number])
        return rate * examples[evaluation.task.fingerprint] + learning + opening

    return PredictedCost(tuple(map(seconds_of, evaluations)), int((encoding[1] > 0).sum()))


def _examples(task: Task) -> int:
    return len(task.train) + len(task.val) + len(task.test)


def _learning(job: Job, method: Method, task: Task, rate: float, usual: dict[str, float]) -> float:
    if job.method in usual:
        return usual[job.method]
    return _PASSES * rate * len(task.train) if isinstance(method, ModelProtocol) else 0.0
