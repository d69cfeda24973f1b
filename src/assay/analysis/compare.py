"""Turns the results of a study into a comparison: what was found, how sure it is, what to take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.analysis.averages import suite_averages
from assay.analysis.cells import gather, missing_cells, modalities_of
from assay.analysis.costs import refused
from assay.analysis.evidence import Evidence, decided_rows, judged_rows
from assay.analysis.findings import TaskEvidence, judge
from assay.analysis.foretold import foretold
from assay.analysis.modalities import across_modalities
from assay.analysis.ranking import choose_method
from assay.analysis.recommend import headline, is_floor
from assay.core.comparison import Cell, Comparison, TaskFacts
from assay.core.metric import Metric
from assay.core.suite import load_suite, suite_names


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
    cells = gather(evidence.on_these_data(), scores)
    method = choose_method(cells, scores, ranked_by)
    is_estimate = method in scores
    rows = {row.address: row for row in evidence.models}
    reasons = refused(evidence.limits, rows)
    known = rows.keys() | {cell.model for cell in cells}
    modalities = modalities_of(cells, tasks)
    judged = []
    for task in tasks:
        seeds = evidence.by_seed(task, method)
        metric = evidence.metrics[task.metric]
        of_task = TaskEvidence(
            task=task,
            method=method,
            metric=None if is_estimate else metric,
            judge=_judge(cells, task, method, evidence.metrics) if is_estimate else metric,
            cells=tuple(one for one in cells if _has_value(one, task, method) and one.model not in reasons),
            missing=missing_cells(
                cells, task, {model: reasons.get(model, "") for model in known}, method, modalities
            ),
            all_cells=tuple(one for one in cells if one.task == task.address),
            truth=None if is_estimate else evidence.truths.get(task.fingerprint),
            predicted={model: judged_rows(of_model, metric) for model, of_model in seeds.items()},
            decided={model: decided_rows(of_model) for model, of_model in seeds.items()},
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
