"""assay rank: ranks models on tasks and recommends one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli import completion, options

EXAMPLES = """
Examples:

- `assay rank ./photos`  # compares all models for images that are packaged or cached here

- `assay rank ./photos --model 'timm:*mobilenetv3*' --model torchvision:resnet18`

- `assay rank 'reviews.csv(label="stars")' --model sentence:all-MiniLM-L6-v2`

- `assay rank ./photos --model 'timm:vit_small*' --estimate`  # trains nothing

- `assay rank ./photos --model 'timm:*' --budget 30m`  # tries the models that promise most for their cost

- `assay rank reviews.csv --model sentence:all-MiniLM-L6-v2 --dry-run`  # shows how the data are read
"""


def command(
    tasks: Annotated[
        list[str], typer.Argument(help="Folder, table, or source:name.", autocompletion=completion.tasks)
    ],
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            help="Address or pattern; repeatable [all packaged and cached].",
            autocompletion=completion.models,
        ),
    ] = None,
    download: Annotated[
        bool, typer.Option("--download", help="Without --model: take a curated zoo, which is downloaded.")
    ] = False,
    methods: Annotated[
        list[str] | None,
        typer.Option("--method", help="Score or protocol; repeatable.", autocompletion=completion.methods),
    ] = None,
    estimate: Annotated[
        bool,
        typer.Option("--estimate", help="Compute scores only: nothing is trained, and test is not used."),
    ] = False,
    no_control: Annotated[
        bool, typer.Option("--no-control", help="Leave out the control: one model with random weights.")
    ] = False,
    store: Annotated[
        Path, typer.Option(help="Folder for results, features and the report.")
    ] = options.DEFAULT_STORE,
    seed: Annotated[int, typer.Option(help="The seed of splits that the data do not define.")] = 0,
    seeds: Annotated[int, typer.Option(help="Number of seeds for methods that are random.")] = 3,
    device: options.Device = "auto",
    batch_size: Annotated[int, typer.Option(help="Examples in one forward pass.")] = 32,
    plugin: options.Plugins = None,
    time_limit: Annotated[
        float | None,
        typer.Option(help="Time limit of a job in seconds; each model then runs in a process of its own."),
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
    margin: options.Margin = None,
    cheap_by: options.CheapBy = None,
    budget: options.Budget = None,
    total_budget: options.TotalBudget = None,
    tolerance: options.Tolerance = None,
    max_models: options.MaxModels = None,
    max_download: options.MaxDownload = None,
    max_disk: options.MaxDisk = None,
    exclude_contaminated: options.ExcludeContaminated = False,
    rescan: options.Rescan = False,
    details: options.Details = False,
    dry_run: options.DryRun = False,
    offline: options.Offline = False,
) -> None:
    """Rank models on tasks, with intervals, costs, and a recommendation."""
    from assay.cli.output import answer
    from assay.core.errors import UsageError
    from assay.plugins.address import Address
    from assay.plugins.families import families
    from assay.run.study import Study
    from assay.run.study_settings import DEFAULT_METHODS, ESTIMATES

    options.go_offline_if(offline)
    options.add_plugins(plugin)
    protocols = [
        method for method in methods or () if Address.parse(method).name in families().protocols.names()
    ]
    if estimate and protocols:
        raise UsageError(f"--estimate trains nothing; '{protocols[0]}' trains. Leave out one of them.")
    chosen = methods or (ESTIMATES if estimate else DEFAULT_METHODS)
    study = Study(
        models=models or (),
        download=download,
        tasks=tasks,
        methods=chosen,
        store=store,
        seed=seed,
        seeds=seeds,
        device=device,
        batch_size=batch_size,
        control=not no_control,
        max_parameters=max_parameters,
        max_latency=max_latency,
        licences=licence or (),
        cache_size=cache_size,
        memory=memory,
        margin=margin,
        cheap_by=cheap_by,
        plugins=plugin or (),
        budget=budget,
        total_budget=total_budget,
        tolerance=tolerance,
        max_models=max_models,
        max_download=max_download,
        max_disk=max_disk,
        exclude_contaminated=exclude_contaminated,
        rescan=rescan,
        engine=options.engine_with(
            "local",
            time_limit,
            workers,
            engine,
            gpus_per_job=gpus_per_job,
            cpus_per_job=cpus_per_job,
            memory_per_job=memory_per_job,
        ),
    )
    answer(study, report=html, retry_failed=retry_failed, details=details, dry_run=dry_run)
