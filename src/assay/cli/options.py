"""Options that several commands share, and functions that parse them."""

from __future__ import annotations

from dataclasses import replace
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from assay.cli import completion

if TYPE_CHECKING:
    from assay.plugins.protocol import Protocol
    from assay.plugins.registry import Named
    from assay.store.results import Store

MaxParameters = Annotated[
    str | None, typer.Option(help="Only models of at most so many parameters: 25M, 300k.")
]
MaxLatency = Annotated[
    str | None, typer.Option(help="Only models that take at most this for one example: 20ms, 0.5s.")
]
Licence = Annotated[
    list[str] | None, typer.Option(help="Only models with this licence, or pattern; repeatable.")
]
Offline = Annotated[bool, typer.Option("--offline", help="Do not use the network. Run assay fetch first.")]
Device = Annotated[str, typer.Option(help="cpu, cuda, mps or auto.")]
Plugins = Annotated[
    list[Path] | None,
    typer.Option(help="Your Python file with a score, metric, model source, ...; repeatable."),
]
CacheSize = Annotated[
    str | None, typer.Option(help="Disk space for features; the least recently used are removed [50GB].")
]
Memory = Annotated[
    str | None,
    typer.Option(help="Most memory of a process: 8GB; features that take more are read from disk."),
]
ExamplesPerPart = Annotated[
    int | None,
    typer.Option(min=1, help="Encode larger splits in parts of so many examples, on several workers."),
]
Html = Annotated[Path | None, typer.Option(help="Where to write the HTML page [STORE/report.html].")]
RetryFailed = Annotated[
    bool,
    typer.Option(
        "--retry-failed",
        help="Run every failed job again; otherwise only those that a network, file, package, memory or "
        "lower --time-limit stopped.",
    ),
]
Rescan = Annotated[
    bool, typer.Option("--rescan", help="Read and check all files again, not only those that changed.")
]
Details = Annotated[bool, typer.Option("--details", help="Print everything: every model, errors, scores.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print tasks, models and the jobs left, and run nothing.")
]
Margin = Annotated[
    float | None,
    typer.Option(
        help="How much more a cheaper model may be expected to lose [0.01: one point]; 0: name none."
    ),
]
CheapBy = Annotated[
    str | None, typer.Option(help="What makes a model cheaper: macs, parameters, latency or memory [macs].")
]
RankedBy = Annotated[
    str | None,
    typer.Option(
        "--method", help="The score or protocol that ranks the models.", autocompletion=completion.methods
    ),
]

Budget = Annotated[
    str | None, typer.Option(help="Search the models, spending at most this: 30m, 2h or 50models.")
]
TotalBudget = Annotated[str | None, typer.Option(help="As --budget, including earlier runs of the store.")]
Tolerance = Annotated[
    str | None,
    typer.Option(help="Search until no other is expected to be this much better: 0.5pt, or a number."),
]
MaxModels = Annotated[int | None, typer.Option(help="Search, trying at most this many models.")]
MaxDownload = Annotated[str | None, typer.Option(help="Search, downloading at most this: 10GB.")]
MaxDisk = Annotated[
    str | None,
    typer.Option(help="Search, keeping at most this much of its downloads; earlier files stay."),
]
ExcludeContaminated = Annotated[
    bool,
    typer.Option(
        "--exclude-contaminated", help="Search, without models whose name says they were trained on the data."
    ),
]

Rows = Annotated[str | None, typer.Option(help="What the rows are: models or tasks.")]
MatrixName = Annotated[
    str | None,
    typer.Option("--method", help="The score or protocol whose values to read, if the table has several."),
]
LowerIsBetter = Annotated[
    list[str] | None, typer.Option(help="A task or pattern where lower is better; repeatable.")
]

_STORE = "The folder that assay run or rank wrote to."
StoreArgument = Annotated[Path, typer.Argument(help=_STORE)]
StoreOption = Annotated[Path, typer.Option(help=_STORE)]
StudyArgument = Annotated[Path, typer.Argument(help="The store of a study, or its TOML file.")]
ModelArgument = Annotated[
    str,
    typer.Argument(help="The model, by its name in the report.", autocompletion=completion.stored_models),
]
Tasks = Annotated[
    list[str] | None,
    typer.Option(
        help="A task by its name in the report; repeatable.", autocompletion=completion.stored_tasks
    ),
]
Measure = Annotated[
    str | None,
    typer.Option(help="The protocol whose results are compared.", autocompletion=completion.methods),
]
SplitSeed = Annotated[int, typer.Option(help="The seed of the study's splits.")]

Workers = Annotated[
    int | None,
    typer.Option(min=1, help="Number of processes that evaluate models in parallel."),
]

EngineName = Annotated[
    str | None,
    typer.Option("--engine", help="Where evaluations run: local, isolated, or ray for a cluster."),
]
GpusPerJob = Annotated[
    float | None, typer.Option(help="With --engine ray: GPUs of an evaluation; 0.5 runs two on each.")
]
CpusPerJob = Annotated[
    float | None, typer.Option(help="With --engine ray: processors and threads of an evaluation [1].")
]
MemoryPerJob = Annotated[
    str | None, typer.Option(help="With --engine ray: memory of an evaluation, as in 8GB.")
]

DEFAULT_STORE = Path("assay-store")


def add_plugins(paths: list[Path] | None) -> None:
    """Add the plug-ins of files to those in use."""
    from assay.plugins.families import families

    for path in paths or ():
        families().add_file(path)


def engine_with(
    engine: str, time_limit: float | None, workers: int | None, chosen: str | None = None, **per_job: Any
) -> str:
    """Return the engine of a study, or the one chosen instead, with what else the user wrote.

    Only processes of their own can be stopped or run at once: a time limit or workers turn ``local`` into
    ``isolated``, except for one worker. What an evaluation needs (``per_job``) is of a cluster.
    """
    from assay.core.errors import UsageError
    from assay.plugins.address import Address

    written, named = Address.parse(engine), Address.parse(chosen or engine)
    if named.name == written.name:
        named = replace(named, settings=tuple({**dict(written.settings), **dict(named.settings)}.items()))
    given = {"time_limit": time_limit, "workers": workers, **per_job}
    settings = {name: value for name, value in given.items() if value is not None}
    for_a_cluster = [name for name in per_job if name in settings]
    if for_a_cluster and named.name in {"local", "isolated"}:
        option = for_a_cluster[0].replace("_", "-")
        raise UsageError(
            f"--{option} applies only to evaluations on a cluster. Add --engine ray, or leave it out."
        )
    if not settings or (named.name == "local" and settings == {"workers": 1}):
        return str(named)
    name = "isolated" if named.name == "local" else named.name
    merged = {**dict(named.settings), **settings}
    return str(replace(named, name=name, settings=tuple(sorted(merged.items()))))


def go_offline_if(offline: bool) -> None:  # it is the option
    """Disable the network if ``offline``; call it before libraries that use the network are imported."""
    from assay.environment.offline import go_offline

    if offline:
        go_offline()


def free_folder(name: str) -> Path:
    """Return the first of ``name``, ``name-2``, ``name-3``, ... that is not there or is an empty folder."""
    numbered = (f"{name}-{number}" for number in count(2))
    return next(
        folder
        for folder in map(Path, chain([name], numbered))
        if not folder.exists() or (folder.is_dir() and not any(folder.iterdir()))
    )


def opened_study(study: Path, seed: int) -> tuple[Store, int]:
    """Return the store of a study and its split seed: that of its TOML file, else ``seed``."""
    from assay.run.study import Study
    from assay.store.results import open_existing

    read = Study.from_file(study) if study.suffix == ".toml" else None
    return open_existing(Path(read.store) if read else study), read.seed if read else seed


def protocol_called(method: str) -> Named[Protocol]:
    """Return a protocol by name and settings; reject scores, which train nothing."""
    from assay.plugins.protocol import Protocol
    from assay.plugins.registry import Named
    from assay.run.plan import resolve_methods

    chosen = resolve_methods([method])[0]
    if not isinstance(chosen.plugin, Protocol):
        raise typer.BadParameter(f"'{method}' trains nothing. Name a protocol, as in linear_probe.")
    return Named(chosen.address, chosen.plugin)
