"""Creates the tables of a store, and upgrades those of earlier versions in one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from assay.core.errors import StoreError

SCHEMA_VERSION = 5

_UPGRADES = {  # from each version to the next
    1: """
ALTER TABLE results ADD COLUMN interval TEXT;
ALTER TABLE results ADD COLUMN metric TEXT;
""",
    2: """
ALTER TABLE results ADD COLUMN cost TEXT;
ALTER TABLE models ADD COLUMN throughput REAL;
""",
    3: """
ALTER TABLE results ADD COLUMN train_rows INTEGER;
ALTER TABLE results ADD COLUMN dtype TEXT;
ALTER TABLE results ADD COLUMN val_value REAL;
CREATE TABLE latencies (
    model TEXT NOT NULL, identity TEXT NOT NULL, latency_seconds REAL, spread REAL, throughput REAL,
    load REAL, machine TEXT, measured TEXT
);
INSERT INTO latencies SELECT address, identity, latency_seconds, NULL, throughput, NULL, NULL, NULL
    FROM models WHERE latency_seconds IS NOT NULL OR throughput IS NOT NULL;
CREATE TABLE slim_models (address TEXT PRIMARY KEY, identity TEXT NOT NULL, facts TEXT NOT NULL);
INSERT INTO slim_models SELECT address, identity, facts FROM models ORDER BY rowid;
DROP TABLE models;
ALTER TABLE slim_models RENAME TO models;
""",
    4: """
ALTER TABLE results ADD COLUMN cause TEXT;
""",
}
_TABLES = ("results", "models", "tasks", "schema_version")  # of every version
_CREATED = 0  # the version of a file without tables


def upgrade(connection: sqlite3.Connection, root: Path) -> None:
    """Bring a store to the current version, from an earlier one or from an empty file.

    It is one transaction: a killed process leaves the earlier version or the current one.

    Raises:
        StoreError: The file is of a newer version, or not a store.
    """
    if version_of(connection, root) == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in _statements(version_of(connection, root)):  # another process may have upgraded it
            connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite ends some failed ones itself, such as on a full disk
            connection.execute("ROLLBACK")
        raise


def version_of(connection: sqlite3.Connection, root: Path) -> int:
    """Return the version of a store; 0 if it has no tables yet.

    Raises:
        StoreError: The file is of a newer version, or not a store.
    """
    tables = {
        str(row[0])
        for row in connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
        )
    }
    if not tables:
        return _CREATED
    missing = next((table for table in _TABLES if table not in tables), None)
    versions = _versions(connection) if "schema_version" in tables else []
    if not versions and {"schema_version"} <= tables <= set(_TABLES):
        return _unfinished(connection, tables, root)
    if missing is not None:
        raise _foreign(root, f"it has no table '{missing}'")
    if len(versions) != 1 or not isinstance(versions[0], int) or versions[0] < 1:
        raise _foreign(root, f"the version in its table schema_version is {versions}")
    version = versions[0]
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"The store '{root}' has schema version {version}, of a newer Assay; this Assay reads version "
            f"{SCHEMA_VERSION} and older. Install the newer one (pip install --upgrade model-assay), or name "
            "another folder: --store other-folder."
        )
    return version


def _versions(connection: sqlite3.Connection) -> list[object]:
    try:
        return [row[0] for row in connection.execute("SELECT version FROM schema_version")]
    except sqlite3.OperationalError:  # a table of that name with other columns
        return [None]


def _unfinished(connection: sqlite3.Connection, tables: set[str], root: Path) -> int:
    """Return 0 if an earlier Assay was killed while it created the tables."""
    if "results" in tables and connection.execute("SELECT 1 FROM results LIMIT 1").fetchone():
        raise _foreign(root, "it has results without a version")
    return _CREATED


def _statements(version: int) -> Iterator[str]:
    """Return the statements that lead from a version to the current one."""
    if version == SCHEMA_VERSION:
        return
    if version == _CREATED:
        yield from (f"DROP TABLE IF EXISTS {table}" for table in _TABLES)
        yield from _apart(files("assay.store").joinpath("schema.sql").read_text("utf-8"))
        yield f"INSERT INTO schema_version VALUES ({SCHEMA_VERSION})"  # noqa: S608  # a constant
        return
    for earlier in range(version, SCHEMA_VERSION):
        yield from _apart(_UPGRADES[earlier])
    yield f"UPDATE schema_version SET version = {SCHEMA_VERSION}"  # noqa: S608  # a constant


def _apart(script: str) -> Iterator[str]:
    """Return the statements of a script, because ``executescript`` would commit before them."""
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""


def _foreign(root: Path, why: str) -> StoreError:
    return StoreError(
        f"'{root / 'results.sqlite'}' is an SQLite file, but not a whole store of Assay: {why}. Name the "
        "folder that 'assay run' or 'assay rank' wrote to, or a new one: --store other-folder."
    )
