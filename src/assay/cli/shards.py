"""Plans the shards of a study or runs one of them, and prints the outcome."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import typer

from assay.actions.fetch import Missing, fetch
from assay.actions.plan_shards import plan_shards
from assay.actions.slurm import Resources, slurm_script
from assay.cli.output import failed_models, stopping
from assay.cli.printing import say
from assay.cli.progress import read_plan, run_and_show
from assay.core.errors import AssayError
from assay.core.text import plural
from assay.reports.terminal.console import console as new_console
from assay.run.shard import ready_shard, shards_folder
from assay.run.study import Study
from assay.wording.numbers import duration


def print_plan(
    named: tuple[Path, Study],
    shards: int,
    out: Path | None,
    resources: Resources,
    passed: Sequence[str],
    *,
    fetches: bool,
    retry_failed: bool,
) -> None:
    """Plan a study in shards; print the script for SLURM, and what it will do on standard error.

    Args:
        named: The study and its file.
        shards: The most shards.
        out: The folder of the plan; None for the one next to the store.
        resources: What each shard gets.
        passed: Options for each shard.
        fetches: Whether models and tasks are downloaded first.
        retry_failed: Whether failed jobs run again.
    """
    file, study = named
    folder = out or shards_folder(study.store)
    if fetches:
        _fetch_all(study)
    slurm_script(file, shards, folder, resources, passed)  # what no script can hold stops here
    ready = read_plan(study, new_console(stderr=True))
    planned = plan_shards(study, ready, shards, folder, retry_failed=retry_failed)
    manifest = planned.manifest
    if not manifest.shards:
        _note("Nothing to run: all results exist.")
        return
    count, seconds = len(manifest.shards), [shard.seconds for shard in manifest.shards]
    if planned.measured:
        resources = resources._replace(seconds=max(seconds))
    by = f"speed of {plural(planned.measured, 'model')}" if planned.measured else "size of the models"
    evaluations = sum(len(shard.evaluations) for shard in manifest.shards)
    say(slurm_script(file, count, folder, resources, passed).rstrip("\n"))
    _note(
        f"{plural(evaluations, 'evaluation')} of {plural(len(manifest.models), 'model')} in "
        f"{plural(count, 'shard')} of {duration(min(seconds))} to {duration(max(seconds))}, predicted from "
        f"the {by}. Plan: {folder}."
    )
    run = shlex.join(["assay", "run", str(file), *(["--plan", str(folder)] if out else []), *passed])
    _note(
        f"Each shard: {run} --shard 1/{count}. Then: {shlex.join(['assay', 'merge', str(study.store)])}"
        f"{' ' + shlex.quote(str(folder)) if out else ''}"
    )


def run_shard(study: Study, shard: str, folder: Path | None, *, retry_failed: bool) -> None:
    """Run one shard and print how many of its jobs finished; exit with 1 if a model failed."""
    console = new_console(stderr=True)
    with stopping():
        with console.status("Reading tasks and models ..."):
            ready = ready_shard(study, shard, folder or shards_folder(study.store))
        comparison = run_and_show(ready.study, console, retry_failed=retry_failed, ready=ready.plan)
    jobs, store = len(ready.plan.jobs), ready.study.store
    say(f"Shard {shard} finished: {plural(jobs, 'job')} in {store}. Next: assay merge {study.store}")
    if failed_models(comparison):
        raise typer.Exit(code=1)


def _fetch_all(study: Study) -> None:
    for each in fetch((*study.models, *study.tasks)):
        if isinstance(each, Missing):
            raise AssayError(f"Cannot fetch '{each.address}': {each.reason}")
        size = sum(each.downloaded.values()) / 1e6
        _note(f"{each.address}: {f'{size:,.1f} MB downloaded' if size else 'cached already'}")


def _note(text: str) -> None:
    say(text, file=sys.stderr)
