"""What the last run of a study was to do, from which follows what is pending."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable

from assay.core.job import Job
from assay.findings.comparison import Pending
from assay.store.arrays import Arrays

SHELF, KEY = "planned", "last"


def write_planned(arrays: Arrays, jobs: Iterable[Job]) -> None:
    """Write the jobs of a run, replacing those of an earlier one."""
    arrays.write_text(SHELF, KEY, json.dumps([[job.key, job.model, job.task] for job in jobs]))


def read_pending(arrays: Arrays, finished: Collection[str]) -> Pending | None:
    """Return what the last run has not finished; None if it finished, or is not known.

    Args:
        arrays: The files of the store.
        finished: The keys of the jobs that have a result.
    """
    jobs = arrays.read_json(SHELF, KEY, _jobs_of)
    return None if jobs is None else pending_of(jobs, finished)


def _jobs_of(rows: list[list[str]]) -> list[tuple[str, str, str]]:
    return [(str(key), str(model), str(task)) for key, model, task in rows]


def pending_of(jobs: Iterable[tuple[str, str, str]], finished: Collection[str]) -> Pending | None:
    """Return what remains of jobs, each with its key, model and task; None if nothing does."""
    models: dict[str, set[str]] = {}
    for key, model, task in jobs:
        left = models.setdefault(model, set())
        if key not in finished:
            left.add(task)
    unfinished = {model: tuple(sorted(tasks)) for model, tasks in models.items() if tasks}
    return Pending(len(models), unfinished) if unfinished else None
