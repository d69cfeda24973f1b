"""What a study trained leaves it, and predicts elsewhere what it predicted there."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

import assay
from assay.actions.load import Saved
from assay.actions.save import ModelToSave, save
from assay.cli.main import main
from assay.core.errors import StoreError, UsageError
from assay.plugins.protocol import Protocol
from assay.plugins.registry import Named
from assay.run.plan import resolve_methods, resolve_models, resolve_tasks
from assay.store.results import open_existing

MODEL = "timm:test_resnet(pretrained=False, image_size=32)"
TASK = "sklearn:digits(limit=100)"
METHODS = (
    "linear_probe",
    "knn",
    "fine_tune(trials=2, epochs=1)",
    "fine_tune(trials=1, epochs=1, lora=2)",
    "fine_tune(trials=1, epochs=1, head_only=True)",
    "fine_tune(trials=1, epochs=1, from_scratch=True)",
    "sgd(epochs=1)",
    "few_shot(draws=1, k=3, protocol='fine_tune(trials=1, epochs=1)')",
    "ridge",
)


@pytest.fixture(scope="module")
def store(tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("study") / "store"
    study = assay.Study(models=[MODEL], tasks=[TASK], methods=METHODS, store=root, seeds=1, device="cpu")
    assert {cell.reason for cell in study.run().cells} == {""}
    return root


def chosen(method: str) -> ModelToSave:
    named = resolve_methods([method])[0]
    assert isinstance(named.plugin, Protocol)
    return ModelToSave(
        resolve_models([MODEL])[0], resolve_tasks([TASK], 0)[0], Named(named.address, named.plugin)
    )


@pytest.mark.parametrize("method", METHODS)
def test_a_saved_model_predicts_what_the_study_predicted(store, tmp_path, method):
    what = chosen(method)

    result = save(open_existing(store), what, tmp_path / "saved", "cpu")

    test = what.task.test
    kept = open_existing(store).predictions([result.job.key])[result.job.key]
    with assay.load(tmp_path / "saved", "cpu") as saved:
        predicted = saved.predict([test.examples.read(row) for row in range(len(test))])
    np.testing.assert_array_equal(predicted.values, kept.values)
    if kept.probs is not None:
        np.testing.assert_allclose(predicted.probs, kept.probs, atol=1e-5)


def test_a_model_and_a_task_are_found_by_the_names_that_a_report_gives_them(
    store, tmp_path, monkeypatch, capsys
):
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "mine.txt").write_text("mine")
    monkeypatch.chdir(tmp_path)
    named = ["save", str(store), "timm:test_resnet(…)", "digits", "--device", "cpu"]
    monkeypatch.setattr(sys, "argv", ["assay", *named])

    with pytest.raises(SystemExit) as stop:
        main()

    assert not stop.value.code
    shown = capsys.readouterr().out
    assert "Saved timm:test_resnet(" in shown
    assert "Predict with: assay predict saved-2 ..." in shown  # the usual folder is taken


def test_encoder_and_head_are_written_as_onnx_where_they_predict_alike(store, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    pytest.importorskip("onnxscript")
    result = save(open_existing(store), chosen("linear_probe"), tmp_path / "saved", "cpu", onnx=True)

    session = onnxruntime.InferenceSession(str(tmp_path / "saved" / "model.onnx"))
    predicted, probs = session.run(None, {"pixels": np.zeros((3, 3, 32, 32), np.float32)})

    kept = open_existing(store).predictions([result.job.key])[result.job.key]
    assert kept.probs is not None
    assert (predicted.shape, probs.shape) == ((3,), (3, kept.probs.shape[1]))
    assert "model.onnx" in (tmp_path / "saved" / "README.md").read_text()


def test_what_cannot_be_onnx_says_so_and_leaves_nothing(store, tmp_path):
    with pytest.raises(UsageError, match=r"'knn.*' has no linear head for ONNX"):
        save(open_existing(store), chosen("knn"), tmp_path / "saved", "cpu", onnx=True)

    assert not (tmp_path / "saved").exists()


def test_missing_parts_of_the_study_are_named(store, tmp_path):
    with pytest.raises(UsageError, match=r"no knn\(k=3\) of .*; it has .*knn, .*Write --method"):
        save(open_existing(store), chosen("knn(k=3)"), tmp_path / "saved", "cpu")


def test_other_predictions_than_those_of_the_study_are_not_saved(store, tmp_path):
    what = chosen("knn")
    copy = open_existing(store)
    key = next(result.job.key for result in copy.results() if result.job.method == "knn")
    kept = copy.arrays.read("predictions", key).copy()
    try:
        copy.arrays.write("predictions", key, (kept + 1) % 10)
        with pytest.raises(StoreError, match="gave other predictions"):
            save(copy, what, tmp_path / "saved", "cpu")
    finally:
        copy.arrays.write("predictions", key, kept)

    assert not (tmp_path / "saved").exists()


def test_a_folder_that_is_not_empty_is_left_alone(store, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")

    with pytest.raises(UsageError, match="not empty"):
        save(open_existing(store), chosen("knn"), tmp_path, "cpu")


def test_the_script_of_a_folder_that_an_earlier_assay_saved_says_what_to_write():
    with pytest.raises(UsageError, match="earlier version of Assay. Write: assay predict FOLDER"):
        Saved.answers(None, ["new.jpg"])


def test_a_folder_without_a_saved_model_says_so(tmp_path):
    with pytest.raises(UsageError, match="contains no saved model"), assay.load(tmp_path):
        pass
