"""Results in tools for tracking experiments, read back with the tools themselves; skipped without them."""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from assay.core.errors import MissingPackage
from assay.reports.mlflow import MLflow
from assay.reports.trackio import Trackio
from assay.reports.wandb import Wandb
from assay.wording.exported import exported_runs

pytestmark = pytest.mark.filterwarnings("ignore")  # the tools warn of their own libraries


@pytest.fixture
def few(comparison):
    """The study with three of its cells."""
    valued = [cell for cell in comparison.cells if cell.value is not None and cell.method == "linear_probe"]
    return replace(comparison, cells=tuple(valued[:3]))


def test_a_run_has_what_a_row_of_the_table_has(few):
    rows, runs = few.rows(), exported_runs(few)

    assert [run.metrics["value"] for run in runs] == [row["value"] for row in rows]
    assert [run.config["method"] for run in runs] == ["linear_probe"] * 3
    assert len({run.key for run in runs}) == 3


@pytest.mark.parametrize(("report", "package"), [(MLflow, "mlflow"), (Wandb, "wandb"), (Trackio, "trackio")])
def test_a_missing_tool_says_what_to_install(report, package, few, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(MissingPackage, match=rf"pip install 'model-assay\[{package}\]'"):
        report().render(few, tmp_path / "out")


def test_mlflow_has_each_run_once(few, tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    MLflow().render(few, tmp_path / "study.mlflow")
    MLflow().render(few, tmp_path / "study.mlflow")

    client = mlflow.MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'mlflow.db'}")
    logged = client.search_runs([client.get_experiment_by_name("study").experiment_id])
    expected = {run.name: run for run in exported_runs(few)}
    assert {run.info.run_name for run in logged} == set(expected)
    assert len(logged) == 3
    assert all(run.data.metrics["value"] == expected[run.info.run_name].metrics["value"] for run in logged)
    assert all(run.data.params["method"] == "linear_probe" for run in logged)
    assert {run.info.status for run in logged} == {"FINISHED"}


def test_weights_and_biases_has_offline_runs(few, tmp_path, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.delenv("WANDB_DIR", raising=False)

    Wandb().render(few, tmp_path / "study.wandb")

    files = list((tmp_path / "wandb").glob("offline-run-*/run-*.wandb"))
    keys = {run.key for run in exported_runs(few)}
    assert {file.stem.removeprefix("run-") for file in files} == keys
    assert all(b"linear_probe" in file.read_bytes() for file in files)


def test_trackio_has_local_runs(few, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "kept"))
    trackio = pytest.importorskip("trackio")

    Trackio().render(few, tmp_path / "study.trackio")

    assert capsys.readouterr().out == ""
    logged = {run.name: run for run in trackio.Api().runs("study")}
    assert len(logged) == 3
    for run in exported_runs(few):
        kept = trackio.SQLiteStorage.get_logs("study", f"{run.name} ({run.key})")
        assert kept[0]["value"] == run.metrics["value"]
