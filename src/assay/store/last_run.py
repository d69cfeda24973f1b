"""The jobs and package versions of the last run of a study, to find pending jobs."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping

from assay.core.job import Job
from assay.findings.comparison import Pending
from assay.store.arrays import Arrays

SHELF, KEY, VERSIONS = "planned", "last", "versions"


def write_planned(arrays: Arrays, jobs: Iterable[Job]) -> None:
    """Write the jobs of a run, replacing those of an earlier one."""
    write_jobs(arrays, ((job.key, job.model, job.task) for job in jobs))


def write_jobs(arrays: Arrays, jobs: Iterable[tuple[str, str, str]]) -> None:
    """Write jobs, each with its key, model and task."""
    arrays.write_text(SHELF, KEY, json.dumps([list(job) for job in jobs]))


def read_jobs(arrays: Arrays) -> list[tuple[str, str, str]] | None:
    """Return the jobs of the last run, each with its key, model and task; None if they are not known."""
    return arrays.read_json(SHELF, KEY, _jobs_of)


def write_versions(arrays: Arrays, versions: Mapping[str, str]) -> None:
    """Write the versions of the packages of a run, replacing those of an earlier one."""
    arrays.write_text(SHELF, VERSIONS, json.dumps(dict(versions)))


def read_versions(arrays: Arrays) -> dict[str, str] | None:
    """Return the versions of the packages of the last run; None if they are not known."""
    return arrays.read_json(SHELF, VERSIONS, lambda written: {str(k): str(v) for k, v in written.items()})


def read_pending(arrays: Arrays, finished: Collection[str]) -> Pending | None:
    """Return the unfinished jobs of the last run; None if it finished, or is not known.

    Args:
        arrays: The files of the store.
        finished: The keys of the jobs that have a result.
    """
    jobs = read_jobs(arrays)
    return None if jobs is None else pending_of(jobs, finished)


def _jobs_of(rows: list[list[str]]) -> list[tuple[str, str, str]]:
    return [(str(key), str(model), str(task)) for key, model, task in rows]


def pending_of(jobs: Iterable[tuple[str, str, str]], finished: Collection[str]) -> Pending | None:
    """Return the remaining jobs, each with its key, model and task; None if none remain."""
    models: dict[str, set[str]] = {}
    for key, model, task in jobs:
        left = models.setdefault(model, set())
        if key not in finished:
            left.add(task)
    unfinished = {model: tuple(sorted(tasks)) for model, tasks in models.items() if tasks}
    return Pending(len(models), unfinished) if unfinished else None
