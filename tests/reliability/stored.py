"""Stores that somebody else wrote: a cell or a byte is another, and they are read, never run."""

from __future__ import annotations

import json
import shutil
import sqlite3
import tempfile
from contextlib import closing, suppress
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
from hypothesis import strategies as st
from tests.reliability.inputs import altered_json, mutated, odd_texts

from assay.actions.verify import verify
from assay.core.job import Job
from assay.core.model import ModelFacts
from assay.core.predictor import Predicted
from assay.core.result import Finished, Opened, Result, Speed, Status
from assay.core.task import InMemoryExamples, LabelKind, Labels, Modality, Split, Task, TaskKind
from assay.reports.csv import Csv
from assay.reports.json import as_json
from assay.reports.terminal import Terminal
from assay.run.stored_comparison import compare_store
from assay.run.task_facts import task_facts
from assay.store.merging import merge_results
from assay.store.packs import checksum_of
from assay.store.results import Store, open_existing

MODELS = ("timm:a", "timm:b", "hf:c")
_FACTS = ModelFacts(4, 1000, 10**6, 4000, "8x8", "none", 0, "made up", "ab")
COLUMNS = {
    "results": (
        "key", "model", "task", "method", "seed", "fingerprint", "status", "value", "metrics", "tuned",
        "notes", "reason", "seconds", "encode_seconds", "interval", "metric", "cost", "train_rows", "dtype",
        "val_value", "cause", "finished",
    ),
    "models": ("address", "identity", "facts"),
    "tasks": ("address", "facts"),
    "latencies": (
        "model", "identity", "latency_seconds", "spread", "throughput", "load", "machine", "measured",
    ),
    "schema_version": ("version",),
}  # fmt: skip


@cache
def base() -> Path:
    """Return a store of three models on one task, by a protocol and a score; those of two were merged."""
    root = Path(tempfile.mkdtemp(prefix="assay-stored-")) / "store"
    shard = Store(root.parent / "shard")
    rng = np.random.default_rng(0)
    labels = Labels(LabelKind.CLASSIFICATION, rng.integers(3, size=30), ("x", "y", "z"))
    names = [f"{row}.png" for row in range(30)]
    split = Split(InMemoryExamples(names, names), labels)
    address, kind = "folder:./photos", TaskKind.CLASSIFICATION
    task = Task(
        address, kind, Modality.IMAGE, "accuracy", labels.classes, split, split, split, fingerprint="f"
    )
    store = Store(root)
    with store.writing(), shard.writing():
        for number, model in enumerate(MODELS):
            to = shard if number else store
            to.add_task(task_facts(task), task)
            to.add_model(Opened(model, model, _FACTS, Speed(0.01, 0.001, 90.0, 0.5, "a machine")))
            for method in ("knn", "logme"):
                job = Job(model, address, method, 0, f"{number}{method}", "f")
                to.add(_finished(job, labels, rng))
        merge_results(store, shard)
    shard.close()
    store.close()
    return root


def _finished(job: Job, labels: Labels, rng: np.random.Generator) -> Finished:
    if job.method == "logme":
        return Finished(Result(job, Status.OK, float(rng.normal()), seconds=0.1))
    wrong = rng.random(30) < 0.3
    predicted = np.where(wrong, rng.integers(3, size=30), labels.values)
    value = float(np.mean(predicted == labels.values))
    result = Result(job, Status.OK, value, {"accuracy": value}, {"k": 5.0}, seconds=0.2)
    return Finished(result, Predicted(predicted, rng.random((30, 3)).astype(np.float32)))


_CELLS: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.integers(-2, 3),
    st.sampled_from(
        (2**63 - 1, -(2**63), 1e308, float("inf"), -0.0, "9" * 400, "[" * 9000, "{}", "[]", '""')
    ),
    odd_texts.map(lambda text: text.encode("utf-8", "surrogatepass")),  # bytes, which may be no UTF-8
    odd_texts.filter(lambda text: "\ud800" not in text),
    altered_json(asdict(_FACTS)).map(bytes.decode),
    altered_json({"accuracy": 0.5, "auroc": 0.7}).map(bytes.decode),
    altered_json({"low": 0.1, "high": 0.9, "level": 0.95}).map(bytes.decode),
)


def _facts_of_the_task() -> st.SearchStrategy[tuple[str, str, Any]]:
    with closing(sqlite3.connect(base() / "results.sqlite")) as connection:
        (text,) = connection.execute("SELECT facts FROM tasks").fetchone()
    return altered_json(json.loads(text)).map(lambda facts: ("tasks", "facts", facts.decode()))


def changed_cells() -> st.SearchStrategy[list[tuple[str, str, Any]]]:
    """Lists of table, column and what stands in one of its cells instead."""
    places = [(table, column) for table, columns in COLUMNS.items() for column in columns]
    one = st.tuples(st.sampled_from(places), _CELLS).map(lambda pair: (*pair[0], pair[1]))
    return st.lists(st.one_of(one, one, st.deferred(_facts_of_the_task)), min_size=1, max_size=2)


def changed_files() -> st.SearchStrategy[tuple[int, bytes]]:
    """The number of a file, and what it holds instead."""
    return st.integers(0, 30).flatmap(
        lambda number: st.tuples(
            st.just(number), mutated(_files(base())[number % len(_files(base()))].read_bytes())
        )
    )


def _files(store: Path) -> list[Path]:
    return [path for path in sorted(store.rglob("*")) if path.is_file() and path.name != ".lock"]


def feed_cells(changes: list[tuple[str, str, Any]], folder: Path) -> None:
    """Read a store with other cells."""
    store = Path(shutil.copytree(base(), folder / "store"))
    with closing(sqlite3.connect(store / "results.sqlite")) as connection:
        for table, column, value in changes:
            connection.execute(
                f"UPDATE OR IGNORE {table} SET {column} = ? WHERE rowid = (SELECT min(rowid) FROM {table})",
                (value,),
            )
        connection.commit()
    _use(store)


def feed_file(change: tuple[int, bytes], folder: Path) -> None:
    """Read a store with another file."""
    store = Path(shutil.copytree(base(), folder / "store"))
    files = _files(store)
    files[change[0] % len(files)].write_bytes(change[1])
    _use(store)


def changed_packs() -> st.SearchStrategy[tuple[int, bytes, bool]]:
    """The number of a pack, what it holds instead, and whether its checksum is made right again."""
    return st.integers(0, 1).flatmap(
        lambda number: st.tuples(st.just(number), mutated(_packs(base())[number].read_bytes()), st.booleans())
    )


def _packs(store: Path) -> list[Path]:
    return sorted(store.rglob("*.npz"))


def feed_pack(change: tuple[int, bytes, bool], folder: Path) -> None:
    """Read a store with another pack."""
    store = Path(shutil.copytree(base(), folder / "store"))
    pack = _packs(store)[change[0]]
    pack.write_bytes(change[1])
    if change[2]:
        with suppress(Exception), ZipFile(pack, "a") as archive:  # what is no zip file stays as it is
            archive.comment = checksum_of(archive.infolist())
    _use(store)


def _use(root: Path) -> None:
    store = open_existing(root)
    try:
        comparison = compare_store(store)
        Csv().render(comparison, root.parent / "out.csv")
        Terminal().render(comparison, root.parent / "out.txt")
        as_json(comparison)
    finally:
        store.close()
        verify(root)
