"""What docs/store.md says of a store is so."""

from __future__ import annotations

import ast
import re
import sqlite3
from pathlib import Path

import numpy as np
import pytest

from assay.run.study import Study
from assay.store.results import Store

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "store.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    """A store with a small study, called as in the document."""
    folder = tmp_path_factory.mktemp("document")
    rng = np.random.default_rng(0)
    features = rng.normal(size=(60, 4)).astype(np.float32)
    words = ("red", "blue")
    rows = "\n".join(
        f"text {row} {words[row % 2]},{words[row % 2]},{'de' if row % 3 else 'en'}" for row in range(60)
    )
    (folder / "texts.csv").write_text(f"text,label,language\n{rows}\n")
    names = np.array([f"row {row + 1}" for row in range(60)])
    np.savez(folder / "mine.npz", features=features, names=names)
    Study(
        models=[f"features:{folder / 'mine.npz'}"],
        tasks=[f"table:{folder / 'texts.csv'}(slices='language')"],
        methods=["linear_probe"],
        store=folder / "demo.assay",
        control=False,
    ).run()
    return folder


def test_the_queries_give_what_the_store_holds(store):
    (result,) = Store(store / "demo.assay").results()
    connection = sqlite3.connect(f"file:{store / 'demo.assay' / 'results.sqlite'}?mode=ro", uri=True)

    accuracies, models = (connection.execute(query).fetchall() for query in blocks("sql"))

    assert accuracies == [(result.job.task, result.job.model, result.metrics["accuracy"], 1)]
    assert [row[0] for row in models] == [result.job.model]


def test_the_example_in_python_runs(store, monkeypatch, capsys):
    (result,) = Store(store / "demo.assay").results()
    monkeypatch.chdir(store)

    exec(compile(blocks("python")[0], "store.md", "exec"), {})

    wrong = ast.literal_eval(capsys.readouterr().out)
    assert len(wrong) == round((1 - result.value) * 12)


def test_every_table_column_and_folder_is_named(store):
    connection = sqlite3.connect(f"file:{store / 'demo.assay' / 'results.sqlite'}?mode=ro", uri=True)
    tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    columns = {
        table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")] for table in tables
    }
    folders = [path.name for path in (store / "demo.assay").iterdir() if path.is_dir()]

    for table, names in columns.items():
        row_of_table = next(line for line in TEXT.splitlines() if line.startswith(f"| `{table}` |"))
        assert [name for name in names if f"`{name}`" not in row_of_table] == []
    assert [name for name in folders if f"`{name}/" not in TEXT] == []
