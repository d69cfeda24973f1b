"""What has no value, gathered by its reason, so that one cause is one line."""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.result import Status
from assay.findings.comparison import Comparison
from assay.findings.per_task import Cell, TaskFindings


@dataclass(frozen=True, slots=True)
class TaskHole:
    """One reason why some models have no value on a task."""

    status: Status
    reason: str
    models: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Hole:
    """One reason why a model has no value by a method, on some tasks."""

    model: str
    method: str
    status: Status
    reason: str
    tasks: tuple[str, ...]


def task_holes(findings: TaskFindings) -> tuple[TaskHole, ...]:
    """Return the models without a value on a task, failures first."""
    models: dict[tuple[Status, str], list[str]] = {}
    for cell in findings.missing:
        models.setdefault((cell.status, cell.reason), []).append(cell.model)
    found = [TaskHole(status, reason, tuple(of)) for (status, reason), of in models.items()]
    return tuple(sorted(found, key=lambda hole: hole.status is not Status.FAILED))


def holes(comparison: Comparison) -> tuple[Hole, ...]:
    """Return everything without a value: by the ranking method first, then by the others; failures first."""
    cells = [*(cell for one in comparison.tasks for cell in one.missing), *_of_other_methods(comparison)]
    tasks: dict[tuple[str, str, Status, str], list[str]] = {}
    for cell in cells:
        tasks.setdefault((cell.model, cell.method, cell.status, cell.reason), []).append(cell.task)
    found = [Hole(*key, tuple(of)) for key, of in tasks.items()]
    return tuple(sorted(found, key=lambda hole: hole.status is not Status.FAILED))


def _of_other_methods(comparison: Comparison) -> list[Cell]:
    """Return the cells of other methods without a value, where the ranking method has one or a reason."""
    told = {(cell.task, cell.model) for one in comparison.tasks for cell in one.missing}
    valued = {(one.task.address, row.model) for one in comparison.tasks for row in one.standings}
    return [
        cell
        for cell in comparison.cells
        if cell.value is None and cell.method != comparison.ranked_by
        if (cell.task, cell.model) in valued | told
    ]
