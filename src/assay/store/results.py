"""Stores results in an SQLite file with a single writer; each finished job is committed immediately."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from assay.core.errors import StoreError
from assay.core.model import ModelFacts
from assay.core.predictor import Predicted
from assay.core.result import Finished, Opened, Result, Status
from assay.core.slices import SliceColumn
from assay.core.task import Labels, SplitName, Task
from assay.findings.facts import ModelRow, ShownExample, TaskFacts
from assay.store.arrays import Arrays
from assay.store.rows import key_of_features, result_of, slices_of, slices_written, task_facts_of
from assay.store.shown_examples import shown_examples

SCHEMA_VERSION = 3

_UPGRADES = {  # from each version to the next
    1: """
BEGIN IMMEDIATE;
ALTER TABLE results ADD COLUMN interval TEXT;
ALTER TABLE results ADD COLUMN metric TEXT;
UPDATE schema_version SET version = 2;
COMMIT;
""",
    2: """
BEGIN IMMEDIATE;
ALTER TABLE results ADD COLUMN cost TEXT;
ALTER TABLE models ADD COLUMN throughput REAL;
UPDATE schema_version SET version = 3;
COMMIT;
""",
}
_MARK = "INSERT INTO schema_version SELECT ? WHERE NOT EXISTS (SELECT 1 FROM schema_version)"
_MOST_PROBS = 20_000_000  # probabilities of one job (80 MB); larger arrays are not stored
_KEEP_MODEL = """
INSERT INTO models VALUES (?,?,?,?,?) ON CONFLICT (address) DO UPDATE SET
identity = excluded.identity, facts = excluded.facts,
latency_seconds = COALESCE(excluded.latency_seconds, latency_seconds),
throughput = COALESCE(excluded.throughput, throughput)
"""


class Store:
    """A folder with all results of a study: ``results.sqlite``, and arrays by key.

    Any number of processes may read it. To write, enter :meth:`writing`, an exclusive lock that the
    operating system releases when the process ends.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.arrays = Arrays(root)
        self._connection = self._connect()

    @contextmanager
    def writing(self) -> Iterator[None]:
        """Hold the write lock; raise ``StoreError`` if another process holds it."""
        try:
            lock = sqlite3.connect(self.root / "writer.lock", timeout=0, isolation_level=None)
        except sqlite3.Error as error:
            raise _cannot("write to", self.root, error) from error
        try:
            try:
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.OperationalError as error:
                raise StoreError(
                    f"Another process writes to the store '{self.root}' ({error}). Wait for it to end, "
                    "or write to another folder: --store other-folder. Reading it (assay report) works now."
                ) from error
            self.arrays.drop_unfinished()
            yield
        finally:
            lock.close()

    def add(self, finished: Finished) -> None:
        """Store a result and its predictions, replacing an earlier result of the job."""
        result = finished.result
        if finished.predictions is not None:
            self.arrays.write("predictions", result.job.key, finished.predictions.values)
            probs = finished.predictions.probs
            if probs is not None and probs.size <= _MOST_PROBS:
                self.arrays.write("probs", result.job.key, probs.astype(np.float32))
        self._write(
            "INSERT OR REPLACE INTO results VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
            (
                result.job.key, result.job.model, result.job.task, result.job.method,
                result.job.seed, result.job.fingerprint,
                result.status.value, result.value,
                *(json.dumps(part) for part in (dict(result.metrics), dict(result.tuned), result.notes)),
                result.reason, result.seconds, result.encode_seconds,
                datetime.now(UTC).isoformat(timespec="seconds"),
                None if result.interval is None else json.dumps(asdict(result.interval)), result.metric,
                json.dumps(asdict(result.cost)),
            ),
        )  # fmt: skip

    def add_model(self, opened: Opened) -> None:
        """Store the facts about a model."""
        facts = json.dumps(asdict(opened.facts))
        self._write(
            _KEEP_MODEL,
            (opened.model, opened.identity, facts, opened.latency_seconds, opened.throughput),
        )

    def add_task(self, facts: TaskFacts, task: Task) -> None:
        """Store a task's facts, split (as example names), test labels, test slices and shown examples."""
        if self.arrays.read("truths", task.fingerprint) is None:
            self._add_split(task)
        if self.arrays.read_text("examples", task.fingerprint) is None:
            few = [asdict(example) for example in shown_examples(task)]
            self.arrays.write_text("examples", task.fingerprint, json.dumps(few, ensure_ascii=False))
        if task.slices:  # merged with the slices of earlier runs; new slices do not invalidate results
            slices = self._slices(task.fingerprint) | slices_written(task.slices)
            self.arrays.write_text("slices", task.fingerprint, json.dumps(slices, ensure_ascii=False))
        self._write("INSERT OR REPLACE INTO tasks VALUES (?,?)", (facts.address, json.dumps(asdict(facts))))

    def _add_split(self, task: Task) -> None:
        splits = {name: task.split(name) for name in SplitName}
        names = {
            str(name): [split.examples.name(row) for row in range(len(split))]
            for name, split in splits.items()
        }
        self.arrays.write_text("splits", task.fingerprint, json.dumps(names, indent=1, ensure_ascii=False))
        if task.test.labels.lengths is not None:
            self.arrays.write("lengths", task.fingerprint, task.test.labels.lengths)
        self.arrays.write("truths", task.fingerprint, task.test.labels.values)  # last, to mark completeness

    def known(self, keys: Iterable[str]) -> set[str]:
        """Return the keys that have a result of any status."""
        return {str(row[0]) for row in self._read("SELECT key FROM results")}.intersection(keys)

    def forget(self, keys: Collection[str], status: Status) -> None:
        """Delete the results of these keys with this status, so that the jobs run again."""
        for key in keys:
            self._write("DELETE FROM results WHERE key = ? AND status = ?", (key, status.value))

    def results(self, keys: Collection[str] | None = None) -> tuple[Result, ...]:
        """Return the results of these keys; by default the newest per model, task, method and seed."""
        rows = self._read(
            "SELECT key, model, task, method, seed, fingerprint, status, value, metrics, tuned, notes, "
            "reason, seconds, encode_seconds, interval, metric, cost FROM results ORDER BY finished, rowid"
        )
        results = [result_of(row) for row in rows]
        if keys is not None:
            return tuple(result for result in results if result.job.key in keys)
        metrics = {facts.address: facts.metric for facts in self._every_task()}
        names = {(facts.fingerprint, facts.metric): facts.address for facts in self.tasks()}
        newest = {}
        for result in results:
            job = result.job
            task = names.get((job.fingerprint, metrics.get(job.task, "")))
            if task is not None:  # None if the data have changed since
                newest[job.model, task, job.method, job.seed] = replace(result, job=replace(job, task=task))
        return tuple(newest.values())

    def models(self) -> tuple[ModelRow, ...]:
        """Return the facts about every opened model."""
        rows = self._read("SELECT address, identity, facts, latency_seconds, throughput FROM models")
        return tuple(ModelRow(row[0], row[1], ModelFacts(**json.loads(row[2])), *row[3:]) for row in rows)

    def tasks(self) -> tuple[TaskFacts, ...]:
        """Return the facts about every task; for addresses of the same data, those of the last address."""
        return tuple({(facts.fingerprint, facts.metric): facts for facts in self._every_task()}.values())

    def _every_task(self) -> list[TaskFacts]:
        rows = self._read("SELECT facts FROM tasks ORDER BY rowid")
        return [task_facts_of(json.loads(row[0])) for row in rows]

    def predictions(self, keys: Iterable[str]) -> dict[str, Predicted]:
        """Return the stored predictions on test, by key."""
        return {
            key: Predicted(values, self.arrays.read("probs", key))
            for key in keys
            if (values := self.arrays.read("predictions", key)) is not None
        }

    def truths(self, tasks: Iterable[TaskFacts]) -> dict[str, Labels]:
        """Return the test labels of tasks, by fingerprint."""
        truths = {}
        for task in tasks:
            values = self.arrays.read("truths", task.fingerprint)
            if values is not None:
                lengths = self.arrays.read("lengths", task.fingerprint)
                truths[task.fingerprint] = Labels(task.kind.label_kind, values, task.classes, lengths)
        return truths

    def features(
        self, model: ModelRow, fingerprint: str, split: SplitName = SplitName.TEST
    ) -> np.ndarray | None:
        """Return the stored features of a model on a split (examples x width), or None."""
        return self.arrays.read("features", f"{key_of_features(model, fingerprint)}-{split}")

    def names(self, fingerprint: str, split: SplitName = SplitName.TEST) -> tuple[str, ...]:
        """Return the names of the examples of a split; empty if they are not stored."""
        text = self.arrays.read_text("splits", fingerprint)
        return () if text is None else tuple(json.loads(text)[split])

    def examples(self, tasks: Iterable[TaskFacts]) -> dict[str, tuple[ShownExample, ...]]:
        """Return the stored examples for display, by task address."""
        return {
            task.address: tuple(ShownExample(**fields) for fields in json.loads(text))
            for task in tasks
            if (text := self.arrays.read_text("examples", task.fingerprint)) is not None
        }

    def slices(self, task: TaskFacts) -> tuple[SliceColumn, ...]:
        """Return the stored slices of a task's test examples."""
        return slices_of(self._slices(task.fingerprint), task.slices)

    def _slices(self, fingerprint: str) -> dict[str, list[str | None]]:
        text = self.arrays.read_text("slices", fingerprint)
        return {} if text is None else dict(json.loads(text))

    def version(self) -> int:
        """Return a number that changes when another process writes to the store."""
        return int(self._read("PRAGMA data_version")[0][0])

    def close(self) -> None:
        """Close the database."""
        self._connection.close()

    def _connect(self) -> sqlite3.Connection:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            connection = sqlite3.connect(self.root / "results.sqlite", timeout=30, isolation_level=None)
            connection.execute("PRAGMA journal_mode=WAL")  # readers never wait for the writer
            connection.execute("PRAGMA synchronous=FULL")  # a finished job survives a power cut
            _upgrade(connection, self.root)
            connection.executescript(files("assay.store").joinpath("schema.sql").read_text("utf-8"))
            connection.execute(_MARK, (SCHEMA_VERSION,))
        except (OSError, sqlite3.Error) as error:
            raise _cannot("open", self.root, error) from error
        return connection

    def _write(self, statement: str, values: tuple[object, ...]) -> None:
        try:
            self._connection.execute(statement, values)
        except (OSError, sqlite3.Error) as error:
            raise _cannot("write to", self.root, error) from error

    def _read(self, statement: str) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(statement).fetchall()
        except (OSError, sqlite3.Error) as error:
            raise _cannot("read", self.root, error) from error


def open_existing(root: Path) -> Store:
    """Open an existing store for reading."""
    if not os.path.lexists(root / "results.sqlite"):
        raise StoreError(
            f"There is no store in '{root}'. Name the folder that 'assay run' or 'assay rank' wrote to."
        )
    return Store(root)


def _upgrade(connection: sqlite3.Connection, root: Path) -> None:
    """Migrate a store to the current schema version."""
    there = connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'schema_version'").fetchone()
    row = connection.execute("SELECT version FROM schema_version").fetchone() if there else None
    version = SCHEMA_VERSION if row is None else row[0]
    while version in _UPGRADES:
        connection.executescript(_UPGRADES[version])
        version += 1
    if version != SCHEMA_VERSION:
        raise StoreError(
            f"The store '{root}' has schema version {version}; this Assay reads version {SCHEMA_VERSION}. "
            "Use the Assay that wrote it, or another folder: --store other-folder."
        )


def _cannot(what: str, root: Path, error: Exception) -> StoreError:
    if "not a database" in str(error) or "malformed" in str(error):
        return StoreError(
            f"Cannot {what} the store '{root}': results.sqlite is damaged ({error}). "
            "Restore it from a copy, or name another folder: --store other-folder."
        )
    return StoreError(
        f"Cannot {what} the store '{root}': {error}. What was finished before is kept. "
        "Make room or write somewhere else (--store other-folder), then run the same command again."
    )
