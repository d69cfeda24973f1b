"""Stores of an earlier commit open and resume: what is written into them, and hashed into keys, is frozen.

``study/`` was written by commit 4830466 with ``assay run study.toml``: five tasks, four models, all scores
and protocols. ``serialised_names.json`` lists the names and sentences that keys and stores hold. A name is
added there with the plug-in or the setting that brings it; none is ever changed. A score whose values have
changed has a higher version, and runs again.
"""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import re
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from assay.core.estimate import Interval
from assay.core.model import ModelFacts
from assay.core.result import Cost, Status
from assay.core.task import Modality, TaskKind
from assay.findings.facts import ShownExample, TaskFacts
from assay.findings.per_task import OTHER_MODALITY
from assay.plugins.address import Address
from assay.plugins.families import BUILT_IN
from assay.plugins.registry import Registry
from assay.run.study import Study
from assay.store.results import Store, open_existing

HERE = Path(__file__).parent
FAMILIES = {
    registry.family: Registry(registry.family, registry.base, registry.what)
    for registry in (
        BUILT_IN.models,
        BUILT_IN.tasks,
        BUILT_IN.scores,
        BUILT_IN.protocols,
        BUILT_IN.metrics,
        BUILT_IN.reports,
        BUILT_IN.engines,
    )
}
RAISED = {
    "lda_cv",
    "lead",
    "logistic_cv",
    "logme",
    "ped",
    "ridge_cv",
}  # their values changed, so they run again
FROZEN = json.loads((HERE / "serialised_names.json").read_text("utf-8"))


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """The study of the earlier commit, with its store, in the current folder."""
    shutil.copytree(HERE / "study", tmp_path / "study")
    monkeypatch.chdir(tmp_path / "study")
    return Study.from_file("study.toml")


def test_a_store_of_an_earlier_commit_continues_and_runs_nothing_again(study):
    ready = study.plan()

    left = study.left(ready)

    with sqlite3.connect("store/results.sqlite") as connection:
        stored = {row[0] for row in connection.execute("SELECT key FROM results")}
    again = {job.key for job in ready.jobs.values() if job.method in RAISED}
    assert ready.jobs.keys() - again <= stored
    assert left.jobs.keys() == again


def test_a_store_of_an_earlier_commit_gives_the_findings_that_it_gave(study):
    expected = json.loads(Path("expected.json").read_text("utf-8"))

    comparison = study.compare()

    cells = sorted(
        [cell.model, cell.task, cell.method, cell.status.value, cell.value] for cell in comparison.cells
    )
    assert cells == [cell for cell in expected["cells"] if cell[2] not in RAISED]
    for task in comparison.tasks:
        standings = [
            [
                standing.model,
                pytest.approx(standing.value),
                standing.rank,
                standing.p_value and pytest.approx(standing.p_value),
                standing.interval
                and [pytest.approx(end) for end in dataclasses.astuple(standing.interval)[:2]],
            ]
            for standing in task.standings
        ]
        assert standings == expected["standings"][task.task.address]


def test_features_and_predictions_of_an_earlier_commit_are_found_by_their_keys(study):
    store = open_existing(Path(study.store))
    try:
        predicted = {result.job.key for result in store.results() if result.metrics}
        assert store.predictions(predicted).keys() == predicted
        tasks = store.tasks()
        assert store.truths(tasks).keys() == {task.fingerprint for task in tasks}
        texts = next(task for task in tasks if "texts.csv" in task.address)
        vectors = next(model for model in store.models() if model.address == "vectors:vectors.txt")
        features = store.features(vectors, texts.fingerprint)
        assert features is not None
        assert features.shape == (texts.test_count, vectors.facts.width)
        assert store.slices(texts)[0].names == ("north", "south")
        assert len(store.names(texts.fingerprint)) == texts.test_count
    finally:
        store.close()


@pytest.mark.parametrize("family", FROZEN["plugins"])
def test_names_and_settings_of_plug_ins_are_what_keys_hold(family):
    registry = FAMILIES[family]

    assert {name: _settings(registry.load(name)) for name in registry.names()} == FROZEN["plugins"][family]


def test_values_and_fields_are_what_stores_hold():
    assert [kind.value for kind in TaskKind] == FROZEN["values"]["task kinds"]
    assert [modality.value for modality in Modality] == FROZEN["values"]["modalities"]
    assert [status.value for status in Status] == FROZEN["values"]["statuses"]
    kept = {
        kind.__name__: [field.name for field in dataclasses.fields(kind)]
        for kind in (ModelFacts, TaskFacts, Cost, Interval, ShownExample)
    }
    assert kept == FROZEN["stored fields"]
    assert FROZEN["reason prefixes"] == [OTHER_MODALITY]


def test_tables_and_columns_are_what_stores_hold(tmp_path):
    Store(tmp_path).close()

    with sqlite3.connect(tmp_path / "results.sqlite") as connection:
        tables = [
            row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE sql LIKE '%TABLE%'")
        ]
        columns = {
            table: [row[1] for row in connection.execute(f"PRAGMA table_info({table})")] for table in tables
        }
    assert columns == FROZEN["tables"]


@pytest.mark.parametrize("address", FROZEN["models"])
def test_identity_and_preprocessing_of_a_model_are_what_keys_hold(study, address):
    parsed = Address.parse(address)
    source = BUILT_IN.models.create_from_source(parsed).plugin
    for package in source.packages:
        if importlib.util.find_spec(package) is None:  # importing TensorFlow would leave it in this process
            pytest.skip(f"needs the package {package}")

    model = source.open("cpu")

    try:
        facts = model.facts
        told = {"preprocessing": facts.preprocessing, "input": facts.input, "weights": facts.weights}
        versions = r"(?<= )\d+\.\d+(\.\w+)*(\+\w+)?(?=[ ;])"
        assert {"identity": re.sub(versions, "VERSION", source.identity()), **told} == FROZEN["models"][
            address
        ]
    finally:
        model.close()


def _settings(member: Any) -> dict[str, Any]:
    fields = dataclasses.fields(member) if dataclasses.is_dataclass(member) else ()
    settings = {
        field.name: "required" if field.default is dataclasses.MISSING else repr(field.default)
        for field in fields
        if field.init
    }
    return {"settings": settings, **({"version": member.version} if hasattr(member, "version") else {})}
