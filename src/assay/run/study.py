"""Studies: the public entry point that defines and runs a comparison of models."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import final

from assay.analysis.compare import compare
from assay.analysis.per_task.decision import Rule
from assay.core.errors import UnknownName, UsageError
from assay.core.task import Task
from assay.encoders.pixel_cache import pixel_budget
from assay.environment.devices import resolve_device
from assay.findings.comparison import Comparison
from assay.findings.search_progress import SearchProgress
from assay.plugins.address import Address
from assay.plugins.engine import Engine, Watch
from assay.plugins.families import Families, families, using
from assay.plugins.scheduler import observed
from assay.readers.checking import reading_again
from assay.run.evaluation import Evaluation
from assay.run.evaluator import Evaluator
from assay.run.failure import time_limit_of
from assay.run.full_matrix import FullMatrix
from assay.run.job_order import largest_first, runs_several
from assay.run.partial_scheduler import InParts
from assay.run.plan import Plan, plan, resolve_methods, resolve_models, resolve_tasks, runs_of
from assay.run.random_weights import random_controls, runs_for_controls
from assay.run.report_files import keep_hardest, with_files
from assay.run.search.candidates import CandidateModels, choice_of
from assay.run.search.conclusion import conclude
from assay.run.search.run import SearchRequest, Watches, prepare, run_search
from assay.run.stored_comparison import compare_store
from assay.run.stored_evidence import evidence_of
from assay.run.study_settings import StudySettings
from assay.run.task_facts import task_facts
from assay.run.versions import versions
from assay.run.within_budget import WithinBudget
from assay.run.zoo import models_for
from assay.store.arrays import Arrays
from assay.store.cache import make_room
from assay.store.last_run import write_planned, write_versions
from assay.store.location import require_place
from assay.store.results import Store, open_existing
from assay.store.search_log import forget_search, write_search


def _ignore(stage: object) -> None:
    """Ignore progress."""


@final
class Study(StudySettings):
    """A comparison of models on tasks by methods; its parameters are those of :class:`StudySettings`.

    >>> study = Study(models=["packaged:efficientnet_lite0"], tasks=["sklearn:digits"])
    >>> study.methods[0]
    'linear_probe'
    """

    __slots__ = ()

    def plan(self) -> Plan:
        """Resolve every name and load every task; raise for an invalid request."""
        start = time.monotonic()
        own = families().with_files(map(Path, self.plugins))
        with using(own):
            planned = self._planned(own)
        return replace(planned, seconds=time.monotonic() - start)

    def _planned(self, own: Families) -> Plan:
        root = Path(self.store)
        if root.exists() and not root.is_dir():
            raise UsageError(f"The store '{root}' is a file. Name a folder, as in store='assay-store'.")
        require_place(root)
        pixel_budget()  # one that cannot be read stops here
        methods = resolve_methods(self._all_methods())
        if self.ranked_by is not None and self.ranked_by not in map(str, methods):
            raise UnknownName("method of this study", self.ranked_by, map(str, methods))
        runs = runs_of(methods, self.seeds)
        if self.is_search:
            return Plan(self._tasks(), (), (), own)
        models = resolve_models(self.models) if self.models else ()
        tasks = self._tasks()
        modalities, zoo = {task.modality for task in tasks}, None
        if not models:
            models, zoo = models_for(modalities, download=self.download, limits=self.limits())
        evaluations = self._evaluations(own)
        ready = plan(models, tasks, runs, evaluations)
        if zoo is not None:
            ready = replace(ready, notes=(*zoo.notes, *ready.notes), zoo=zoo.lines)
        controls = random_controls(models, modalities) if self.control else ()
        if not controls or not runs_for_controls(runs):
            return ready
        return ready.joined(plan(controls, tasks, runs_for_controls(runs), evaluations))

    def _tasks(self) -> tuple[Task, ...]:
        with reading_again(self.rescan):
            return resolve_tasks(self.tasks, self.seed)

    def _evaluations(self, own: Families) -> Callable[..., Evaluation]:
        """Return what creates an evaluation from its model, identity, task, jobs and train_rows."""
        return partial(
            Evaluation,
            arrays=Arrays(Path(self.store).absolute(), adds_checksums=True),
            device=resolve_device(self.device),
            batch_size=self.batch_size,
            limits=self.limits(),
            families=own,
            memory_bytes=self.memory_bytes(),
            examples_per_part=self.examples_per_part,
        )

    def _all_methods(self) -> tuple[str, ...]:
        """Return the methods, including those defined in plug-in files."""
        names = [str(name) for name in self.methods]
        methods = {*families().scores.names(), *families().protocols.names()}
        brought = [path.stem for path in map(Path, self.plugins) if path.stem in methods]
        return (*names, *(name for name in brought if name not in names))

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

    def begin(self, ready: Plan, *, retry_failed: bool = False) -> Plan:
        """Note in the store what a plan is to do, as a run does first; return what is left to run."""
        store = Store(Path(self.store))
        try:
            with using(ready.families), store.writing():
                return self._begun(store, ready, retry_failed=retry_failed)
        finally:
            store.close()

    def _begun(self, store: Store, ready: Plan, *, retry_failed: bool) -> Plan:
        for task in ready.tasks:
            store.add_task(task_facts(task), task)
        write_versions(store.arrays, versions())
        if self.is_search:
            return ready
        forget_search(store.arrays)
        left = self._left(store, ready, retry_failed=retry_failed)
        write_planned(store.arrays, ready.jobs.values())
        store.take_addresses({str(each.model): each.identity for each in ready.evaluations})
        for finished in left.inapplicable:
            store.add(finished)
        return left

    def run(
        self,
        watch: Watch = _ignore,
        *,
        retry_failed: bool = False,
        ready: Plan | None = None,
        show: Callable[[SearchProgress], None] = _ignore,
    ) -> Comparison:
        """Run the remaining jobs and return the comparison; calling it again resumes an interrupted run.

        Args:
            watch: Called with the current stage.
            retry_failed: Whether to run all failed jobs again. Without, those run again that lacked a
                network, file, package or memory, and with a higher limit those that took too long.
            ready: The plan, if it already exists.
            show: Called with how far a search is, after each of its steps.
        """
        start = time.monotonic() - (0.0 if ready is None else ready.seconds)
        ready = ready or self.plan()
        require_place(Path(self.store))
        store = Store(Path(self.store))
        try:
            with using(ready.families), store.writing():
                left = self._begun(store, ready, retry_failed=retry_failed)
                engine = families().engines.create(Address.parse(self.engine)).plugin
                if self.is_search:
                    return self._searched(
                        store, ready, engine, Watches(watch, show), start, retry_failed=retry_failed
                    )
                self._evaluate(store, engine, left.evaluations, watch)
                store.arrays.drop_damaged_packs()
                return self._compared(store, ready, keeps_hardest=True)
        finally:
            store.close()

    def _evaluate(
        self, store: Store, engine: Engine, evaluations: tuple[Evaluation, ...], watch: Watch
    ) -> None:
        """Run what is left; where nothing is, the engine does not start, which on Ray takes long."""
        if not evaluations:
            make_room(store.root, self.cache_bytes(), time.time())
            return
        if runs_several(engine):
            evaluations = largest_first(evaluations, store.results())
        matrix = InParts(FullMatrix(evaluations))
        scheduler = WithinBudget(matrix, store.root, self.cache_bytes())
        with closing(engine.run(Evaluator(), scheduler, watch)) as events:
            for event in events:
                store.keep(event)
                scheduler.tell(observed(event))

    def _searched(
        self,
        store: Store,
        ready: Plan,
        engine: Engine,
        watches: Watches,
        start: float,
        *,
        retry_failed: bool,
    ) -> Comparison:
        """Search the models and return the comparison of those that finished."""
        rule, limit = self.search_rule(), time_limit_of(self.engine)
        search = prepare(
            self.choice(ready.tasks),
            SearchRequest(
                ready.tasks,
                runs_of(resolve_methods(self._all_methods()), self.seeds),
                self._evaluations(ready.families),
                self.control,
                start,
            ),
            rule,
            store,
            partial(store.known, time_limit=limit, retry_failed=retry_failed),
        )

        def keep() -> None:
            write_search(store.arrays, conclude(search, store, is_running=True))

        run_search(search, store, engine, watches, self.cache_bytes(), keep)
        findings = conclude(search, store)
        write_search(store.arrays, findings)
        store.arrays.drop_damaged_packs()
        done = replace(ready, evaluations=tuple(search.scheduler.evaluations))
        store.take_addresses({str(each.model): each.identity for each in done.evaluations})
        write_planned(store.arrays, done.jobs.values())
        return replace(self._compared(store, done, keeps_hardest=True), search=findings)

    def choice(self, tasks: Sequence[Task]) -> CandidateModels:
        """Return the models that a search chooses from, for tasks of one modality."""
        models = map(str, self.models)
        notes: tuple[str, ...] = ()
        names: tuple[str, ...] = ()
        if not self.models:
            modalities = {task.modality for task in tasks}
            chosen, zoo = models_for(modalities, download=self.download, limits=self.limits())
            models, notes, names = map(str, chosen), zoo.notes, zoo.lines
        choice = choice_of(models, self.limits(), self.search_rule())
        return choice._replace(notes=notes, zoo=names)

    def compare(self) -> Comparison:
        """Return the comparison of all finished jobs, without running any.

        Raises:
            StoreError: The store does not exist.
        """
        ready = self.plan()
        store = open_existing(Path(self.store))
        try:
            if self.is_search:
                found = compare_store(store, ranked_by=self.ranked_by, limits=self.limits())
                return replace(found, warnings=tuple(found.warnings))
            return self._compared(store, ready)
        finally:
            store.close()

    def _compared(self, store: Store, ready: Plan, *, keeps_hardest: bool = False) -> Comparison:
        jobs = ready.jobs
        results = [replace(result, job=jobs[result.job.key]) for result in store.results(jobs)]
        models = {str(evaluation.model) for evaluation in ready.evaluations}
        with using(ready.families):
            facts = [task_facts(task) for task in ready.tasks]
            limits, seed, rule = self.limits(), self.seed, Rule.of(self.margin, self.cheap_by)
            evidence = evidence_of(store, results, facts, models=models, limits=limits, seed=seed)
            found = compare(evidence, ranked_by=self.ranked_by, seed=seed, rule=rule)
            if keeps_hardest:
                keep_hardest(found, store, ready.tasks)
        whole = with_files(replace(found, warnings=(*found.warnings, *ready.notes)), store)
        return replace(whole, warnings=tuple(whole.warnings))  # before the store is closed
