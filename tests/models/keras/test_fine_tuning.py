"""Fine-tuning models of Keras: in this process, on torch, with the weights that their own process holds."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tests.training.pictures import training_task

from assay.core.errors import NotApplicable
from assay.models.keras import KerasSource
from assay.models.tensorflow import TensorflowSource
from assay.protocols.fine_tune import FineTune

QUICK = FineTune(trials=1, epochs=3, batch_size=16, learning_rate=0.01, layer_decay=1.0, augment=False)


@pytest.mark.parametrize("source", [KerasSource("MobileNet", pretrained=False, image_size=64), None])
def test_the_copy_that_is_trained_says_what_the_model_says(
    source: KerasSource | None, tensorflow_files: Path
) -> None:
    model = (source or KerasSource(str(tensorflow_files / "net.keras"))).open("cpu")
    pictures = [np.random.default_rng(row).integers(0, 256, (40, 50, 3), dtype=np.uint8) for row in range(3)]
    expected = model.encode(pictures).features

    with model.training() as trainable:
        assert not trainable.module.training
        inputs = trainable.inputs([trainable.prepared(picture) for picture in pictures], None)
        with torch.no_grad():
            features = trainable.features(inputs).numpy()
    model.close()

    np.testing.assert_allclose(features, expected, rtol=1e-4, atol=1e-5 * np.abs(expected).max())
    assert "tensorflow" not in sys.modules


def test_a_file_is_fine_tuned_alike_each_time_and_stays_what_it_was(tensorflow_files: Path) -> None:
    model = KerasSource(str(tensorflow_files / "net.keras")).open("cpu")
    task = training_task(count=48)
    before = model.encode([task.val.examples.read(0)]).features

    outcomes = []
    for _ in range(2):
        with QUICK.fit(model, task, 0) as tuned:
            outcomes.append((tuned.tuned, tuned.predict(task.val.examples).probs, tuned.tensors()))
    with replace(QUICK, trials=1).restored(model, outcomes[0][2], task.train.labels) as restored:
        again = restored.predict(task.val.examples).probs

    assert outcomes[0][0]["epoch"] > 0
    assert outcomes[0][0] == outcomes[1][0]
    np.testing.assert_array_equal(outcomes[0][1], outcomes[1][1])
    np.testing.assert_array_equal(again, outcomes[0][1])
    np.testing.assert_array_equal(model.encode([task.val.examples.read(0)]).features, before)
    model.close()


def test_a_saved_model_says_that_its_weights_are_frozen(tensorflow_files: Path) -> None:
    folder = next(path.parent for path in tensorflow_files.rglob("saved_model.pb"))
    model = TensorflowSource(str(folder), size=16).open("cpu")

    with pytest.raises(NotApplicable, match=r"frozen: train a \.keras file"), model.training():
        pass
    model.close()
