"""One shard of a planned study: the study of its models and tasks only, and the jobs that it runs."""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from assay.core.errors import UsageError
from assay.core.task import Modality
from assay.plugins.address import Address
from assay.plugins.families import families, using
from assay.plugins.suite import tasks_of
from assay.run.manifest import Manifest, PlannedEvaluation, Shard, read_manifest
from assay.run.plan import Plan, resolve_models
from assay.run.random_weights import random_controls
from assay.run.study import Study
from assay.run.task_paths import with_source
from assay.run.versions import version_differences, versions


class ReadyShard(NamedTuple):
    """A shard that is ready to run.

    Attributes:
        study: The study of its models and tasks, with a store of its own.
        plan: Its evaluations.
    """

    study: Study
    plan: Plan


def shards_folder(store: str | Path) -> Path:
    """Return the folder of the plan and of the stores of shards, where none is named."""
    path = Path(store)
    return path.with_name(f"{path.name}.shards")


def ready_shard(study: Study, shard: str, folder: Path) -> ReadyShard:
    """Return what a shard runs; only its own tasks are read, and only its own models looked at.

    Args:
        study: The study that was planned.
        shard: Which one, as in "3/20".
        folder: The folder of the plan; the store of the shard is made in it.

    Raises:
        UsageError: There is no such shard, or versions, data, models or methods differ from the plan.
    """
    manifest = read_manifest(folder)
    number = _number(shard, len(manifest.shards))
    here, again = f"On {platform.node()}", "Run it where it was planned for, or plan again: assay plan."
    different = version_differences(versions(), manifest.versions)
    if different:
        raise UsageError(f"{here}, versions differ from those of the plan: {'; '.join(different)}. {again}")
    evaluations = manifest.shards[number - 1].evaluations
    _must_be_of(study, evaluations)
    own = replace(
        study,
        models=dict.fromkeys(evaluation.model for evaluation in evaluations),
        tasks=dict.fromkeys(evaluation.task for evaluation in evaluations),
        store=folder / f"{number:0{len(str(len(manifest.shards)))}}",
        control=False,  # where the study has one, it is among the models
        download=False,
        ranked_by=None,  # a shard may lack that method
    )
    try:
        ready = own.plan()
    except UsageError as error:
        raise UsageError(f"{here}: {error}") from error
    differences = _differences(manifest, manifest.shards[number - 1], ready)
    if differences:
        raise UsageError(f"{here}, {'; '.join(differences)}. {again}")
    return ReadyShard(own, ready.only({key for evaluation in evaluations for key in evaluation.keys}))


def _must_be_of(study: Study, evaluations: Iterable[PlannedEvaluation]) -> None:
    """Raise ``UsageError`` if a plan names what the study does not: it would run code that nobody named."""
    with using(families().with_files(map(Path, study.plugins))):
        addresses = (with_source(task) for text in study.tasks for task in tasks_of(Address.parse(text)))
        tasks = {str(families().tasks.create_from_source(address)) for address in addresses}
        models = resolve_models(study.models) if study.models else ()
        named = {str(model) for model in (*models, *random_controls(models, set(Modality)))}
    for model, task, _ in evaluations:
        foreign = model if models and model not in named else task if task not in tasks else None
        if foreign is not None:
            raise UsageError(f"The plan names '{foreign}', and the study does not. Plan again: assay plan.")


def _number(shard: str, count: int) -> int:
    written = re.fullmatch(r"0*(\d+)/0*(\d+)", shard)
    if written is None:
        raise UsageError(f"--shard is '{shard}'. Write which one of how many, as in --shard 3/{count}.")
    number, of = map(int, written.groups())
    if of != count or not 1 <= number <= count:
        raise UsageError(
            f"--shard is '{shard}', and the plan has {count}. Write 1/{count} to {count}/{count}."
        )
    return number


def _differences(manifest: Manifest, shard: Shard, ready: Plan) -> list[str]:
    """Return in what a study differs from its plan; nothing if all jobs of the shard are in it."""
    tasks = {task.address: task for task in ready.tasks}
    frozen = {task.address: task for task in manifest.tasks}
    found = [
        f"the data of '{address}' differ from the plan: {difference}"
        for address in dict.fromkeys(evaluation.task for evaluation in shard.evaluations)
        if (
            difference := frozen[address].difference(tasks[address])
            if address in tasks
            else "it is not there"
        )
    ]
    models = {str(evaluation.model): evaluation.identity for evaluation in ready.evaluations}
    found += [
        f"the model '{model}' differs from the plan: it is {models.get(model, 'missing')} instead of "
        f"{manifest.models[model]}"
        for model in dict.fromkeys(evaluation.model for evaluation in shard.evaluations)
        if models.get(model) != manifest.models[model]
    ]
    jobs = ready.jobs
    lacking = sum(key not in jobs for evaluation in shard.evaluations for key in evaluation.keys)
    if lacking and not found:
        found.append(
            f"the study has other methods, seeds or settings than the plan: {lacking} jobs are missing"
        )
    return found
