"""Stores results in an SQLite file with a single writer; each finished job is committed immediately."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, astuple, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from assay.analysis.speeds import with_speeds
from assay.core.errors import StoreError
from assay.core.held_out import HeldOutPredictions
from assay.core.predictor import Predicted
from assay.core.result import Cause, Event, Finished, Opened, Result, Speed, Status
from assay.core.slices import SliceColumn
from assay.core.task import Labels, SplitName, Task
from assay.findings.facts import Measurement, ModelRow, ShownExample, TaskFacts
from assay.plugins.address import Address
from assay.store.arrays import Arrays
from assay.store.cell_types import check_cells
from assay.store.database import Database, FileDatabase, MemoryDatabase, writer_lock
from assay.store.held_out_files import HeldOutFiles
from assay.store.prediction_files import PredictionFiles
from assay.store.rows import COLUMNS, key_of_features, model_row_of, result_of, task_facts_of, written_result
from assay.store.task_files import TaskFiles


class Store:
    """A folder with all results of a study: ``results.sqlite``, and arrays by key.

    Any number of processes may read it. To write, enter :meth:`writing`, an exclusive lock that the
    operating system releases when the process ends.

    Args:
        root: The folder; created if it does not exist.
        read_only: Only read, also from a folder that cannot be written; nothing is created or upgraded.
    """

    def __init__(self, root: Path, *, read_only: bool = False) -> None:
        self.root = root
        self.arrays = Arrays(root)
        self._task_files = TaskFiles(self.arrays)
        self._held_out_files = HeldOutFiles(self.arrays)
        self._predictions = PredictionFiles(self.arrays)
        self.database: Database = MemoryDatabase(root) if read_only else FileDatabase(root)
        try:
            check_cells(self.database)
        except BaseException:
            self.database.close()
            raise

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the write lock; raise ``StoreError`` if another process holds it."""
        with writer_lock(self.root):
            self.arrays.drop_unfinished()
            self.arrays.adds_checksums = True
            try:
                yield
            finally:
                self.arrays.adds_checksums = False

    def keep(self, event: Event) -> None:
        """Store what an event of a run says."""
        if isinstance(event, Finished):
            return self.add(event)
        return self.add_model(event)

    def add(self, finished: Finished) -> None:
        """Store a result and its predictions, replacing an earlier result of the job."""
        result = finished.result
        self.arrays.learn(finished.files)
        if finished.predictions is not None:
            self._predictions.add(result.job.key, finished.predictions)
        if finished.held_out is not None:
            self._held_out_files.add(result.job, finished.held_out)
        row = (*written_result(result), _now())
        marks = ",".join("?" * len(row))
        self.database.write(f"INSERT OR REPLACE INTO results ({COLUMNS}, finished) VALUES ({marks})", row)  # noqa: S608  # constants

    def add_model(self, opened: Opened) -> None:
        """Store the facts about a model, and add its speed to earlier measurements."""
        facts = json.dumps(asdict(opened.facts))
        self.database.write(
            "INSERT INTO models VALUES (?,?,?) ON CONFLICT (address) DO UPDATE SET "
            "identity = excluded.identity, facts = excluded.facts",
            (opened.model, opened.identity, facts),
        )
        if opened.speed is not None:
            self.add_speed(opened.model, opened.identity, opened.speed)

    def add_speed(self, model: str, identity: str, speed: Speed) -> None:
        """Add a measurement of the speed of a model to earlier ones."""
        row = (model, identity, *astuple(speed), _now())
        self.database.write("INSERT INTO latencies VALUES (?,?,?,?,?,?,?,?)", row)

    def add_task(self, facts: TaskFacts, task: Task) -> None:
        """Store a task's facts, split (as example names), test labels, test slices and shown examples."""
        self._task_files.add(task)
        self.database.write(
            "INSERT OR REPLACE INTO tasks VALUES (?,?)", (facts.address, json.dumps(asdict(facts)))
        )

    def take_addresses(self, models: Mapping[str, str]) -> None:
        """Store models under these addresses that are stored under another alias, or another path.

        Args:
            models: The identity of each model, by its address.
        """
        wanted = {Address.parse(model).without_alias(): model for model in models}
        same = {(Address.parse(model).source, identity): model for model, identity in models.items()}
        stored = self.database.rows(
            "SELECT model, '' FROM results WHERE model NOT IN (SELECT address FROM models) "
            "UNION SELECT address, identity FROM models"
        )
        for old, identity in [(str(row[0]), str(row[1])) for row in stored]:
            address = Address.parse(old)
            new = wanted.get(address.without_alias()) or same.get((address.source, identity), old)
            if new != old:
                self.database.write("UPDATE results SET model = ? WHERE model = ?", (new, old))
                self.database.write("UPDATE latencies SET model = ? WHERE model = ?", (new, old))
                self.database.write("UPDATE OR REPLACE models SET address = ? WHERE address = ?", (new, old))

    def keys(self) -> set[str]:
        """Return the keys of all jobs that have a result of any status."""
        return {str(row[0]) for row in self.database.rows("SELECT key FROM results")}

    def last_day(self) -> str | None:
        """Return the day in UTC on which the last job finished, as in 2026-03-14; None without any."""
        day = self.database.rows("SELECT substr(MAX(finished), 1, 10) FROM results")[0][0]
        return None if day is None else str(day)

    def known(
        self, keys: Iterable[str], *, time_limit: float | None = None, retry_failed: bool = False
    ) -> set[str]:
        """Return the keys of jobs that need not run again: those with a result and no damaged file.

        Failures of the environment run again, and jobs that exceeded a lower time limit.

        Args:
            keys: The keys of jobs.
            time_limit: Seconds that a job may take now; None for no limit.
            retry_failed: Whether all failures run again.
        """
        wanted = set(keys)
        limit = math.inf if time_limit is None else time_limit
        truths = self.truths(self._every_task())
        rows = self.database.rows("SELECT key, fingerprint, status, metrics, cause, seconds FROM results")
        return {
            key
            for key, fingerprint, status, metrics, cause, seconds in rows
            if key in wanted
            and not (status == Status.OK and self._lost(key, fingerprint, metrics, truths.get(fingerprint)))
            and not (status == Status.FAILED and (retry_failed or cause == Cause.ENVIRONMENT))
            and not (cause == Cause.TIME_LIMIT and seconds < limit)
        }

    def _lost(self, key: str, fingerprint: str, metrics: str, truth: Labels | None) -> bool:
        """Return whether a file of a finished job is missing or damaged."""
        if metrics == "{}":
            return self._held_out_files.is_damaged(key, fingerprint)
        return self._predictions.is_lost(key, metrics, truth)

    def results(self, keys: Collection[str] | None = None, *, on_subsets: bool = False) -> tuple[Result, ...]:
        """Return the results of these keys; by default the newest per model, task, method and seed.

        Args:
            keys: The keys of jobs; None for all whose data have not changed.
            on_subsets: Whether to include results on the first examples of train alone, which are neither
                compared with results on all of train nor replace them.
        """
        rows = self.database.rows(
            f"SELECT {COLUMNS} FROM results ORDER BY finished, rowid"  # noqa: S608  # a constant
        )
        asked = (result_of(row) for row in rows if keys is None or row[0] in keys)
        results = [result for result in asked if on_subsets or result.job.train_rows is None]
        if keys is not None:
            return tuple(results)
        metrics = {facts.address: facts.metric for facts in self._every_task()}
        names = {(facts.fingerprint, facts.metric): facts.address for facts in self.tasks()}
        newest = {}
        for result in results:
            job = result.job
            task = names.get((job.fingerprint, metrics.get(job.task, "")))
            if task is not None:  # None if the data have changed since
                named = result if task == job.task else replace(result, job=replace(job, task=task))
                newest[job.model, task, job.method, job.seed, job.train_rows] = named
        return tuple(newest.values())

    def models(self) -> tuple[ModelRow, ...]:
        """Return the facts about every opened model, with its best-founded speed."""
        rows = self.database.rows("SELECT address, identity, facts FROM models")
        return with_speeds([model_row_of(*row) for row in rows], self.measurements())

    def measurements(self) -> tuple[Measurement, ...]:
        """Return every measurement of the speed of a model, the earliest first."""
        rows = self.database.rows("SELECT * FROM latencies ORDER BY rowid")
        return tuple(Measurement(row[0], row[1], Speed(*row[2:7]), row[7]) for row in rows)

    def tasks(self) -> tuple[TaskFacts, ...]:
        """Return the facts about every task; for addresses of the same data, those of the last address."""
        return tuple({(facts.fingerprint, facts.metric): facts for facts in self._every_task()}.values())

    def _every_task(self) -> list[TaskFacts]:
        rows = self.database.rows("SELECT facts FROM tasks ORDER BY rowid")
        return [task_facts_of(row[0]) for row in rows]

    def predictions(self, keys: Iterable[str], truth: Labels | None = None) -> dict[str, Predicted]:
        """Return the stored predictions on test, by key; those that do not fit the labels are left out."""
        return {key: predicted for key in keys if (predicted := self._predictions.of(key, truth)) is not None}

    def held_out(self, keys: Collection[str]) -> dict[str, HeldOutPredictions]:
        """Return the stored predictions of scores on held-out examples of train, by key."""
        tasks = {facts.fingerprint: facts for facts in self._every_task()}
        rows = self.database.rows("SELECT key, fingerprint FROM results")
        return {
            key: held_out
            for key, fingerprint in rows
            if key in keys
            and fingerprint in tasks
            and (held_out := self._held_out_files.of(key, tasks[fingerprint])) is not None
        }

    def truths(self, tasks: Iterable[TaskFacts]) -> dict[str, Labels]:
        """Return the test labels of tasks, by fingerprint."""
        labels = {task.fingerprint: self._task_files.labels(task) for task in tasks}
        return {fingerprint: one for fingerprint, one in labels.items() if one is not None}

    def contents(self, task: TaskFacts, split: SplitName = SplitName.TEST) -> np.ndarray | None:
        """Return the group of identical contents of each example of a split; None if all differ.

        It is None as well where an earlier Assay stored the task.
        """
        return self._task_files.contents(task, split)

    def features(
        self, model: ModelRow, fingerprint: str, split: SplitName = SplitName.TEST
    ) -> np.ndarray | None:
        """Return the stored features of a model on a split (examples x width), or None."""
        key = f"{key_of_features(model, fingerprint)}-{split}"
        features = self.arrays.read("features", key)
        if features is not None and (features.ndim != 2 or features.dtype.kind != "f"):
            self.arrays.refuse("features", f"{key}.npy", f"it holds {features.dtype} {features.shape}")
            return None
        return features

    def names(self, fingerprint: str, split: SplitName = SplitName.TEST) -> tuple[str, ...]:
        """Return the names of the examples of a split; empty if they are not stored."""
        return self._task_files.names(fingerprint, split)

    def examples(self, tasks: Iterable[TaskFacts]) -> dict[str, tuple[ShownExample, ...]]:
        """Return the stored examples for display, by task address."""
        return {
            task.address: examples
            for task in tasks
            if (examples := self._task_files.examples(task.fingerprint)) is not None
        }

    def add_hardest(self, task: Task, rows: Iterable[int]) -> None:
        """Keep test examples for display, by the positions of their labels; see ``hardest``."""
        self._task_files.add_hardest(task, rows)

    def hardest(self, tasks: Iterable[TaskFacts]) -> dict[str, dict[int, ShownExample]]:
        """Return the kept test examples by task address and position of the label in the test labels."""
        return {task.address: self._task_files.hardest(task.fingerprint) for task in tasks}

    def slices(self, task: TaskFacts) -> tuple[SliceColumn, ...]:
        """Return the stored slices of a task's test examples."""
        return self._task_files.slices(task)

    def version(self) -> int:
        """Return a number that changes when another process writes to the store."""
        return self.database.version()

    def close(self) -> None:
        """Close the database."""
        self.database.close()


def open_existing(root: Path) -> Store:
    """Open an existing store for reading; nothing in its folder changes."""
    if not os.path.lexists(root / "results.sqlite"):
        raise StoreError(
            f"There is no store in '{root}'. Name the folder that 'assay run' or 'assay rank' wrote to."
        )
    return Store(root, read_only=True)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
