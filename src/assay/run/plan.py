"""Plans a study: resolves all names and creates the evaluations and job keys, without running them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import NamedTuple

from assay.core.errors import AssayError, NotApplicable, UnknownName, UnreadableTask, UsageError
from assay.core.escaping import quoted
from assay.core.job import Job
from assay.core.keys import MethodParts, ModelParts, job_key
from assay.core.model import ModelSource
from assay.core.paths import path_of
from assay.core.result import Finished, Result, Status
from assay.core.task import Task
from assay.environment.process_state import undone
from assay.findings.per_task import OTHER_MODALITY
from assay.plugins.address import Address
from assay.plugins.families import Families, families
from assay.plugins.method import Method
from assay.plugins.protocol import Protocol
from assay.plugins.registry import Named
from assay.plugins.settings import all_settings
from assay.plugins.suite import tasks_of
from assay.run.broken_source import checked_models
from assay.run.distinct_models import distinct_models
from assay.run.evaluation import Evaluation, chance_level
from assay.run.failure import reason_of
from assay.run.task_paths import with_source
from assay.wording.numbers import PLURAL


class Run(NamedTuple):
    """A method with one of its seeds."""

    method: Named[Method]
    seed: int


@dataclass(frozen=True, slots=True)
class Plan:
    """All evaluations of a study.

    Attributes:
        inapplicable: Skipped results of model-task pairs with different modalities.
        families: The plug-in registries.
        notes: What was left out, in sentences.
        zoo: Where the study names no models, the names and sizes of those left out and downloaded, in lines.
        seconds: What making it took, above all reading the tasks.
    """

    tasks: tuple[Task, ...]
    evaluations: tuple[Evaluation, ...]
    inapplicable: tuple[Finished, ...]
    families: Families
    notes: tuple[str, ...] = ()
    zoo: tuple[str, ...] = ()
    seconds: float = 0.0

    @property
    def jobs(self) -> dict[str, Job]:
        """All jobs by key."""
        evaluated = {job.key: job for evaluation in self.evaluations for job, _ in evaluation.jobs}
        return evaluated | {row.result.job.key: row.result.job for row in self.inapplicable}

    def without(self, done: Collection[str]) -> Plan:
        """Return the plan without the jobs with these keys."""
        left = tuple(evaluation.without(done) for evaluation in self.evaluations)
        return replace(
            self,
            evaluations=tuple(evaluation for evaluation in left if evaluation.jobs),
            inapplicable=tuple(row for row in self.inapplicable if row.result.job.key not in done),
        )

    def only(self, keys: Collection[str]) -> Plan:
        """Return the plan with the jobs with these keys alone."""
        return self.without(self.jobs.keys() - set(keys))

    def joined(self, controls: Plan) -> Plan:
        """Return this plan extended with the evaluations of the control models."""
        return replace(self, evaluations=(*self.evaluations, *controls.evaluations))


def plan(
    models: Sequence[Named[ModelSource]],
    tasks: Sequence[Task],
    runs: Sequence[Run],
    evaluation: Callable[..., Evaluation],
    *,
    train_rows: int | None = None,
) -> Plan:
    """Return the evaluations of models x tasks, each with the jobs of all runs.

    The order of models, tasks and runs determines the order of execution but no key.

    Args:
        models: The models.
        tasks: The tasks.
        runs: The methods with their seeds.
        evaluation: Creates an evaluation from its model, identity, task, jobs and train_rows; its other
            fields are the same for all.
        train_rows: The number of examples of train that the methods see, the first of its fixed order; None,
            or as many as there are, for all.
    """
    evaluations: list[Evaluation] = []
    inapplicable: list[Finished] = []
    sources, notes = distinct_models(models)
    for model, identity, modality in sources:
        for task in tasks:
            rows = _part_of_train(task, train_rows)
            jobs = tuple(
                (job_of(model, identity, task, run, train_rows=rows), run.method.plugin) for run in runs
            )
            if modality in {task.modality, None}:
                ready = evaluation(model=model, identity=identity, task=task, jobs=jobs, train_rows=rows)
                evaluations.append(ready)
                continue
            assert modality is not None
            reads, has = PLURAL[modality], PLURAL[task.modality]
            reason = f"{OTHER_MODALITY}: the model reads {reads}, the task has {has}"
            inapplicable.extend(Finished(Result(job, Status.SKIPPED, reason=reason)) for job, _ in jobs)
    if not evaluations:
        reads = ", ".join(f"{model} reads {PLURAL[modality]}" for model, _, modality in sources if modality)
        holds = ", ".join(f"{task.address} holds {PLURAL[task.modality]}" for task in tasks)
        raise UsageError(
            f"No model reads the examples of a task: {reads}, but {holds}. Name a model that does."
        )
    return Plan(tuple(tasks), tuple(evaluations), tuple(inapplicable), families(), notes)


def runs_of(methods: Iterable[Named[Method]], seeds: int) -> tuple[Run, ...]:
    """Return every method with each of its seeds; deterministic methods have one."""
    return tuple(
        Run(method, seed)
        for method in methods
        for seed in range(method.plugin.repeats(seeds) if isinstance(method.plugin, Protocol) else 1)
    )


def _part_of_train(task: Task, train_rows: int | None) -> int | None:
    if train_rows is None or train_rows >= len(task.train):
        return None
    if train_rows < 1:
        raise UsageError(f"train_rows={train_rows} leaves nothing to learn from. Write 1 or more.")
    return train_rows


def job_of(
    model: Named[ModelSource], identity: str, task: Task, run: Run, *, train_rows: int | None = None
) -> Job:
    """Return the job, whose key depends on everything that determines its result."""
    method = run.method.plugin
    key = job_key(
        model=ModelParts(model.address.source, identity, model.plugin.encoding_version),
        task=task.fingerprint,
        metric=task.metric,
        method=MethodParts(run.method.address.name, all_settings(method), method.version, method.content()),
        seed=run.seed,
        train_rows=train_rows,
    )
    return Job(str(model), task.address, str(run.method), run.seed, key, task.fingerprint, train_rows)


def resolve_models(texts: Iterable[str]) -> tuple[Named[ModelSource], ...]:
    """Return the distinct model sources of addresses and patterns; raise for unknown names."""
    models: dict[str, Named[ModelSource]] = {}
    for text in texts:
        for named in checked_models(model_address(text)):
            bare = str(named.address.without_alias())
            if named.address.alias or bare not in models:
                models[bare] = named
    if not models:
        raise UsageError("No models. Name at least one, as in --model timm:resnet50.")
    return tuple(models.values())


def resolve_tasks(texts: Iterable[str], seed: int) -> tuple[Task, ...]:
    """Load the tasks of addresses and bare paths; raise for unreadable data."""
    tasks = _distinct(
        _load_task(with_source(task), seed) for text in texts for task in tasks_of(Address.parse(text))
    )
    if not tasks:
        raise UsageError("No tasks. Name at least one, as in ./photos or table:reviews.csv.")
    for task in tasks:
        if task.kind not in families().metrics.load(task.metric).kinds:
            raise UsageError(
                f"The metric '{task.metric}' does not judge {task.kind} tasks such as '{task.address}'. "
                f"Set another, as in (metric='{'accuracy' if task.classes else 'spearman'}')."
            )
        try:
            chance_level(task)
        except NotApplicable as reason:
            raise UsageError(
                f"The metric '{task.metric}' does not judge '{task.address}': {reason}. Set another."
            ) from reason
        except Exception as error:  # of a metric of the user's own
            raise UsageError(
                f"The metric '{task.metric}' fails on '{task.address}': {type(error).__name__}: {error}."
            ) from error
    return tasks


def _load_task(address: Address, seed: int) -> Task:
    named = families().tasks.create_from_source(address)
    try:
        return named.plugin.load(str(named), seed)
    except AssayError:
        raise
    except Exception as error:  # of its library, or of a plug-in of the user's own
        raise UnreadableTask(f"The task '{named}' cannot be loaded: {reason_of(error)}") from error


def _distinct(tasks: Iterable[Task]) -> tuple[Task, ...]:
    """Return the tasks without duplicates: the same examples, labels and split under another address."""
    distinct: dict[tuple[str, str], Task] = {}
    for task in tasks:
        first = distinct.setdefault((task.fingerprint, task.metric), task)
        if first.address != task.address:
            note = f"{task.address} holds the same data and is left out"
            distinct[task.fingerprint, task.metric] = replace(first, notes=(*first.notes, note))
    return tuple(distinct.values())


def resolve_methods(texts: Iterable[str]) -> tuple[Named[Method], ...]:
    """Return scores and protocols by name."""
    methods: dict[str, Named[Method]] = {}
    for text in texts:
        address = Address.parse(text)
        if address.name in families().protocols.names():
            protocol = families().protocols.create(address)
            methods[str(protocol)] = Named(protocol.address, protocol.plugin)
        elif address.name in families().scores.names():
            score = families().scores.create(address)
            methods[str(score)] = Named(score.address, score.plugin)
        else:
            raise UnknownName(
                "method", address.name, {*families().protocols.names(), *families().scores.names()}
            )
    if not methods:
        raise UsageError("No methods. Name at least one, as in --method linear_probe.")
    return tuple(methods.values())


def model_address(text: str) -> Address:
    """Return the address of a model, whose source may follow from what its folder holds."""
    address = Address.parse(text)
    if address.source:
        return address
    path = path_of(address.name)
    if (path / "modules.json").is_file():
        return address.with_source("sentence")
    if (path / "config.json").is_file():
        return address.with_source("hf")
    sources = ", ".join(families().models.names())
    if path.is_file():
        raise UsageError(
            f"'{text}' is a file. If it holds data, 'assay rank {quoted(text)} --dry-run' shows how they are "
            f"read; if it is a model, write its source before it, as 'onnx:model.onnx'; sources: {sources}."
        )
    known = _sources_of(address.name)
    example = " or ".join(f"'{source}:{text}'" for source in known or ["timm"])
    raise UsageError(
        f"Cannot tell where the model '{text}' comes from. Write source:name, as in {example}; "
        f"sources: {sources}."
    )


def _sources_of(name: str) -> list[str]:
    """Return the installed sources that list a model of this name, or weights of it."""
    found = []
    for source in families().models.names():
        with suppress(Exception), undone():  # its package is not installed, or does not run
            kind = families().models.load(source)
            names = {full.partition(".")[0] for full in kind.list_names()}
            if name in names or name in kind.list_names():
                kind(name).check()
                found.append(source)
    return found
