"""Runs finished jobs of a store again, in a separate store, and compares the results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from assay.core.errors import AssayError
from assay.core.result import Result
from assay.findings.verification import Rerun
from assay.run.study import Study
from assay.store.results import Store, open_existing


def run_again(store: Store, results: Sequence[Result], device: str) -> Iterator[Rerun]:
    """Yield the current result of each job; with changed data, model or versions it is not comparable.

    Args:
        store: Where the results come from.
        results: Finished results on all of train.
        device: The device on which models run.
    """
    for result in results:
        job = result.job
        assert result.value is not None
        with TemporaryDirectory(prefix="assay-verify-") as folder:
            try:
                again, differing = _again(store, result, Path(folder), device)
                reason = ""
            except AssayError as error:
                again, differing, reason = None, None, str(error)
        yield Rerun(job.model, job.task, job.method, job.seed, result.value, again, differing, reason)


def _again(store: Store, result: Result, folder: Path, device: str) -> tuple[float, float | None]:
    key, job = result.job.key, result.job
    study = Study(
        models=[job.model],
        tasks=[job.task],
        methods=[job.method],
        seeds=job.seed + 1,
        store=folder,
        device=device,
        control=False,
    )
    ready = study.plan()
    if key not in ready.jobs:
        raise AssayError("its data, its model or the version of a package has changed")
    study.run(ready=ready.without(ready.jobs.keys() - {key}))
    with closing(open_existing(folder)) as fresh:
        (now,) = fresh.results({key})
        if now.value is None:
            raise AssayError(now.reason)
        before, after = (side.predictions([key]).get(key) for side in (store, fresh))
        if before is None or after is None:
            return now.value, None
        return now.value, 1 - float(before.agrees_with(after).mean())
