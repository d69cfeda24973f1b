"""Stores of every version open; the upgrade happens whole or not at all."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from assay.core.errors import StoreError
from assay.core.job import Job
from assay.core.model import ModelFacts
from assay.core.result import Finished, Opened, Result, Speed, Status
from assay.store.results import Store, open_existing
from assay.store.schema import SCHEMA_VERSION, upgrade

VERSION_1 = """
CREATE TABLE schema_version (version INTEGER NOT NULL);
INSERT INTO schema_version VALUES (1);
CREATE TABLE results (
    key TEXT PRIMARY KEY, model TEXT NOT NULL, task TEXT NOT NULL, method TEXT NOT NULL,
    seed INTEGER NOT NULL,
    fingerprint TEXT NOT NULL, status TEXT NOT NULL CHECK (status IN ('ok', 'skipped', 'failed')), value REAL,
    metrics TEXT NOT NULL, tuned TEXT NOT NULL, notes TEXT NOT NULL, reason TEXT NOT NULL,
    seconds REAL NOT NULL, encode_seconds REAL NOT NULL, finished TEXT NOT NULL
);
CREATE TABLE models (
    address TEXT PRIMARY KEY, identity TEXT NOT NULL, facts TEXT NOT NULL, latency_seconds REAL
);
CREATE TABLE tasks (address TEXT PRIMARY KEY, facts TEXT NOT NULL);
INSERT INTO results VALUES ('old', 'zoo:größe', 'folder:写真', 'knn(k=5)', 0, 'data', 'ok', 0.5,
    '{}', '{}', '[]', '', 0.0, 0.0, '2026-11-20T00:00:00');
INSERT INTO models VALUES ('zoo:größe', 'größe 1', '{"width": 4, "parameters": 10, "macs": null, "bytes": 40,
    "input": "", "preprocessing": "", "source_classes": 0, "weights": "", "fingerprint": ""}', 0.25);
INSERT INTO models SELECT 'zoo:slow', 'slow 1', facts, NULL FROM models;
"""
VERSION_2 = f"""{VERSION_1}
ALTER TABLE results ADD COLUMN interval TEXT;
ALTER TABLE results ADD COLUMN metric TEXT;
UPDATE schema_version SET version = 2;
"""
VERSION_3 = f"""{VERSION_2}
ALTER TABLE results ADD COLUMN cost TEXT;
ALTER TABLE models ADD COLUMN throughput REAL;
UPDATE models SET throughput = 8.0 WHERE latency_seconds IS NOT NULL;
UPDATE schema_version SET version = 3;
"""
VERSIONS = pytest.mark.parametrize("script", [VERSION_1, VERSION_2, VERSION_3], ids=["1", "2", "3"])
OLD = Result(Job("zoo:größe", "folder:写真", "knn(k=5)", 0, "old", "data"), Status.OK, 0.5)
FACTS = ModelFacts(4, 10, None, 40, "", "", 0, "", "")


def written(folder: Path, script: str) -> Path:
    folder.mkdir(exist_ok=True)
    connection = sqlite3.connect(folder / "results.sqlite")
    connection.execute("PRAGMA journal_mode=WAL")
    connection.executescript(script)
    connection.close()
    return folder


def version(root: Path) -> int:
    connection = sqlite3.connect(root / "results.sqlite")
    try:
        return int(connection.execute("SELECT version FROM schema_version").fetchone()[0])
    finally:
        connection.close()


def what_is_kept(store: Store) -> tuple[object, ...]:
    """Return what every old store of these tests holds, apart from the throughput of version 3."""
    try:
        return (
            store.results(["old"]),
            [(row.address, row.identity, row.facts, row.latency_seconds) for row in store.models()],
        )
    finally:
        store.close()


KEPT = ((OLD,), [("zoo:größe", "größe 1", FACTS, 0.25), ("zoo:slow", "slow 1", FACTS, None)])


@VERSIONS
def test_a_store_of_an_earlier_version_is_upgraded_where_it_is_written(tmp_path, script):
    root = written(tmp_path / "store", script)
    new = Result(Job("m", "t", "knn", 0, "new", "data"), Status.OK, 0.25, dtype="float16", val_value=0.75)

    store = Store(root)
    store.add(Finished(new))

    assert version(root) == SCHEMA_VERSION
    assert store.results(["new"]) == (new,)
    assert what_is_kept(store) == KEPT


def test_a_speed_of_an_earlier_version_is_kept_without_what_was_not_measured_then(tmp_path):
    store = Store(written(tmp_path / "store", VERSION_3))

    measured = [(one.model, one.identity, one.speed, one.measured) for one in store.measurements()]

    assert measured == [("zoo:größe", "größe 1", Speed(0.25, throughput=8.0), None)]
    assert [row.throughput for row in store.models()] == [8.0, None]
    assert [row.latency_warning for row in store.models()] == [
        "measured once, and the load of the machine is unknown",
        "",
    ]


def test_an_upgraded_store_has_the_tables_of_a_new_one(tmp_path):
    Store(tmp_path / "new").close()
    for number, script in enumerate((VERSION_1, VERSION_2, VERSION_3)):
        Store(written(tmp_path / f"{number}", script)).close()

    tables = [_tables(tmp_path / name) for name in ("new", "0", "1", "2")]

    assert tables[0]["results"][-1] == "cause"
    assert tables[1:] == [tables[0]] * 3


def _tables(root: Path) -> dict[str, list[str]]:
    connection = sqlite3.connect(root / "results.sqlite")
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    return {
        name: [row[1] for row in connection.execute(f"PRAGMA table_info({name})")] for name in sorted(names)
    }


@pytest.fixture
def stages(tmp_path: Path) -> Iterator[list[Path]]:
    """Copies of a store before each statement of its upgrade: what a process killed there leaves behind."""
    root = written(tmp_path / "store", VERSION_1)
    connection = sqlite3.connect(root / "results.sqlite", isolation_level=None)
    connection.execute("PRAGMA cache_size=1")  # what is changed goes to the file at once
    copies: list[Path] = []

    def copy(statement: str) -> None:
        copies.append(shutil.copytree(root, tmp_path / f"copy{len(copies)}"))

    connection.set_trace_callback(copy)
    upgrade(connection, root)
    connection.set_trace_callback(None)
    copy("the end")
    yield copies
    connection.close()


def test_a_killed_upgrade_leaves_the_earlier_version_or_the_current_one(stages):
    assert len(stages) > 15

    kept = [what_is_kept(open_existing(copy)) for copy in stages]
    continued = [what_is_kept(Store(copy)) for copy in stages]

    assert kept == continued == [KEPT] * len(stages)


def test_two_processes_that_upgrade_at_once_upgrade_once(tmp_path):
    root = written(tmp_path / "store", VERSION_2)
    late = sqlite3.connect(root / "results.sqlite", isolation_level=None)
    is_first = True

    def be_overtaken(statement: str) -> None:
        nonlocal is_first
        if is_first and statement.startswith("BEGIN"):
            is_first = False
            Store(root).close()

    late.set_trace_callback(be_overtaken)
    upgrade(late, root)

    assert what_is_kept(Store(root)) == KEPT


def test_an_earlier_store_is_not_upgraded_under_another_process_that_writes(tmp_path):
    root = written(tmp_path / "store", VERSION_3)
    lock = sqlite3.connect(root / "writer.lock", isolation_level=None)
    lock.execute("BEGIN EXCLUSIVE")

    with pytest.raises(StoreError, match="Another process writes to the store"):
        Store(root)

    assert version(root) == 3


def refused(root: Path) -> set[str]:
    """Return what is said when a store is opened for writing, and for reading."""
    said = set()
    for read_only in (False, True):
        with pytest.raises(StoreError) as error:
            Store(root, read_only=read_only)
        said.add(str(error.value))
    return said


def test_a_newer_version_is_refused_with_both_versions_and_what_to_do(tmp_path):
    root = written(tmp_path / "store", VERSION_3 + "UPDATE schema_version SET version = 99;")

    (said,) = refused(root)

    assert "has schema version 99, of a newer Assay; this Assay reads version 5 and older" in said
    assert "Install the newer one" in said
    assert "--store other-folder" in said


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("CREATE TABLE photos (path TEXT);", "it has no table 'results'"),
        (VERSION_3 + "DROP TABLE schema_version; CREATE TABLE schema_version (number INTEGER);",
         "the version in its table schema_version is [None]"),
        (VERSION_3 + "UPDATE schema_version SET version = 'three';", "schema_version is ['three']"),
        (VERSION_3 + "DROP TABLE models;", "it has no table 'models'"),
        (VERSION_3 + "DELETE FROM schema_version;", "it has results without a version"),
    ],
)  # fmt: skip
def test_an_sqlite_file_that_is_no_store_is_refused_and_left_as_it_is(tmp_path, script, why):
    root = written(tmp_path / "store", script)
    before = (root / "results.sqlite").read_bytes()

    (said,) = refused(root)

    assert why in said
    assert "not a whole store of Assay" in said
    assert (root / "results.sqlite").read_bytes() == before


@pytest.mark.parametrize(
    "begun",
    ["", VERSION_1.partition("INSERT")[0], VERSION_1.partition("INSERT")[0] + "CREATE TABLE models (x);"],
)
def test_a_store_whose_creation_was_killed_is_empty_and_gets_created(tmp_path, begun):
    root = written(tmp_path / "store", begun)

    assert open_existing(root).results() == ()
    store = Store(root)
    store.add(Finished(OLD))
    store.add_model(Opened("m", "m 1", FACTS, Speed(0.5)))

    assert store.results(["old"]) == (OLD,)


@pytest.mark.parametrize("content", [b"not SQLite" * 100, b"SQLite format 3\x00" + bytes(10)])
def test_a_damaged_file_is_said_to_be_damaged(tmp_path, content):
    (tmp_path / "results.sqlite").write_bytes(content)

    for said in refused(tmp_path):
        assert "results.sqlite is damaged" in said
        assert "Restore it from a copy" in said


def test_a_file_that_is_cut_short_is_said_to_be_damaged(tmp_path):
    root = written(tmp_path / "store", VERSION_3)
    whole = (root / "results.sqlite").read_bytes()
    (root / "results.sqlite").write_bytes(whole[: len(whole) // 2])

    for said in refused(root):
        assert "results.sqlite is damaged" in said
