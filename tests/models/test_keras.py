from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from assay.core.errors import CheckpointError, ModelError, UnknownName, UsageError
from assay.models.keras import KerasSource


def test_an_application_says_what_keras_says(tensorflow_files: Path) -> None:
    expected = np.load(tensorflow_files / "application.npz")
    source = KerasSource("MobileNet", pretrained=False, image_size=64)
    source.check()
    model = source.open("cpu")

    features, probs = model.encode([expected["pixels"]])[:2]
    model.close()

    np.testing.assert_allclose(features, expected["features"], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(probs, expected["probs"], rtol=1e-4, atol=1e-6)
    assert "mobilenet.preprocess_input" in model.facts.preprocessing


@pytest.mark.parametrize("name", ["net.keras", "net.h5"])
def test_a_file_says_what_keras_says(tensorflow_files: Path, name: str) -> None:
    expected = np.load(tensorflow_files / "net.npz")
    model = KerasSource(str(tensorflow_files / name)).open("cpu")

    features, probs = model.encode([expected["pixels"]])[:2]
    shapes = [matrix.shape for matrix in model.weights()]
    model.close()

    np.testing.assert_allclose(features, expected["features"], atol=1e-6)
    np.testing.assert_allclose(probs, expected["probs"], atol=1e-6)
    assert (model.facts.macs, shapes) == (14 * 14 * 27 * 8 + 40, [(8, 27), (5, 8)])


def test_tensorflow_stays_out_of_this_process(tensorflow_files: Path) -> None:
    KerasSource(str(tensorflow_files / "net.keras")).open("cpu").close()

    assert "tensorflow" not in sys.modules


def test_a_process_that_dies_is_one_failed_model(tensorflow_files: Path) -> None:
    model = KerasSource(str(tensorflow_files / "net.keras")).open("cpu")
    picture = np.zeros((16, 16, 3), np.uint8)
    os.kill(model._worker.process_id, signal.SIGKILL)

    with pytest.raises(
        ModelError, match=r"net\.keras' was ended by SIGKILL, mostly because memory did not suffice"
    ):
        model.encode([picture])
    with pytest.raises(ModelError, match="closed"):
        model.encode([picture])


def test_closing_ends_the_process(tensorflow_files: Path) -> None:
    model = KerasSource(str(tensorflow_files / "net.keras")).open("cpu")
    process = model._worker.process_id
    model.close()

    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("custom.h5", "holds 'Twice'.*export"),
        ("lambda.keras", "holds a Lambda layer.*export"),
        ("only.weights.h5", r"keras:ResNet50\(checkpoint='only.weights.h5'\)"),
        ("truncated.keras", "damaged"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(tensorflow_files: Path, name: str, message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        KerasSource(str(tensorflow_files / name)).open("cpu")


def test_a_layer_may_be_named(tensorflow_files: Path) -> None:
    file = str(tensorflow_files / "net.keras")
    model = KerasSource(file, layer="maps").open("cpu")
    model.close()

    assert (model.facts.width, model.facts.source_classes) == (8, 0)
    with pytest.raises(ModelError, match="no layer 'nothing'. Its last layers: maps, pool, classes"):
        KerasSource(file, layer="nothing").open("cpu")


def test_all_applications_are_listed() -> None:
    names = set(KerasSource.list_names())

    assert len(names) >= 38  # as many as Keras 3.15 has
    assert {"ResNet50", "VGG16", "MobileNetV3Small", "EfficientNetV2L", "ConvNeXtXLarge"} <= names


@pytest.mark.parametrize(
    ("name", "settings", "error", "message"),
    [
        ("ResNet5O", {}, UnknownName, "ResNet50"),
        ("nothing.keras", {}, UsageError, r"nothing\.keras"),
        ("ResNet50", {"mean": 0.5}, UsageError, "its own preprocess_input"),
        ("ResNet50", {"checkpoint": "nothing.h5"}, UsageError, r"nothing\.h5"),
        ("net.keras", {"preprocess": "resnet"}, UnknownName, "model of keras.applications"),
    ],
)
def test_what_cannot_be_is_refused_at_once(
    name: str, settings: dict[str, Any], error: type[UsageError], message: str
) -> None:
    with pytest.raises(error, match=message):
        KerasSource(name, **settings).check()


def test_the_same_file_elsewhere_is_the_same_model(tensorflow_files: Path, tmp_path: Path) -> None:
    source = KerasSource(str(tensorflow_files / "net.keras"))
    copy = tmp_path / "copy.keras"
    copy.write_bytes(Path(source.name).read_bytes())

    assert KerasSource(str(copy)).identity() == source.identity()
    assert KerasSource(str(copy), scale=False).identity() != source.identity()
