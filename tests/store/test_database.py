"""Reading a store changes no file and creates none, even where nothing can be written."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.read_only import read_only
from tests.store.test_schema import KEPT, OLD, VERSION_3, VERSIONS, what_is_kept, written

from assay.core.errors import StoreError
from assay.core.result import Finished
from assay.store.results import Store, open_existing


def files(root: Path) -> dict[str, tuple[int, bytes]]:
    return {path.name: (path.stat().st_mtime_ns, path.read_bytes()) for path in sorted(root.iterdir())}


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder that every user can reach."""
    folder = Path(tempfile.mkdtemp(prefix="assay-test-"))
    folder.chmod(0o755)
    yield folder / "store"
    shutil.rmtree(folder)


@VERSIONS
def test_reading_changes_nothing_in_the_folder(root, script):
    before = files(written(root, script))

    kept = what_is_kept(open_existing(root))

    assert kept == KEPT
    assert files(root) == before


@VERSIONS
def test_a_store_that_cannot_be_written_is_read_at_any_version(root, script):
    before = files(written(root, script))

    with read_only(root):
        kept = what_is_kept(open_existing(root))

    assert kept == KEPT
    assert files(root) == before


def test_a_store_that_cannot_be_written_says_so_and_that_it_can_be_read(root):
    written(root, VERSION_3)

    with read_only(root), pytest.raises(StoreError, match="It can still be read: assay report"):
        Store(root)


@pytest.fixture
def killed(root: Path, tmp_path: Path) -> Path:
    """A store whose writer was killed: its last result is in the write-ahead log alone."""
    store = Store(tmp_path / "written")
    store.add(Finished(OLD))
    shutil.copytree(tmp_path / "written", root)
    store.close()
    assert (root / "results.sqlite-wal").stat().st_size
    return root


@pytest.mark.parametrize("has_index", [True, False])
def test_results_in_the_log_of_a_killed_writer_are_read(killed, has_index):
    if not has_index:
        (killed / "results.sqlite-shm").unlink()
    names = {path.name for path in killed.iterdir()}
    with read_only(killed):
        from_read_only = open_existing(killed).results(["old"])

    from_writable = open_existing(killed).results(["old"])

    assert from_read_only == from_writable == (OLD,)
    assert {path.name for path in killed.iterdir()} == names


def test_a_reader_sees_what_another_process_adds(root):
    Store(root).close()
    reader = open_existing(root)
    version = reader.version()
    assert reader.version() == version

    writer = Store(root)
    writer.add(Finished(OLD))

    assert reader.results(["old"]) == (OLD,)
    assert reader.version() != version
    second = replace(OLD, job=replace(OLD.job, key="second"))
    writer.add(Finished(second))
    assert reader.results(["old", "second"]) == (OLD, second)
    writer.close()
    assert reader.results(["old", "second"]) == (OLD, second)


def test_a_file_that_changes_while_it_is_copied_is_copied_again(root, monkeypatch):
    Store(root).close()
    writers = ["b", "a"]

    def write_and_connect(*arguments, **options):
        if "immutable" in str(arguments[0]) and writers:
            number = writers.pop()
            monkeypatch.setattr(sqlite3, "connect", connect)
            store = Store(root)
            store.add(Finished(replace(OLD, job=replace(OLD.job, key=number), reason=9000 * "long ")))
            store.close()
            monkeypatch.setattr(sqlite3, "connect", write_and_connect)
        return connect(*arguments, **options)

    connect = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", write_and_connect)

    results = open_existing(root).results(["a", "b"])

    assert [result.job.key for result in results] == ["a", "b"]


def test_a_store_that_is_open_for_reading_takes_nothing(root):
    Store(root).close()

    with pytest.raises(StoreError, match="is open for reading"):
        open_existing(root).add(Finished(OLD))


def test_a_store_whose_file_vanishes_says_so(root):
    Store(root).close()
    store = open_existing(root)
    (root / "results.sqlite").unlink()

    with pytest.raises(StoreError, match="Cannot read the store .*No such file"):
        store.results()


@pytest.mark.parametrize("what", ["removed", "replaced by another"])
def test_a_store_that_is_taken_away_while_it_is_written_to_is_an_error(root, what):
    store = Store(root)
    root.rename(root.with_name("elsewhere"))
    if what != "removed":
        Store(root).close()

    for use in (lambda: store.add(Finished(OLD)), store.results):
        with pytest.raises(StoreError, match=f"was {what} while this run wrote to it"):
            use()
