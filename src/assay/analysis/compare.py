"""Turns the results of a study into a comparison: what was found, how sure it is, what to take."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from assay.analysis.averages import suite_averages
from assay.analysis.cells import gather, missing_cells, modalities_of
from assay.analysis.findings import TaskEvidence, judge
from assay.analysis.foretold import foretold
from assay.analysis.modalities import across_modalities
from assay.analysis.ranking import choose_method
from assay.analysis.recommend import headline, is_floor
from assay.core.comparison import Cell, Comparison, ModelRow, TaskFacts
from assay.core.metric import Metric
from assay.core.predictor import Predicted
from assay.core.result import Result, Status
from assay.core.suite import load_suite, suite_names
from assay.core.task import Labels


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that a comparison is made from; the order of the results and of the models does not matter.

    Attributes:
        results: What became of every job; those on other data than ``tasks`` hold are left out.
        tasks: The tasks, in the order of the report.
        models: The models that could be opened.
        predictions: Of test, by the key of the job.
        truths: The test labels by the fingerprint of the task.
        metrics: The main metrics of the tasks, by name.
        scores: Which methods are scores, as written in the jobs.
        settings: How the study was made, for the reader.
    """

    results: Sequence[Result]
    tasks: Sequence[TaskFacts]
    models: Sequence[ModelRow]
    predictions: Mapping[str, Predicted]
    truths: Mapping[str, Labels]
    metrics: Mapping[str, Metric]
    scores: Collection[str]
    settings: Mapping[str, str]


def compare(evidence: Evidence, *, ranked_by: str | None, seed: int) -> Comparison:
    """Compare all models on all tasks.

    Args:
        evidence: Results, predictions, and what is known of models and tasks.
        ranked_by: The method that ranks the models; None takes the linear probe, else the protocol
            with most values, else a score.
        seed: Decides the bootstrap and the tests.

    Raises:
        UnknownName: No result is by ``ranked_by``.
    """
    tasks, scores = evidence.tasks, evidence.scores
    known_data = {(task.address, task.fingerprint) for task in tasks}
    kept = [one for one in evidence.results if (one.job.task, one.job.fingerprint) in known_data]
    cells = gather(kept, scores)
    method = choose_method(cells, scores, ranked_by)
    is_estimate = method in scores
    rows = {row.address: row for row in evidence.models}
    known = rows.keys() | {cell.model for cell in cells}
    modalities = modalities_of(cells, tasks)
    judged = []
    for task in tasks:
        seeds = _by_seed(kept, task, method, evidence)
        of_task = TaskEvidence(
            task=task,
            method=method,
            metric=None if is_estimate else evidence.metrics[task.metric],
            judge=_judge(cells, task, method, evidence.metrics)
            if is_estimate
            else evidence.metrics[task.metric],
            cells=tuple(one for one in cells if _has_value(one, task, method)),
            missing=missing_cells(cells, task, known, method, modalities),
            truth=None if is_estimate else evidence.truths.get(task.fingerprint),
            predicted={model: _judged(rows, evidence.metrics[task.metric]) for model, rows in seeds.items()},
            decided={model: np.stack([one.values for one in rows]) for model, rows in seeds.items()},
        )
        judged.append(judge(of_task, rows, seed))
    found = [one.findings for one in judged]
    pretrained = [cell for cell in cells if not is_floor(cell.model, rows)]
    across = across_modalities(judged, seed)
    return Comparison(
        ranked_by=method,
        is_estimate=is_estimate,
        headline=headline(found, across, rows, method),
        tasks=tuple(found),
        models=tuple(sorted(evidence.models, key=lambda row: row.address)),
        across=across,
        agreement=foretold(pretrained, scores, tasks, rows, seed),
        cells=cells,
        settings=dict(evidence.settings),
        averages=() if is_estimate else suite_averages(found, map(load_suite, suite_names())),
    )


def _judge(
    cells: Sequence[Cell], task: TaskFacts, method: str, metrics: Mapping[str, Metric]
) -> Metric | None:
    """Return the metric that a score foretells on a task, where it foretells one."""
    told = {cell.metric for cell in cells if _has_value(cell, task, method)}
    return metrics.get(told.pop()) if len(told) == 1 else None


def _has_value(cell: Cell, task: TaskFacts, method: str) -> bool:
    return cell.task == task.address and cell.method == method and cell.value is not None


def _by_seed(
    results: Sequence[Result], task: TaskFacts, method: str, evidence: Evidence
) -> dict[str, list[Predicted]]:
    """Return for each model that has predictions for every seed with a value those of each seed."""
    judges_probs = evidence.metrics[task.metric].judges_probs
    found: dict[str, list[Predicted]] = {}
    lost = set()
    for result in sorted(results, key=lambda one: one.job.seed):
        job = result.job
        if job.task != task.address or job.method != method or result.status is not Status.OK:
            continue
        predicted = evidence.predictions.get(job.key)
        if predicted is not None and (predicted.probs is not None or not judges_probs):
            found.setdefault(job.model, []).append(predicted)
        else:
            lost.add(job.model)  # an interval over fewer seeds than the value would be of another number
    return {model: rows for model, rows in found.items() if model not in lost}


def _judged(seeds: Sequence[Predicted], metric: Metric) -> np.ndarray:
    """Return seeds x examples, and x classes where the metric judges probabilities."""
    return np.stack([np.asarray(one.probs if metric.judges_probs else one.values) for one in seeds])
