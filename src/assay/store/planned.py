"""What the last run of a study was to do: a file beside its results, from which follows what is pending."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from pathlib import Path

from assay.core.job import Job
from assay.environment.atomic_file import written_whole
from assay.findings.comparison import Pending

PLANNED = "planned.json"


def write_planned(root: Path, jobs: Iterable[Job]) -> None:
    """Write the jobs of a run, replacing those of an earlier one."""
    rows = [[job.key, job.model, job.task] for job in jobs]
    with written_whole(root / PLANNED) as file:
        file.write(json.dumps(rows).encode())


def read_pending(root: Path, finished: Collection[str]) -> Pending | None:
    """Return what the last run has not finished; None if it finished, or is not known.

    Args:
        root: The folder of the store.
        finished: The keys of the jobs that have a result.
    """
    try:
        rows = json.loads((root / PLANNED).read_text("utf-8"))
        return pending_of([(str(key), str(model), str(task)) for key, model, task in rows], finished)
    except (OSError, ValueError, TypeError):  # of an earlier Assay, or not one of ours
        return None


def pending_of(jobs: Iterable[tuple[str, str, str]], finished: Collection[str]) -> Pending | None:
    """Return what remains of jobs, each with its key, model and task; None if nothing does."""
    models: dict[str, set[str]] = {}
    for key, model, task in jobs:
        left = models.setdefault(model, set())
        if key not in finished:
            left.add(task)
    unfinished = {model: tuple(sorted(tasks)) for model, tasks in models.items() if tasks}
    return Pending(len(models), unfinished) if unfinished else None
