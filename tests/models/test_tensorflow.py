from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from assay.core.errors import CheckpointError, ModelError, UsageError
from assay.core.task import Modality
from assay.models.tensorflow import TensorflowSource


def test_an_exported_model_is_read_before_its_head(tensorflow_files: Path) -> None:
    expected = np.load(tensorflow_files / "net.npz")
    model = TensorflowSource(str(tensorflow_files / "saved")).open("cpu")

    features, probs = model.encode([expected["pixels"]])[:2]
    shapes = sorted(matrix.shape for matrix in model.weights())
    model.close()

    np.testing.assert_allclose(features, expected["features"], atol=1e-6)
    np.testing.assert_allclose(probs, expected["probs"], atol=1e-6)
    assert (model.facts.macs, shapes) == (14 * 14 * 27 * 8 + 40, [(5, 8), (8, 27)])


@pytest.mark.parametrize("name", ["nested", "whole"])
def test_a_model_that_rescales_its_input_is_fed_whole_pixels(tensorflow_files: Path, name: str) -> None:
    expected = np.load(tensorflow_files / "rescaling.npz")
    source = TensorflowSource(str(tensorflow_files / f"saved_{name}"), head=False)
    model = source.open("cpu")

    features = model.encode([expected["pixels"]]).features
    model.close()

    np.testing.assert_allclose(features, expected[name], rtol=1e-4, atol=1e-5)
    assert "pixels 0..255" in model.facts.input_note
    assert "scale=None" in source.identity()


def test_a_model_that_says_nothing_of_its_pixels_is_fed_0_to_1_and_says_so(tensorflow_files: Path) -> None:
    folder = str(tensorflow_files / "colours")
    model = TensorflowSource(folder, size=8).open("cpu")
    model.close()

    assert "pixels 0..1, mean 0 and std 1 are assumed" in model.facts.input_note
    assert (
        TensorflowSource(folder, size=8).identity() == TensorflowSource(folder, size=8, scale=True).identity()
    )


def test_a_model_of_tf_hub_is_called_with_pictures_of_the_size_that_is_asked(tensorflow_files: Path) -> None:
    folder = str(tensorflow_files / "colours")
    model = TensorflowSource(folder, size=8).open("cpu")
    colour = np.full((8, 8, 3), (0, 51, 255), np.uint8)

    features, probs = model.encode([colour])[:2]
    model.close()

    np.testing.assert_allclose(features, [[0, 0.2, 1]], atol=1e-6)
    assert probs is None
    with pytest.raises(ModelError, match="size=224"):
        TensorflowSource(folder).open("cpu")


def test_a_model_of_tf_hub_is_called_with_texts(tensorflow_files: Path) -> None:
    folder = str(tensorflow_files / "words")
    source = TensorflowSource(folder, reads="text")
    model = source.open("cpu")

    first, second, both = model.encode(["größer", "fox", "größer fox"]).features
    pair = model.encode([("größer", "fox")]).features
    model.close()

    assert source.modality() is Modality.TEXT
    np.testing.assert_allclose(both, first + second, atol=1e-5)
    np.testing.assert_allclose(
        pair[0], np.concatenate([first, second, np.abs(first - second), first * second]), atol=1e-5
    )
    with pytest.raises(ModelError, match="reads='text'"):
        TensorflowSource(folder).open("cpu")


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no 'saved_model\.pb'"):
        TensorflowSource(str(tmp_path)).check()


def test_a_damaged_model_says_so(tmp_path: Path) -> None:
    (tmp_path / "saved_model.pb").write_bytes(b"not a model")
    source = TensorflowSource(str(tmp_path))
    source.check()

    with pytest.raises(CheckpointError, match="cannot be opened.*Export it again"):
        source.open("cpu")
