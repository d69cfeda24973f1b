"""Compares models across the tasks of each modality."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.analysis.across_tasks.generality import GUESSING, CombinedEvidence, across_tasks
from assay.analysis.per_task.task_findings import AnalysedTask
from assay.core.task import Modality
from assay.findings.across import Across
from assay.findings.decision import Recommendation
from assay.findings.facts import ModelRow
from assay.findings.matrix import Matrix
from assay.findings.per_task import TaskFindings
from assay.wording.answer import answer


def across_modalities(judged: Sequence[AnalysedTask], seed: int) -> tuple[Across, ...]:
    """Compare the models of each modality across its tasks; modalities with too few results are left out.

    Args:
        judged: The findings on all tasks.
        seed: Seed of all draws.
    """
    comparisons = []
    for modality in sorted({judgement.findings.task.modality for judgement in judged}):
        same = [judgement for judgement in judged if judgement.findings.task.modality == modality]
        tasks = [judgement.findings for judgement in same]
        evidence = CombinedEvidence(
            values=values_of(tasks),
            index=Matrix.of({findings.task.address: _by_model(findings, "index") for findings in tasks}),
            draws={
                judgement.findings.task.address: judgement.draws
                for judgement in same
                if judgement.draws is not None
            },
            modality=modality,
            index_zero=GUESSING,
        )
        comparisons.append(across_tasks(evidence, seed=seed))
    return tuple(comparison for comparison in comparisons if comparison is not None)


def headline(
    tasks: Sequence[TaskFindings],
    across: Sequence[Across],
    rows: Mapping[str, ModelRow],
    decided: Mapping[str, Recommendation],
    method: str,
) -> tuple[str, ...]:
    """Return the answer for each modality, in a few sentences.

    Args:
        tasks: The findings on all tasks.
        across: The comparisons across tasks, one for each modality.
        rows: The models by address.
        decided: The decision of each modality that has one.
        method: The method that ranks the models.
    """
    sentences = []
    for modality in Modality:
        same = [findings for findings in tasks if findings.task.modality == modality]
        if same:
            general = next((part for part in across if part.modality == modality), None)
            decision = decided.get(modality.value)
            sentences.append(answer(modality, same, decision, general, rows, method))
    return tuple(sentences)


def values_of(tasks: Sequence[TaskFindings]) -> Matrix:
    """Return the values of the ranking method, with a reason for each missing value."""
    values = {findings.task.address: _by_model(findings, "value") for findings in tasks}
    reasons = {(cell.model, cell.task): cell.reason for findings in tasks for cell in findings.missing}
    return Matrix.of(values, reasons)


def _by_model(findings: TaskFindings, name: str) -> dict[str, float | None]:
    return {model: getattr(standing, name) for model, standing in findings.by_model.items()}
