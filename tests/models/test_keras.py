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
    prepared = model.pixels.prepare(expected["pixels"])
    kept = model.pixels.encode(prepared[None]).features
    model.close()

    np.testing.assert_array_equal(kept, features)
    assert model.pixels.shape == (3, 64, 64)
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


@pytest.mark.parametrize(
    ("name", "range_of_pixels"),
    [
        ("flat.keras", "0..255"),
        ("nested.keras", "0..255"),
        ("nested.h5", "0..255"),
        ("augmented.keras", "0..255"),
        ("operations.keras", "0..255"),
        ("normalised.keras", "0..255"),
        ("caffe.keras", "0..255"),
        ("cut.keras", "0..255"),
        ("whole.keras", "0..255"),
        ("deep.keras", "0..1"),
        ("unit.keras", "0..1"),
    ],
)
def test_a_file_is_fed_the_range_of_pixels_that_it_expects(
    tensorflow_files: Path, name: str, range_of_pixels: str
) -> None:
    expected = np.load(tensorflow_files / "rescaling.npz")
    model = KerasSource(str(tensorflow_files / name)).open("cpu")

    features = model.encode([expected["pixels"]]).features
    model.close()

    np.testing.assert_allclose(features, expected[name.partition(".")[0]], rtol=1e-4, atol=1e-5)
    assert f"pixels {range_of_pixels}" in model.facts.input_note
    assert ("assumed" in model.facts.input_note) is (name == "deep.keras")


def test_scale_overrides_what_a_file_seems_to_expect_and_says_so(tensorflow_files: Path) -> None:
    expected = np.load(tensorflow_files / "rescaling.npz")
    model = KerasSource(str(tensorflow_files / "unit.keras"), scale=False).open("cpu")
    as_set = KerasSource(str(tensorflow_files / "nested.keras"), scale=True).open("cpu")

    features = as_set.encode([expected["pixels"]]).features
    as_set.close()
    model.close()

    assert "0..1" in as_set.facts.preprocessing
    assert not np.allclose(features, expected["nested"], atol=1e-3)
    assert as_set.notes == (as_set.facts.input_note,)
    assert "as set, but the model seems to expect 0..255" in as_set.facts.input_note
    assert "as set, but the model seems to expect 0..1" in model.facts.input_note


def test_only_files_that_were_fed_another_range_before_are_other_models_now(tensorflow_files: Path) -> None:
    def version(name: str) -> str:
        return KerasSource(str(tensorflow_files / name)).identity().partition("as found ")[2][:1]

    kept = [version(name) for name in ("net.keras", "net.h5", "flat.keras")]
    others = [version(f"{name}.keras") for name in ("nested", "operations", "caffe", "whole", "deep", "cut")]

    assert (kept, others) == ([""] * 3, ["2"] * 5 + ["3"])


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
        ("operations.h5", r"the operation 'TrueDivide' between its layers.*model.save\('model.keras'\)"),
        ("only.weights.h5", r"keras:ResNet50\(checkpoint='only.weights.h5'\)"),
        ("truncated.keras", "damaged"),
        ("unbuilt.keras", "saved before it was built.*Begin the model with keras.Input"),
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
