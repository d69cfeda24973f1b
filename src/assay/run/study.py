"""Studies: the public entry point that defines and runs a comparison of models."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, fields, replace
from functools import partial
from pathlib import Path

from assay.analysis.compare import compare
from assay.analysis.per_task.decision import DEFAULT_RULE, Rule
from assay.core.errors import UnknownName, UsageError
from assay.core.limits import NO_LIMITS, Limits, bytes_of
from assay.environment.devices import resolve_device
from assay.findings.comparison import Comparison
from assay.plugins.address import Address
from assay.plugins.engine import Stage, Watch
from assay.plugins.families import Families, families, using
from assay.plugins.scheduler import observed
from assay.run.evaluation import Evaluation
from assay.run.evaluator import Evaluator
from assay.run.failure import time_limit_of
from assay.run.full_matrix import FullMatrix
from assay.run.plan import Plan, plan, resolve_methods, resolve_models, resolve_tasks, runs_of
from assay.run.random_weights import random_controls, runs_for_controls
from assay.run.shown_files import keep_hardest, with_files
from assay.run.stored_evidence import evidence_of
from assay.run.study_fields import paths_of, require
from assay.run.task_facts import task_facts
from assay.run.within_budget import WithinBudget
from assay.run.zoo import models_for
from assay.store.arrays import Arrays
from assay.store.planned import write_planned
from assay.store.results import Store, open_existing

DEFAULT_METHODS = (
    "linear_probe",
    "knn",
    "ridge_cv",
    "lda_cv",
    "logme",
    "h_score_regularised",
    "leep",
    "nce",
    "loo_knn",
)

_CACHE_SIZE = "50GB"  # features of 10 million examples, 1,250 wide
ESTIMATES = tuple(name for name in DEFAULT_METHODS if name not in {"linear_probe", "knn"})


def _ignore(stage: Stage) -> None:
    """Ignore progress."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """A comparison of models on tasks by methods.

    >>> study = Study(models=["packaged:efficientnet_lite0"], tasks=["sklearn:digits"])
    >>> study.methods[0]
    'linear_probe'

    Attributes:
        models: Addresses, such as "timm:resnet50" or "timm:vit_small*"; none for all packaged or cached ones.
        tasks: Addresses or paths, such as "./photos" or "table:reviews.csv(label='stars')".
        methods: Protocols, which train and predict, and scores, which estimate.
        store: The folder for all results; running the same study again continues there.
        seed: The seed of splits that the data do not define.
        seeds: The number of seeds of methods with randomness.
        engine: Where evaluations run: "local", or in processes of their own, with a time limit per job and
            several at once: "isolated(time_limit=600, workers=4)".
        random_floor: Whether to evaluate one model per modality with random weights as a control, by the
            protocols that use features; a model that does not beat it has no useful pretraining here.
        device: "cpu", "cuda", "cuda:1", "mps", or "auto" for the fastest available device.
        batch_size: Examples per batch; a model may split batches further.
        ranked_by: The method that ranks the models; by default the most informative one.
        max_parameters: Larger models are neither ranked nor trained: 25_000_000 or "25M".
        max_latency: The same for slower models: seconds per standard example at batch size 1, or "20ms".
        licences: The same for models with other licences; names or patterns, such as "apache*".
        cache_size: Disk space for features and Moments, which can be made again: "20GB" or a number of bytes;
            by default 50 GB. What was used least recently is removed; what is being used stays.
        margin: Expected loss that a cheaper model may have beyond the recommended one, in the unit of the
            metric; by default 0.01 (one point), or 1 % of chance level if lower is better. 0 names none.
        cheap_by: The cost by which a model is cheaper: "macs", "parameters", "latency" or "memory"; by
            default multiply-accumulates, or parameters if some model lacks them.
        download: Without models: take those of a curated zoo as well, which are downloaded.
        plugins: The user's Python files, each with a score or another plug-in; their methods run as well.
    """

    models: Iterable[str] = ()
    tasks: Iterable[str]
    methods: Iterable[str] = DEFAULT_METHODS
    store: str | Path = "assay-store"
    seed: int = 0
    seeds: int = 3
    engine: str = "local"
    random_floor: bool = True
    device: str = "auto"
    batch_size: int = 32
    ranked_by: str | None = None
    max_parameters: str | float | None = None
    max_latency: str | float | None = None
    licences: Iterable[str] = ()
    cache_size: str | float | None = None
    margin: float | None = None
    cheap_by: str | None = None
    download: bool = False
    plugins: Iterable[str | Path] = ()

    def __post_init__(self) -> None:
        for name in ("models", "tasks", "methods", "licences"):
            value = getattr(self, name)
            if isinstance(value, str):
                raise UsageError(f"{name} is the text '{value}'. Write a list: {name}=['{value}'].")
            if not isinstance(value, Iterable) or not all(isinstance(item, str) for item in value):
                raise UsageError(f"{name} is {value!r}. Write a list of texts, as in {name}=['...'].")
            object.__setattr__(self, name, tuple(value))
        object.__setattr__(self, "plugins", paths_of(self.plugins))
        kinds = {
            "store": str | Path, "engine": str, "device": str, "seed": int, "seeds": int, "batch_size": int,
            "random_floor": bool, "download": bool,
        }  # fmt: skip
        for name, kind in kinds.items():
            require(name, getattr(self, name), kind)
        for name, least in (("batch_size", 1), ("seeds", 1), ("seed", 0)):
            if getattr(self, name) < least:
                raise UsageError(f"{name} is {getattr(self, name)}. Write {least} or more.")
        self._limits()
        self._cache_bytes()
        Rule.of(self.margin, self.cheap_by)

    @classmethod
    def from_file(cls, path: str | Path) -> Study:
        """Read a study from a TOML file whose keys are the fields of this class.

        Without an engine in the file, evaluations run in a process of their own, so that a crash or hang of
        one model does not end the run.
        """
        path = Path(path)
        try:
            written = tomllib.loads(path.read_text("utf-8-sig"))
        except OSError as error:
            raise UsageError(f"Cannot read the study '{path}': {error.strerror}.") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"The study '{path}' is not TOML: {error}.") from error
        known = {field.name for field in fields(cls)}
        for name in written:
            if name not in known:
                raise UnknownName("field of a study", name, known)
        if "tasks" not in written:
            raise UsageError(f"The study '{path}' has no tasks. Write tasks = ['...'].")
        return cls(**{"store": path.with_suffix(".assay"), "engine": "isolated", **written})

    def plan(self) -> Plan:
        """Resolve every name and load every task; raise for an invalid request."""
        own = families().with_files(map(Path, self.plugins))
        with using(own):
            return self._planned(own)

    def _planned(self, own: Families) -> Plan:
        root = Path(self.store)
        if root.exists() and not root.is_dir():
            raise UsageError(f"The store '{root}' is a file. Name a folder, as in store='assay-store'.")
        methods = resolve_methods(self._all_methods())
        if self.ranked_by is not None and self.ranked_by not in map(str, methods):
            raise UnknownName("method of this study", self.ranked_by, map(str, methods))
        models = resolve_models(self.models) if self.models else ()
        tasks = resolve_tasks(self.tasks, self.seed)
        device = resolve_device(self.device)
        limits, modalities, zoo = self._limits(), {task.modality for task in tasks}, None
        if not models:
            models, zoo = models_for(modalities, download=self.download, limits=limits)
        evaluations = partial(
            Evaluation,
            arrays=Arrays(root.absolute(), adds_checksums=True),
            device=device,
            batch_size=self.batch_size,
            limits=limits,
            families=own,
        )
        runs = runs_of(methods, self.seeds)
        ready = plan(models, tasks, runs, evaluations)
        if zoo is not None:
            ready = replace(ready, notes=(*zoo.notes, *ready.notes), zoo=zoo.lines)
        controls = random_controls(models, modalities) if self.random_floor else ()
        if not controls or not runs_for_controls(runs):
            return ready
        return ready.joined(plan(controls, tasks, runs_for_controls(runs), evaluations))

    def _all_methods(self) -> tuple[str, ...]:
        """Return the methods, including those defined in plug-in files."""
        names = [str(name) for name in self.methods]
        methods = {*families().scores.names(), *families().protocols.names()}
        brought = [path.stem for path in map(Path, self.plugins) if path.stem in methods]
        return (*names, *(name for name in brought if name not in names))

    def _limits(self) -> Limits:
        return Limits.of(self.max_parameters, self.max_latency, self.licences)

    def _cache_bytes(self) -> float:
        return bytes_of("cache_size", _CACHE_SIZE if self.cache_size is None else self.cache_size)

    def left(self, ready: Plan, *, retry_failed: bool = False) -> Plan:
        """Return the part of a plan that runs: what is stored is left out, unless it is tried again."""
        if not (Path(self.store) / "results.sqlite").exists():
            return ready
        store = open_existing(Path(self.store))
        try:
            return self._left(store, ready, retry_failed=retry_failed)
        finally:
            store.close()

    def _left(self, store: Store, ready: Plan, *, retry_failed: bool) -> Plan:
        limit = time_limit_of(self.engine)
        return ready.without(store.known(ready.jobs, time_limit=limit, retry_failed=retry_failed))

    def run(
        self, watch: Watch = _ignore, *, retry_failed: bool = False, ready: Plan | None = None
    ) -> Comparison:
        """Run the remaining jobs and return the comparison; calling it again resumes an interrupted run.

        Args:
            watch: Called with the current stage.
            retry_failed: Whether to run all failed jobs again. Without, those run again that lacked a
                network, file, package or memory, and with a higher limit those that took too long.
            ready: The plan, if it already exists.
        """
        ready = ready or self.plan()
        store = Store(Path(self.store))
        try:
            with using(ready.families), store.writing():
                for task in ready.tasks:
                    store.add_task(task_facts(task), task)
                left = self._left(store, ready, retry_failed=retry_failed)
                write_planned(store.arrays, ready.jobs.values())
                store.take_addresses({str(each.model): each.identity for each in ready.evaluations})
                for finished in left.inapplicable:
                    store.add(finished)
                engine = families().engines.create(Address.parse(self.engine)).plugin
                matrix = FullMatrix(left.evaluations)
                scheduler = WithinBudget(matrix, store.root, self._cache_bytes())
                with closing(engine.run(Evaluator(), scheduler, watch)) as events:
                    for event in events:
                        store.keep(event)
                        scheduler.tell(observed(event))
                return self._compared(store, ready, keeps_hardest=True)
        finally:
            store.close()

    def compare(self) -> Comparison:
        """Return the comparison of all finished jobs, without running any.

        Raises:
            StoreError: The store does not exist.
        """
        ready = self.plan()
        store = open_existing(Path(self.store))
        try:
            return self._compared(store, ready)
        finally:
            store.close()

    def _compared(self, store: Store, ready: Plan, *, keeps_hardest: bool = False) -> Comparison:
        jobs = ready.jobs
        results = [replace(result, job=jobs[result.job.key]) for result in store.results(jobs)]
        models = {str(evaluation.model) for evaluation in ready.evaluations}
        with using(ready.families):
            facts = [task_facts(task) for task in ready.tasks]
            limits, seed, rule = self._limits(), self.seed, Rule.of(self.margin, self.cheap_by)
            evidence = evidence_of(store, results, facts, models=models, limits=limits, seed=seed)
            found = compare(evidence, ranked_by=self.ranked_by, seed=seed, rule=rule)
            if keeps_hardest:
                keep_hardest(found, store, ready.tasks)
        return with_files(replace(found, warnings=(*found.warnings, *ready.notes)), store)


def compare_store(
    store: Store,
    *,
    ranked_by: str | None = None,
    limits: Limits = NO_LIMITS,
    rule: Rule = DEFAULT_RULE,
) -> Comparison:
    """Return the comparison of all results in a store, using the newest result of each job."""
    refused = [row.address for row in store.models() if row.refusal(limits)]
    evidence = evidence_of(store, store.results(), store.tasks(), models=refused, limits=limits)
    comparison = compare(evidence, ranked_by=ranked_by, seed=0, rule=rule)
    return with_files(comparison, store)
