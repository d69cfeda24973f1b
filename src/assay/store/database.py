"""Opens the SQLite file of a store: in place for writing, or as a copy in memory for reading."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, final

from assay.core.errors import StoreError
from assay.store.files import make_private, require_regular, require_sane
from assay.store.schema import SCHEMA_VERSION, upgrade, version_of

_FILE = "results.sqlite"
_TRIES = 5  # to copy a file that another process changes meanwhile


class Database(ABC):
    """The tables of a store, in the current schema version."""

    @abstractmethod
    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows that a statement selects."""

    @abstractmethod
    def write_all(self, changes: Iterable[tuple[str, Iterable[tuple[object, ...]]]]) -> None:
        """Execute statements, each with each of its rows, in one transaction: all of them or none."""

    def write(self, statement: str, values: tuple[object, ...]) -> None:
        """Execute a statement and commit it."""
        self.write_all([(statement, [values])])

    @abstractmethod
    def version(self) -> int:
        """Return a number that changes when another process writes to the store."""

    @abstractmethod
    def close(self) -> None:
        """Close the database."""


@final
class FileDatabase(Database):
    """The file itself, for writing; it is created, or upgraded to the current version."""

    def __init__(self, root: Path) -> None:
        self._root = root
        with reported("open", root):
            make_private(root)
            require_regular(*_files(root))
            self._connection = sqlite3.connect(root / _FILE, timeout=30, isolation_level=None)
        try:
            self._prepare()
            with reported("open", root):
                opened = (root / _FILE).stat()
            self._place = opened.st_dev, opened.st_ino
        except BaseException:
            self.close()
            raise

    def _prepare(self) -> None:
        with reported("open", self._root):
            version = version_of(self._connection, self._root)  # what is no store is left as it is
            if version == SCHEMA_VERSION:
                self._set_modes()
                return
        with writer_lock(self._root), reported("open", self._root):  # an earlier Assay may write to it now
            self._set_modes()
            upgrade(self._connection, self._root)

    def _must_be_there(self) -> None:
        """Raise ``StoreError`` if the file was removed or replaced: what is written then is lost."""
        try:
            now = (self._root / _FILE).stat()
        except FileNotFoundError:
            now = None
        if now is None or (now.st_dev, now.st_ino) != self._place:
            what = "removed" if now is None else "replaced by another"
            raise StoreError(
                f"The store '{self._root}' was {what} while this run wrote to it: what finished since is "
                "lost. Put it back, or name another folder (--store other-folder), then run the same command "
                "again."
            )

    def _set_modes(self) -> None:
        self._connection.execute("PRAGMA journal_mode=WAL")  # readers never wait for the writer
        self._connection.execute("PRAGMA synchronous=FULL")  # a finished job survives a power cut

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows that a statement selects."""
        with reported("read", self._root):
            self._must_be_there()
            return self._connection.execute(statement).fetchall()

    def write_all(self, changes: Iterable[tuple[str, Iterable[tuple[object, ...]]]]) -> None:
        """Execute statements, each with each of its rows, in one transaction: all of them or none."""
        with reported("write to", self._root):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                for statement, rows in changes:
                    written = (tuple(map(_writable, row)) for row in rows)
                    self._connection.executemany(statement, written)
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:  # SQLite ends some failed ones itself
                    self._connection.execute("ROLLBACK")
                raise
            self._must_be_there()

    def version(self) -> int:
        """Return a number that changes when another process writes to the store."""
        return int(self.rows("PRAGMA data_version")[0][0])

    def close(self) -> None:
        """Close the database."""
        self._connection.close()


@final
class MemoryDatabase(Database):
    """A copy in memory, for reading; it is made again after the file changed.

    Reading creates no file next to it and changes none, so a store may be read-only. A store of an earlier
    version is upgraded in memory alone, and one without tables has no results.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._version = 0
        self._seen = self._state()
        self._copy = self._copied()

    def rows(self, statement: str) -> list[tuple[Any, ...]]:
        """Return the rows that a statement selects."""
        self._refresh()
        with reported("read", self._root):
            return self._copy.execute(statement).fetchall()

    def write_all(self, changes: Iterable[tuple[str, Iterable[tuple[object, ...]]]]) -> None:
        """Refuse to write."""
        raise StoreError(f"The store '{self._root}' is open for reading: nothing can be written to it.")

    def version(self) -> int:
        """Return a number that changes when another process writes to the store."""
        self._refresh()
        return self._version

    def close(self) -> None:
        """Free the copy; findings that are still computed after this make it again."""
        self._copy.close()
        self._seen = ()

    def _refresh(self) -> None:
        state = self._state()
        if state != self._seen:
            fresh = self._copied()
            self._copy.close()
            self._copy, self._seen = fresh, state
            self._version += 1

    def _state(self) -> tuple[object, ...]:
        """Return the times and sizes of the files, which change with every commit."""
        with reported("read", self._root):
            main = (self._root / _FILE).stat()
        try:
            log = _log(self._root).stat()
        except OSError:  # no process writes
            return main.st_mtime_ns, main.st_size
        return main.st_mtime_ns, main.st_size, log.st_mtime_ns, log.st_size

    def _copied(self) -> sqlite3.Connection:
        copy = sqlite3.connect(":memory:", isolation_level=None)
        try:
            with reported("read", self._root):
                require_regular(*_files(self._root))
                self._fill(copy)
                upgrade(copy, self._root)
        except BaseException:
            copy.close()
            raise
        return copy

    def _fill(self, copy: sqlite3.Connection) -> None:
        """Copy the file, with the commits that are still in its write-ahead log."""
        path = self._root / _FILE
        for _ in range(_TRIES):
            before = self._state()
            if _index(self._root).exists() and _log(self._root).exists():  # a process may write now
                try:
                    return _back_up(path, "mode=ro", copy)
                except sqlite3.OperationalError:  # such as an index that this user cannot read
                    pass
            if any(
                part.exists() and part.stat().st_size for part in (_log(self._root), _journal(self._root))
            ):
                _back_up_recovered(self._root, copy)
            else:
                _back_up(path, "mode=ro&immutable=1", copy)  # only mode=ro would create files next to it
            if self._state() == before:
                return None
        raise StoreError(f"The store '{self._root}' changes too fast to be read. Try again in a moment.")


@contextmanager
def writer_lock(root: Path) -> Iterator[None]:
    """Hold the lock of the one process that writes; the operating system releases it when the process ends.

    Raises:
        StoreError: Another process holds it.
    """
    with reported("write to", root):
        require_regular(root / "writer.lock")
        lock = sqlite3.connect(root / "writer.lock", timeout=0, isolation_level=None)
    try:
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                raise _cannot("write to", root, error) from error
            raise StoreError(
                f"Another process writes to the store '{root}' ({error}). Wait for it to end, "
                "or write to another folder: --store other-folder. Reading it (assay report) works now."
            ) from error
        except sqlite3.DatabaseError as error:
            raise StoreError(f"'{root}/writer.lock' is damaged ({error}): remove it.") from error
        yield
    finally:
        lock.close()


def _writable(value: object) -> object:
    """Return a value that SQLite takes: names of files, and so of models, may be invalid UTF-8."""
    return value.encode("utf-8", "backslashreplace").decode("utf-8") if isinstance(value, str) else value


@contextmanager
def reported(what: str, root: Path) -> Iterator[None]:
    """Raise errors of the disk and of SQLite as ``StoreError`` that says what to do.

    Args:
        what: What failed: "open", "read" or "write to".
        root: The folder of the store.
    """
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise _cannot(what, root, error) from error


def _back_up(path: Path, mode: str, copy: sqlite3.Connection) -> None:
    uri = f"{path.absolute().as_uri()}?{mode}"
    with closing(sqlite3.connect(uri, uri=True, timeout=30)) as connection:
        connection.backup(copy)


def _back_up_recovered(root: Path, copy: sqlite3.Connection) -> None:
    """Copy a file whose last writer was killed: SQLite recovers its commits in a temporary folder."""
    with tempfile.TemporaryDirectory(prefix="assay-") as folder:
        for part in (root / _FILE, _log(root), _journal(root)):
            if part.exists():
                require_sane(part, (root / _FILE).stat().st_size)
                shutil.copyfile(part, Path(folder) / part.name)
        with closing(sqlite3.connect(Path(folder) / _FILE)) as connection:
            connection.backup(copy)


def _files(root: Path) -> tuple[Path, ...]:
    return root / _FILE, _log(root), _index(root), _journal(root)


def _log(root: Path) -> Path:
    return root / f"{_FILE}-wal"


def _index(root: Path) -> Path:
    return root / f"{_FILE}-shm"


def _journal(root: Path) -> Path:
    return root / f"{_FILE}-journal"


def _cannot(what: str, root: Path, error: Exception) -> StoreError:
    if "not a database" in str(error) or "malformed" in str(error):
        return StoreError(
            f"Cannot {what} the store '{root}': results.sqlite is damaged ({error}). "
            "Restore it from a copy, or name another folder: --store other-folder."
        )
    if what == "read":
        return StoreError(f"Cannot read the store '{root}': {error}.")
    read = " It can still be read: assay report." if os.path.lexists(root / _FILE) else ""
    return StoreError(
        f"Cannot {what} the store '{root}': {error}. What was finished before is kept.{read} "
        "Make room or write somewhere else (--store other-folder), then run the same command again."
    )
