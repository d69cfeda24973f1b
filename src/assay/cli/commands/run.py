"""assay run: runs every model on every task of a study file, or continues it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from assay.cli import options
from assay.cli.printing import say

EXAMPLES = """
Examples:

- `assay run study.toml`

- `assay run study.toml --retry-failed`

- `assay run study.toml --engine ray --gpus-per-job 0.5`  # runs it on a Ray cluster

- `assay run study.toml --shard 3/20`  # after assay plan study.toml --shards 20

A study file: `models = ["timm:resnet18.a1_in1k"]`, `tasks = ["./photos", "table:reviews.csv"]`,
`methods = ["linear_probe", "knn", "logme"]`.
"""


def command(
    study: Annotated[
        Path,
        typer.Argument(
            help="A TOML file with the fields of assay.Study; relative paths start in the current folder."
        ),
    ],
    store: Annotated[
        Path | None, typer.Option(help="Folder for results, features and the report [STUDY.assay]")
    ] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, mps or auto.")] = None,
    plugin: options.Plugins = None,
    time_limit: Annotated[
        float | None, typer.Option(help="Time limit of a job in seconds [6 hours].")
    ] = None,
    workers: options.Workers = None,
    engine: options.EngineName = None,
    gpus_per_job: options.GpusPerJob = None,
    cpus_per_job: options.CpusPerJob = None,
    memory_per_job: options.MemoryPerJob = None,
    html: options.Html = None,
    retry_failed: options.RetryFailed = False,
    max_parameters: options.MaxParameters = None,
    max_latency: options.MaxLatency = None,
    licence: options.Licence = None,
    cache_size: options.CacheSize = None,
    memory: options.Memory = None,
    examples_per_part: options.ExamplesPerPart = None,
    margin: options.Margin = None,
    cheap_by: options.CheapBy = None,
    rescan: options.Rescan = False,
    details: options.Details = False,
    dry_run: options.DryRun = False,
    offline: options.Offline = False,
    shard: Annotated[
        str | None, typer.Option(help="Run one shard of what assay plan shared out, as in 3/20.")
    ] = None,
    plan: Annotated[Path | None, typer.Option(help="The folder of that plan [STORE.shards].")] = None,
) -> None:
    """Train and test every model on every task of a study; the same command continues an interrupted one."""
    from assay.cli.output import answer
    from assay.cli.shards import run_shard
    from assay.run.study import Study

    options.go_offline_if(offline)
    read = Study.from_file(study)
    _announce(study, read.plugins, read.store if store is None else None)
    chosen = replace(
        read,
        store=store or read.store,
        device=device or read.device,
        engine=options.engine_with(
            read.engine,
            time_limit,
            workers,
            engine,
            gpus_per_job=gpus_per_job,
            cpus_per_job=cpus_per_job,
            memory_per_job=memory_per_job,
        ),
        plugins=(*read.plugins, *(plugin or ())),
        max_parameters=max_parameters or read.max_parameters,
        max_latency=max_latency or read.max_latency,
        licences=licence or read.licences,
        cache_size=cache_size or read.cache_size,
        memory=memory or read.memory,
        examples_per_part=examples_per_part or read.examples_per_part,
        margin=read.margin if margin is None else margin,
        cheap_by=cheap_by or read.cheap_by,
        rescan=rescan or read.rescan,
    )
    if shard is not None:
        run_shard(chosen, shard, plan, retry_failed=retry_failed)
        return
    answer(chosen, report=html, retry_failed=retry_failed, details=details, dry_run=dry_run)


def _announce(study: Path, plugins: Iterable[str | Path], store: str | Path | None) -> None:
    """Say which code a study file runs, and where it writes outside its folder by itself, before it runs."""
    for plugin in plugins:
        say(f"{study} runs the code of the plug-in '{Path(plugin).absolute()}'.", file=sys.stderr)
    if store is not None and not Path(store).resolve().is_relative_to(study.absolute().parent.resolve()):
        say(f"{study} writes to the store '{Path(store).absolute()}', outside its folder.", file=sys.stderr)
