"""Large stores: time and peak memory of the report and of each export, against reading the rows with pandas.

    python benchmarks/load.py                        # the three stores, a few minutes
    python benchmarks/load.py --models 300 --tasks 3
    python benchmarks/load.py --models 10000 --tasks 10 --export csv --export parquet     # 1,000,000 results

Each store is made up: every model has results of two protocols (with the predictions of 200 test examples)
on each task, and in the first store of eight scores. Every command runs in a process of its own, whose
processor time and peak resident memory are printed. The last column is the time over that of a process that
reads the same rows with sqlite3 into a pandas frame and writes them in the same format (CSV where pandas has
no such format), in the same run on the same machine.
"""

from __future__ import annotations

import argparse
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import NamedTuple

import numpy as np

from assay.core.job import Job
from assay.core.model import ModelFacts
from assay.core.result import Result, Status
from assay.core.task import InMemoryExamples, LabelKind, Labels, Modality, Split, Task, TaskKind
from assay.run.task_facts import task_facts
from assay.store.results import Store
from assay.store.rows import COLUMNS, written_result

EXAMPLES = 200
CLASSES = 4
PROTOCOLS = ("linear_probe", "knn")
SCORES = ("ridge_cv", "logme", "lda_cv", "h_score", "loo_knn", "label_cka", "gbc", "parc")
EXPORTS = ("csv", "parquet", "json", "tex", "md", "yaml", "txt")
SIZES = ((1000, 10, 10), (2000, 1, 2), (10, 300, 2))  # models, tasks, methods
PANDAS = """
import sqlite3, sys
import pandas as pd
rows = pd.read_sql("SELECT * FROM results", sqlite3.connect(sys.argv[1]))
write = {".parquet": rows.to_parquet, ".json": rows.to_json}.get(sys.argv[2], rows.to_csv)
write(sys.argv[3])
"""


class Size(NamedTuple):
    """The size of a store."""

    models: int
    tasks: int
    methods: int


class Spent(NamedTuple):
    """What a process took."""

    seconds: float  # of all processors
    megabytes: float


def make_store(root: Path, size: Size) -> None:
    """Write a store with a result of every model, task and method."""
    rng = np.random.default_rng(0)
    methods = (*PROTOCOLS, *SCORES)[: size.methods]
    store = Store(root)
    skills = rng.normal(1.0, 0.6, size.models)
    rows = []
    with store.writing():
        for number in range(size.tasks):
            task = _task(number, rng)
            store.add_task(task_facts(task), task)
            hard = rng.normal(size=EXAMPLES)
            for model in range(size.models):
                for method in methods:
                    result = _result(store, task, model, method, hard - skills[model], rng)
                    rows.append((*written_result(result), "2026-01-01T00:00:00+00:00"))
    store.close()
    with sqlite3.connect(root / "results.sqlite") as connection:
        marks = ",".join("?" * len(rows[0]))
        connection.executemany(f"INSERT INTO results ({COLUMNS}, finished) VALUES ({marks})", rows)
        connection.executemany("INSERT INTO models VALUES (?,?,?)", map(_model, range(size.models)))
    connection.close()


def _task(number: int, rng: np.random.Generator) -> Task:
    labels = rng.integers(CLASSES, size=EXAMPLES)
    names = [f"{row}.png" for row in range(EXAMPLES)]
    classes = tuple(f"class {one}" for one in range(CLASSES))
    split = Split(InMemoryExamples(names, names), Labels(LabelKind.CLASSIFICATION, labels, classes))
    kind, address = TaskKind.CLASSIFICATION, f"folder:./task_{number:03}"
    return Task(
        address, kind, Modality.TEXT, "accuracy", classes, split, split, split, fingerprint=f"task{number}"
    )


def _model(number: int) -> tuple[str, str, str]:
    facts = ModelFacts(
        width=384,
        parameters=1_000_000 + 1000 * number,
        macs=10**8,
        bytes=4_000_000,
        input="256 tokens",
        preprocessing="none",
        source_classes=0,
        weights="made up",
        fingerprint=f"{number:x}",
    )
    name = f"sentence:model-{number:04}"
    return name, name, json.dumps(asdict(facts))


def _result(
    store: Store, task: Task, model: int, method: str, hardness: np.ndarray, rng: np.random.Generator
) -> Result:
    job = Job(
        f"sentence:model-{model:04}",
        task.address,
        method,
        0,
        f"{task.fingerprint}m{model}{method}",
        task.fingerprint,
    )
    if method in SCORES:
        return Result(job, Status.OK, float(rng.normal(-hardness.mean(), 0.2)), seconds=0.1)
    truth = task.test.labels.values
    wrong = hardness + rng.normal(0, 0.5, EXAMPLES) > 0
    predicted = np.where(wrong, rng.integers(CLASSES, size=EXAMPLES), truth)
    store.arrays.write("predictions", job.key, predicted)
    value = float(np.mean(predicted == truth))
    metrics = {"accuracy": value, "balanced_accuracy": value, "macro_f1": value}
    return Result(job, Status.OK, value, metrics, {"C": 0.1}, seconds=1.0)


def spent(arguments: Sequence[str]) -> Spent:
    """Run a program and return its processor time and peak resident memory."""
    process = subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise SystemExit(f"{' '.join(arguments)}: {said.decode()}")
    return Spent(usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def measured(size: Size, exports: Sequence[str], folder: Path) -> Iterator[str]:
    """Yield the lines of one store."""
    store = folder / "store"
    make_store(store, size)
    assay, page = (sys.executable, "-m", "assay"), folder / "page.html"
    yield f"{size.models:,} models x {size.tasks} tasks x {size.methods} methods"
    yield f"{'':18} {'seconds':>8} {'MB':>7} {'/ pandas':>9}"
    report = spent((*assay, "report", str(store), "--html", str(page)))
    base = {
        suffix: spent(
            (sys.executable, "-c", PANDAS, str(store / "results.sqlite"), f".{suffix}", str(folder / "rows"))
        )
        for suffix in ("csv", "parquet", "json")
    }
    yield _line("report", report, base["csv"]) + f"   page {page.stat().st_size / 1e6:.1f} MB"
    for suffix in exports:
        found = spent((*assay, "export", str(store), str(folder / f"out.{suffix}")))
        yield _line(f"export .{suffix}", found, base.get(suffix, base["csv"]))


def _line(name: str, found: Spent, base: Spent) -> str:
    return f"{name:18} {found.seconds:8.1f} {found.megabytes:7.0f} {found.seconds / base.seconds:9.1f}"


def main() -> None:
    """Print the table of each store."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=int)
    parser.add_argument("--tasks", type=int, default=1)
    parser.add_argument("--methods", type=int, default=10)
    parser.add_argument("--export", action="append", choices=EXPORTS, help="only these formats; repeat it")
    asked = parser.parse_args()
    sizes = ((asked.models, asked.tasks, asked.methods),) if asked.models else SIZES
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            for line in measured(Size(*size), asked.export or EXPORTS, Path(folder)):
                print(line, flush=True)
        print()


if __name__ == "__main__":
    main()
