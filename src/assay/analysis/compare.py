"""Turns the results of a study into a comparison: findings, their uncertainty, recommendations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from contextvars import copy_context
from dataclasses import replace
from functools import partial

from assay.analysis.across_tasks.decision import decisions
from assay.analysis.across_tasks.modalities import across_modalities, headline, values_of
from assay.analysis.across_tasks.similarity import best_models, similarity
from assay.analysis.across_tasks.suite_average import suite_averages
from assay.analysis.evidence import Evidence, decided_rows, judged_rows
from assay.analysis.per_task.cells import choose_method, gather, missing_cells, modalities_of
from assay.analysis.per_task.costs import refused
from assay.analysis.per_task.decision import DEFAULT_RULE, Rule
from assay.analysis.per_task.held_out import held_out_rows
from assay.analysis.per_task.model_similarity import ModelPairs, error_pairs, feature_pairs
from assay.analysis.per_task.task_findings import TaskEvidence, judge
from assay.analysis.scores.over_tasks import outcomes, study_agreements
from assay.core.metric import Metric
from assay.core.result import Status
from assay.core.task import SplitName
from assay.findings.comparison import Comparison
from assay.findings.deferred import Deferred
from assay.findings.facts import ModelRow, TaskFacts, has_random_weights
from assay.findings.per_task import Cell, TaskFindings
from assay.findings.similarity import Similarity
from assay.plugins.suite import load_suite, suite_names
from assay.wording.names import model_addresses
from assay.wording.precision import mixed_precision
from assay.wording.short_names import short_names
from assay.wording.speed import limited_by_unreliable


def compare(evidence: Evidence, *, ranked_by: str | None, seed: int, rule: Rule = DEFAULT_RULE) -> Comparison:
    """Compare all models on all tasks.

    Args:
        evidence: Results, predictions and facts about models and tasks.
        ranked_by: The method that ranks the models; by default the linear probe, else the protocol with
            most values, else a score.
        seed: Seed of the bootstrap and the tests.
        rule: What the user wants of a decision.

    Raises:
        UnknownName: There is no result of ``ranked_by``.
    """
    cells = gather(evidence.on_these_data(), evidence.scores)
    method = choose_method(cells, evidence.scores, ranked_by)
    rows = {row.address: row for row in evidence.models}
    reasons = refused(evidence.limits, rows)
    apart = _not_meant(cells, method, rows)
    known = (rows.keys() | {cell.model for cell in cells}) - apart
    models = {model: reasons.get(model, "") for model in known}
    modalities = modalities_of(cells, evidence.tasks)
    by_task: dict[str, list[Cell]] = {}
    for cell in cells:
        by_task.setdefault(cell.task, []).append(cell)
    of_tasks = [
        _on_task(
            evidence,
            by_task.get(task.address, ()),
            method,
            missing_cells(by_task.get(task.address, ()), task, models, method, modalities),
            models,
            task,
        )
        for task in evidence.tasks
    ]
    judged = [judge(of_task, rows, rule, seed) for of_task in of_tasks]
    findings = [
        replace(task.findings, negated_metrics=_negated(of_task.all_cells, evidence.metrics))
        for of_task, task in zip(of_tasks, judged, strict=True)
    ]
    pretrained = [cell for cell in cells if not has_random_weights(cell.model, rows)]
    across = Deferred(partial(across_modalities, judged, seed))
    decided = decisions(findings, rows, rule)
    comparison = Comparison(
        ranked_by=method,
        is_estimate=method in evidence.scores,
        headline=Deferred(partial(headline, findings, across, rows, decided, method)),
        tasks=tuple(findings),
        models=tuple(sorted(evidence.models, key=lambda row: row.address)),
        across=across,
        agreement=Deferred(
            {
                truth: partial(
                    study_agreements, truth, pretrained, evidence.scores, evidence.tasks, rows, seed
                )
                for truth in outcomes(pretrained, evidence.scores)
            }
        ),
        cells=cells,
        settings=dict(evidence.settings),
        averages=()
        if method in evidence.scores
        else suite_averages(findings, map(load_suite, suite_names())),
        similarities=Deferred(partial(copy_context().run, _similarities, of_tasks, findings, evidence, seed)),
        warnings=(
            *limited_by_unreliable(evidence.limits, evidence.models),
            *mixed_precision(
                (result.job.model, result.dtype)
                for result in evidence.on_these_data()
                if result.status is Status.OK and result.job.model in rows
            ),
        ),
        decisions=decided,
    )
    tasks = short_names(task.task.address for task in findings)
    return replace(comparison, names=short_names(model_addresses(comparison)) | tasks)


def _not_meant(cells: Sequence[Cell], method: str, rows: Mapping[str, ModelRow]) -> set[str]:
    """Return the controls that have results, but none by a method: such as scores, which they do not run."""
    random = {cell.model for cell in cells if has_random_weights(cell.model, rows)}
    return random - {cell.model for cell in cells if cell.method == method}


def _on_task(
    evidence: Evidence,
    cells: Sequence[Cell],
    method: str,
    missing: tuple[Cell, ...],
    models: Mapping[str, str],
    task: TaskFacts,
) -> TaskEvidence:
    """Return the inputs for one task from its cells; ``models`` maps each to why it is not ranked, or ""."""
    is_estimate = method in evidence.scores
    metric = evidence.metrics[task.metric]
    seeds = evidence.by_seed(task, method)
    judge = _judge(cells, task, method, evidence.metrics) if is_estimate else metric
    held_out = None
    if is_estimate and judge is not None:
        contents = evidence.contents(task, SplitName.TRAIN)
        held_out = held_out_rows(evidence.held_out_by_seed(task, method), judge, contents)
    return TaskEvidence(
        task=task,
        method=method,
        metric=None if is_estimate else metric,
        judge=judge,
        cells=tuple(cell for cell in cells if _has_value(cell, task, method) and not models[cell.model]),
        missing=missing,
        all_cells=tuple(cells),
        truth=None if is_estimate else evidence.truths.get(task.fingerprint),
        predicted={model: judged_rows(of_model, metric) for model, of_model in seeds.items()},
        decided={model: decided_rows(of_model) for model, of_model in seeds.items()},
        names=(evidence.names(task.fingerprint) if seeds else None) or (),
        slices=(evidence.slices(task) if seeds else None) or (),
        groups=evidence.contents(task, SplitName.TEST) if seeds else None,
        held_out=held_out,
    )


def _negated(cells: Iterable[Cell], metrics: Mapping[str, Metric]) -> tuple[str, ...]:
    """Return the metrics of the cells whose values are the negative of what people write."""
    names = {name for cell in cells for name in cell.metrics}
    return tuple(sorted(name for name in names if name in metrics and metrics[name].shown_negated))


def _similarities(
    of_tasks: Sequence[TaskEvidence], findings: Sequence[TaskFindings], evidence: Evidence, seed: int
) -> tuple[Similarity, ...]:
    """Return the similarity of tasks and models of each modality that has enough of them."""
    rows = {row.address: row for row in evidence.models}
    similarities = []
    for modality in sorted({task.task.modality for task in of_tasks}):
        same = [task for task in of_tasks if task.task.modality == modality]
        values = values_of([of_task for of_task in findings if of_task.task.modality == modality])
        best = best_models(values)
        errors = [
            error_pairs(task.truth, {model: of for model, of in task.decided.items() if model in best})
            for task in same
            if task.truth is not None
        ]
        features = [_feature_pairs(task, rows.keys() & best, evidence, rows, seed) for task in same]
        pairs = [[part for part in parts if part is not None] for parts in (errors, features)]
        similarities.append(similarity(values, pairs[0], pairs[1], modality))
    return tuple(
        similarity
        for similarity in similarities
        if similarity.tasks or similarity.errors or similarity.features
    )


def _feature_pairs(
    of_task: TaskEvidence, known: Set[str], evidence: Evidence, rows: Mapping[str, ModelRow], seed: int
) -> ModelPairs | None:
    models = [cell.model for cell in of_task.cells if cell.model in known]
    fingerprint = of_task.task.fingerprint
    return feature_pairs(models, lambda model: evidence.features(rows[model], fingerprint), seed)


def _judge(
    cells: Sequence[Cell], task: TaskFacts, method: str, metrics: Mapping[str, Metric]
) -> Metric | None:
    """Return the metric that a score predicts on a task; None if it predicts none."""
    metric_names = {cell.metric for cell in cells if _has_value(cell, task, method)}
    return metrics.get(metric_names.pop()) if len(metric_names) == 1 else None


def _has_value(cell: Cell, task: TaskFacts, method: str) -> bool:
    return cell.task == task.address and cell.method == method and cell.value is not None
