"""assay plan: plans a study in shards for a batch queue."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from assay.cli import options

EXAMPLES = """
Examples:

- `assay plan study.toml --shards 20 --gpus-per-job 1 --cpus-per-job 8 > job.sh && sbatch job.sh`

- `assay run study.toml --shard 3/20`  # without SLURM, on any machine that reads the same files

- `assay merge study.assay`  # collects what the shards finished
"""


def command(
    study: Annotated[Path, typer.Argument(help="The study file.")],
    shards: Annotated[int, typer.Option(min=1, help="How many jobs of the queue share the work.")],
    out: Annotated[
        Path | None, typer.Option(help="Folder for the plan and the stores of its shards [STORE.shards].")
    ] = None,
    store: Annotated[Path | None, typer.Option(help="The store of the study [STUDY.assay].")] = None,
    gpus_per_job: Annotated[
        int | None, typer.Option(min=0, help="GPUs of each shard, in the script.")
    ] = None,
    cpus_per_job: Annotated[int | None, typer.Option(min=1, help="CPU cores of each shard.")] = None,
    memory_per_job: Annotated[str | None, typer.Option(help="Memory of each shard, as in 32GB.")] = None,
    plugin: options.Plugins = None,
    time_limit: Annotated[
        float | None, typer.Option(help="Time limit of a job in seconds [6 hours].")
    ] = None,
    workers: options.Workers = None,
    retry_failed: options.RetryFailed = False,
    rescan: options.Rescan = False,
    fetch: Annotated[bool, typer.Option("--fetch", help="Download models and tasks first.")] = False,
    offline: options.Offline = False,
) -> None:
    """Share out the jobs that are left, freeze data and versions, and print a script for SLURM."""
    from assay.actions.slurm import Resources
    from assay.cli.shards import print_plan
    from assay.run.study import Study

    options.go_offline_if(offline and not fetch)  # with both, the shards are offline
    read = Study.from_file(study)
    chosen = replace(
        read,
        store=store or read.store,
        engine=options.engine_with(read.engine, time_limit, workers),
        plugins=(*read.plugins, *(plugin or ())),
        rescan=rescan or read.rescan,
    )
    given = {"--store": store, "--time-limit": time_limit, "--workers": workers}
    passed = [word for name, value in given.items() if value is not None for word in (name, str(value))]
    passed += [word for path in plugin or () for word in ("--plugin", str(path))]
    passed += ["--offline"] if offline else []
    print_plan(
        (study, chosen),
        shards,
        out,
        Resources(cpus_per_job, gpus_per_job, memory_per_job),
        passed,
        fetches=fetch,
        retry_failed=retry_failed,
    )
