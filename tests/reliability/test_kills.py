"""A run that is killed again and again, at drawn moments: what was finished stays, and it ends alike.

A run is a forked child, which costs no import. In the short loop it kills itself at a drawn operation on a
file of the store (each `open`, `rename`, `remove` and `mkdir` is one, and so is each block of features, of
which only half is written then), so that a loaded machine changes nothing. In the long one it is killed from
outside at a drawn time, in the process of the study or with workers.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from assay.actions.merge import merge
from assay.actions.verify import verify
from assay.run.study import Study
from assay.store import block_file
from assay.store.results import open_existing

METHODS = ("knn", "logme", "ridge_cv")
EVENTS = {"open", "os.rename", "os.remove", "os.mkdir", "sqlite3.connect"}


def study_of(photos: Path, store: Path, engine: str = "local") -> Study:
    models = ["zoo:colours", "zoo:headed"]
    return Study(
        models=models, tasks=[str(photos)], methods=METHODS, store=store, engine=engine, control=False
    )


def rows(store: Path) -> dict[str, object]:
    """Return all that is stored of each job, with the times of its work."""
    if not (store / "results.sqlite").is_file():
        return {}
    opened = open_existing(store)
    results = opened.results(opened.keys())
    opened.close()
    return {result.job.key: result for result in results}


def values(store: Path) -> dict[str, object]:
    return {key: (result.value, dict(result.metrics)) for key, result in rows(store).items()}


def forked(work: Callable[[], object]) -> int:
    """Start a child that does some work and ends; return its process."""
    child = os.fork()
    if child:
        return child
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.dup2(null, 2)
    try:
        work()
    finally:
        os._exit(0)


def run_until(run: Callable[[], object], written: Path, last: int) -> int:
    """Run what kills itself at an operation on a store, by its number; return how many there were."""
    reader, writer = os.pipe()

    def work() -> None:
        store, count, write_at = str(written), 0, block_file.write_at

        def happens(*, is_block: bool) -> None:
            nonlocal count
            count += 1
            os.write(writer, b".")
            if count == last and not is_block:
                os.kill(os.getpid(), signal.SIGKILL)

        def audit(event: str, arguments: tuple[object, ...]) -> None:
            if event in EVENTS and str(arguments[0]).startswith(store):
                happens(is_block=False)

        def half(file: object, start: int, content: bytes) -> None:
            happens(is_block=True)
            if count == last:
                write_at(
                    file, start, memoryview(content).cast("B")[: len(memoryview(content).cast("B")) // 2]
                )
                os.kill(os.getpid(), signal.SIGKILL)
            write_at(file, start, content)

        block_file.write_at = half
        sys.addaudithook(audit)
        run()

    child = forked(work)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        count = len(pipe.read())
    os.waitpid(child, 0)
    return count


@pytest.fixture
def undisturbed(photos, tmp_path):
    study_of(photos, tmp_path / "undisturbed").run()
    return values(tmp_path / "undisturbed")


def assert_ended_alike(study: Study, kept: dict[str, object], undisturbed: dict[str, object]) -> None:
    study.run()
    store = Path(study.store)

    after = rows(store)
    assert {key: after[key] for key in kept} == kept
    assert values(store) == undisturbed
    assert verify(store).problems == ()
    assert [path for path in store.glob("*/.*") if path.name != ".lock"] == []


def test_twenty_kills_at_any_operation_lose_nothing(photos, tmp_path, undisturbed):
    operations = run_until(study_of(photos, tmp_path / "counted").run, tmp_path / "counted", 0)
    rng = np.random.default_rng(19)
    study, kept = study_of(photos, tmp_path / "store"), {}

    for _ in range(20):
        run_until(study.run, tmp_path / "store", int(rng.integers(1, operations // 2)))
        now = rows(Path(study.store))
        assert {key: now[key] for key in kept} == kept
        kept = now

    assert_ended_alike(study, kept, undisturbed)


def test_a_merge_that_is_killed_at_any_operation_leaves_nothing_half_and_the_same_one_completes_it(
    photos, tmp_path, undisturbed
):
    def into(store: str) -> Callable[[], object]:
        return lambda: list(merge(tmp_path / store, [str(tmp_path / "undisturbed")]))

    def packs(store: str) -> set[tuple[str, str, bytes]]:
        return {
            (path.parent.name, path.name, path.read_bytes()) for path in (tmp_path / store).glob("*/*.npz")
        }

    operations = run_until(into("whole"), tmp_path / "whole", 0)
    for last in range(1, operations + 1):
        run_until(into(f"store{last}"), tmp_path / f"store{last}", last)
        before = packs(f"store{last}")
        into(f"store{last}")()

        assert before <= packs(f"store{last}") == packs("whole")
        assert values(tmp_path / f"store{last}") == undisturbed
        assert verify(tmp_path / f"store{last}").problems == ()
        assert list((tmp_path / f"store{last}").glob("*/.*")) == []

    assert operations > 20
    assert len(packs("whole")) == 3


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["local", "isolated(workers=2)"])
def test_two_hundred_kills_at_any_time_lose_nothing(photos, tmp_path, undisturbed, engine):
    started = time.monotonic()
    study_of(photos, tmp_path / "timed", engine).run()
    seconds = time.monotonic() - started
    rng = np.random.default_rng(20)

    for number in range(200):
        store = tmp_path / f"store{number // 10}"  # of ten kills, the later ones find finished jobs
        study = study_of(photos, store, engine)
        before = rows(store)
        child = forked(study.run)
        time.sleep(rng.uniform(0, seconds))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        kept = rows(store)
        assert {key: kept[key] for key in before} == before
        if number % 10 == 9:
            assert_ended_alike(study, kept, undisturbed)
