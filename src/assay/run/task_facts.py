"""Facts about a task for reports: sizes, chance level, and warnings."""

from __future__ import annotations

from assay.core.task import Task
from assay.findings.facts import TaskFacts
from assay.run.evaluation import chance_level

FEW = 30  # with fewer test examples, the interval of a mid-range accuracy is wider than 30 points


def task_facts(task: Task) -> TaskFacts:
    """Return the facts about a task for reports."""
    return TaskFacts(
        address=task.address,
        kind=task.kind,
        modality=task.modality,
        metric=task.metric,
        classes=task.classes,
        train_count=len(task.train),
        val_count=len(task.val),
        test_count=len(task.test),
        floor=chance_level(task),
        fingerprint=task.fingerprint,
        notes=task.notes + _too_few(task),
        slices=tuple(slicing.column for slicing in task.slices),
        warnings=task.warnings + _too_few(task),
        split_source=task.split_source,
    )


def _too_few(task: Task) -> tuple[str, ...]:
    """Return a warning if test is too small to separate models."""
    if len(task.test) >= FEW:
        return ()
    each = 100 / len(task.test)
    return (
        f"Only {len(task.test)} test examples, so one is worth {each:.0f} points: expect wide intervals.",
    )
