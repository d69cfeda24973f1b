"""Compares models across the tasks of each modality."""

from __future__ import annotations

from collections.abc import Sequence

from assay.analysis.across_tasks.generality import GUESSING, TasksEvidence, across_tasks
from assay.analysis.per_task.task_findings import Judged
from assay.findings.across import Across
from assay.findings.matrix import Matrix
from assay.findings.per_task import TaskFindings


def across_modalities(judged: Sequence[Judged], seed: int) -> tuple[Across, ...]:
    """Compare the models of each modality across its tasks; a modality with too little to compare has none.

    Args:
        judged: All tasks.
        seed: Decides all draws.
    """
    found = []
    for modality in sorted({one.findings.task.modality for one in judged}):
        same = [one for one in judged if one.findings.task.modality == modality]
        tasks = [one.findings for one in same]
        evidence = TasksEvidence(
            values=values_of(tasks),
            index=_indices_of(tasks),
            draws={one.findings.task.address: one.draws for one in same if one.draws is not None},
            modality=modality,
            index_zero=GUESSING,
        )
        found.append(across_tasks(evidence, seed=seed))
    return tuple(one for one in found if one is not None)


def values_of(tasks: Sequence[TaskFindings]) -> Matrix:
    """Return the values of the ranking method, with the reason for each hole."""
    values = {found.task.address: {one.model: one.value for one in found.standings} for found in tasks}
    reasons = {(cell.model, cell.task): cell.reason for found in tasks for cell in found.missing}
    return Matrix.of(values, reasons)


def _indices_of(tasks: Sequence[TaskFindings]) -> Matrix:
    return Matrix.of(
        {found.task.address: {one.model: one.index for one in found.standings} for found in tasks}
    )
