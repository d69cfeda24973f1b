"""Commands that read a store work where it cannot be written, and at an earlier version."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.read_only import read_only

FROZEN = Path(__file__).parents[1] / "frozen" / "study" / "store"
TWO = ("vectors:vectors.txt", "vectors:vectors.txt(limit=30, pooling='sif')")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that every user can read."""
    folder = Path(tempfile.mkdtemp(prefix="assay-test-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def small_store(store: Path) -> Path:
    """Copy a store of schema version 3, with one task and one method."""
    shutil.copytree(FROZEN, store)
    with sqlite3.connect(store / "results.sqlite") as connection:
        connection.execute("DELETE FROM results WHERE method != 'knn' OR task NOT LIKE '%texts.csv%'")
    connection.close()
    return store


def files(store: Path) -> dict[Path, int]:
    return {path: path.stat().st_mtime_ns for path in (store, *store.rglob("*"))}


def answers(store: Path, assay) -> list[tuple[int, str, str]]:
    commands = (
        ("report", str(store), "--details"),
        ("compare", *TWO, "--store", str(store)),
        ("export", str(store), str(store / "table.csv")),
    )
    return [assay(*command) for command in commands]


def test_commands_that_read_a_store_work_where_it_cannot_be_written(folder, assay):
    store = small_store(folder / "store")
    reported, compared, exported = answers(small_store(folder / "writable"), assay)
    assert (reported[0], compared[0], exported[0]) == (0, 0, 0)

    with read_only(store):
        before = files(store)
        reported_again, compared_again, not_written = answers(store, assay)
        unwritten_page = assay("report", str(store), "--html", str(store / "page.html"))
        after = files(store)

    assert after == before
    assert compared_again == compared
    assert reported_again[0] == 0
    assert reported_again[1] == reported[1]
    assert "Name another file with --html." in reported_again[2]
    for code, _, said in (not_written, unwritten_page):
        assert code == 2
        assert "Cannot write" in said
