"""Copies the results of one store into another, with the files that findings need, without features."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

import numpy as np

from assay.core.errors import StoreError
from assay.core.result import Status
from assay.store.files import is_key
from assay.store.results import Store
from assay.store.rows import COLUMNS, result_of
from assay.store.task_files import MOST_KEPT

_OF_JOBS = {"predictions": ("",), "probs": ("",), "held_out": ("-rows", "-probs", "")}  # and their endings
_OF_TASKS = ("truths", "lengths", "contents", "held_out_truths")
_TEXTS_OF_TASKS = ("splits", "examples")
_BY_NAME = {"slices": None, "hardest": MOST_KEPT}  # union of both stores, truncated to this size
_NAMES = tuple(f"{COLUMNS}, finished".split(", "))
_KEY, _MODEL, _STATUS, _FINISHED = map(_NAMES.index, ("key", "model", "status", "finished"))


class MergedResults(NamedTuple):
    """What became of the results of a store.

    Attributes:
        copied: The number of results that were copied.
        known: The number of those that were there already.
        damaged: The jobs whose row is damaged, or whose predictions are damaged or missing: their results
            were not copied.
    """

    copied: int
    known: int
    damaged: tuple[str, ...]


def merge_results(target: Store, source: Store) -> MergedResults:
    """Copy what a store lacks from another; requires the write lock of the first.

    Where both have a result of a job, one with a value stays, and else the newest. Files are copied first,
    each whole, and then all rows in one transaction: if the process is killed, the same call again
    completes what it began.
    """
    columns, marks = ", ".join(_NAMES), ",".join("?" * len(_NAMES))
    theirs = {row[_KEY]: row for row in source.database.rows(f"SELECT {columns} FROM results")}  # noqa: S608  # constants
    ours = {row[0]: row[1:] for row in target.database.rows("SELECT key, status, finished FROM results")}
    unreadable = {key for key, row in theirs.items() if not _is_readable(row)}  # else nobody reads the target
    valued = {key for key, row in theirs.items() if row[_STATUS] == Status.OK} - unreadable
    missing = valued - {key for key in target.known(valued) if ours[key][0] == Status.OK}
    sound = source.known(missing)
    newer = {
        key
        for key, row in theirs.items()
        if key not in valued | unreadable
        and (key not in ours or (ours[key][0] != Status.OK and ours[key][1] < row[_FINISHED]))
    }
    taken = [row for key, row in theirs.items() if key in sound or key in newer]
    for shelf, endings in _OF_JOBS.items():
        _copy_of_jobs(
            target, source, shelf, sorted(f"{row[_KEY]}{ending}" for row in taken for ending in endings)
        )
    _copy_files_of_tasks(target, source)
    target.database.write_all(
        [
            *_facts(target, source, {row[_MODEL] for row in taken}),
            (f"INSERT OR REPLACE INTO results ({columns}) VALUES ({marks})", taken),  # noqa: S608  # constants
        ]
    )
    damaged = tuple(_named(theirs[key]) for key in theirs if key in (missing - sound) | unreadable)
    return MergedResults(len(taken), len(theirs) - len(taken) - len(damaged), damaged)


def _is_readable(row: tuple[Any, ...]) -> bool:
    try:
        result_of(row[:-1])  # without the time
    except StoreError:
        return False
    return True


def _copy_of_jobs(target: Store, source: Store, shelf: str, keys: Sequence[str]) -> None:
    """Copy arrays into one pack; what replaces another array, such as a damaged one, is a file of its own."""
    ours, theirs = target.arrays, source.arrays
    there = [key for key in keys if theirs.holds(shelf, key)]
    known = {key for key in there if ours.holds(shelf, key)}
    for key in sorted(known):
        array = theirs.read(shelf, key)
        if array is not None and not _are_same(array, ours.read(shelf, key)):
            ours.write(shelf, key, array)
    ours.pack(shelf, [key for key in there if key not in known], theirs)


def _are_same(array: np.ndarray, other: np.ndarray | None) -> bool:
    if other is None or (array.dtype, array.shape) != (other.dtype, other.shape):
        return False
    return array.tobytes() == other.tobytes()


def _facts(
    target: Store, source: Store, renewed: Collection[str]
) -> Iterator[tuple[str, Iterable[tuple[Any, ...]]]]:
    """Yield what writes the tasks, models and measurements that a store lacks, each with its rows.

    Args:
        target: The store that lacks them.
        source: The store that has them.
        renewed: The models whose facts replace earlier ones.
    """
    rows = source.database.rows
    yield "INSERT OR IGNORE INTO tasks VALUES (?,?)", rows("SELECT address, facts FROM tasks ORDER BY rowid")
    models = rows("SELECT address, identity, facts FROM models ORDER BY rowid")
    yield "INSERT OR IGNORE INTO models VALUES (?,?,?)", models
    again = [row for row in models if row[0] in renewed]
    yield "UPDATE models SET identity = ?2, facts = ?3 WHERE address = ?1", again
    measured = "SELECT * FROM latencies ORDER BY rowid"
    known = set(target.database.rows(measured))
    yield (
        "INSERT INTO latencies VALUES (?,?,?,?,?,?,?,?)",
        [row for row in rows(measured) if row not in known],
    )


def _copy_files_of_tasks(target: Store, source: Store) -> None:
    ours, theirs = target.arrays, source.arrays
    for shelf, key in _keys(source, _OF_TASKS, ".npy"):
        array = theirs.read(shelf, key)
        if array is not None and ours.read(shelf, key) is None:
            ours.write(shelf, key, array)
    for shelf, key in _keys(source, _TEXTS_OF_TASKS, ".json"):
        text = theirs.read_text(shelf, key)
        if text is not None and ours.read_text(shelf, key) is None:
            ours.write_text(shelf, key, text)
    for shelf, key in _keys(source, _BY_NAME, ".json"):
        kept = ours.read_json(shelf, key, dict) or {}
        both = {**kept, **(theirs.read_json(shelf, key, dict) or {}), **kept}
        wanted = dict(islice(both.items(), _BY_NAME[shelf]))
        if wanted != kept:
            ours.write_text(shelf, key, json.dumps(wanted, ensure_ascii=False))


def _keys(store: Store, shelves: Iterable[str], suffix: str) -> list[tuple[str, str]]:
    """Return the shelf and key of each file of some shelves."""
    paths = (path for shelf in shelves for path in (store.root / shelf).glob(f"[!.]*{suffix}"))
    return sorted((path.parent.name, path.stem) for path in paths if is_key(path.stem))


def _named(row: tuple[Any, ...]) -> str:
    named = dict(zip(_NAMES, row, strict=True))
    return f"{named['method']} of {named['model']} on {named['task']}"
