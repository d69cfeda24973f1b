"""A cache database of findings about files, in the user's cache; it may be deleted at any time."""

from __future__ import annotations

import logging
import os
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, final

from assay.core.paths import opened_regular
from assay.environment.cache import cache_folder

_WAIT = 10.0  # seconds that another process may hold the file
_TABLES = (
    "CREATE TABLE IF NOT EXISTS seen (path INTEGER PRIMARY KEY, size INTEGER, modified_ns INTEGER, "
    "changed_ns INTEGER, inode INTEGER, digest INTEGER, thumbnail BLOB, more TEXT)",
    "CREATE TABLE IF NOT EXISTS found (key BLOB PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID",
)

logger = logging.getLogger(__name__)


def memory_path() -> Path:
    """Return where the file is: one for all data of the user."""
    return cache_folder() / "seen_files.sqlite"


@final
class MemoryFile:
    """The opened file, which several processes may use at once.

    It reads nothing and keeps nothing where the file cannot be used; one that is damaged is removed.
    """

    def __init__(self) -> None:
        self._database: sqlite3.Connection | None = None
        with suppress(OSError):
            memory_path().parent.mkdir(parents=True, exist_ok=True)
            self._database = _opened(memory_path())

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            self._database.close()

    def read(self, query: str, *values: str | bytes | int) -> Sequence[Sequence[Any]]:
        """Return the rows of a query."""
        try:
            return [] if self._database is None else self._database.execute(query, values).fetchall()
        except sqlite3.Error as error:
            self._give_up(error)
            return []

    def write(self, statement: str, rows: Iterable[Sequence[object]]) -> None:
        """Run a statement with each of these rows, in one transaction."""
        if self._database is None:
            return
        try:
            with self._database:
                self._database.executemany(statement, rows)
        except sqlite3.Error as error:  # such as a full disk
            self._give_up(error)

    def _give_up(self, error: sqlite3.Error) -> None:
        self.close()
        self._database = None
        _leave(memory_path(), error)


def _opened(path: Path) -> sqlite3.Connection | None:
    """Return the database, created again if it is damaged; None if it cannot be used."""
    for _ in range(2):
        try:
            return _connected(path)
        except sqlite3.DatabaseError as error:
            _leave(path, error)
            if isinstance(error, sqlite3.OperationalError):
                break
    return None


def _connected(path: Path) -> sqlite3.Connection:
    if os.path.lexists(path):
        opened_regular(path).close()  # a pipe would be waited for
    database = sqlite3.connect(path, timeout=_WAIT)
    try:
        database.execute("PRAGMA synchronous = NORMAL")
        for table in _TABLES:
            database.execute(table)
    except BaseException:
        database.close()
        raise
    return database


def _leave(path: Path, error: sqlite3.Error) -> None:
    """Say that the file is not used, and remove it if it is damaged; a locked file or full disk may pass."""
    logger.info("%s is not used: %s", path, error)
    if not isinstance(error, sqlite3.OperationalError):
        with suppress(OSError):
            path.unlink()
