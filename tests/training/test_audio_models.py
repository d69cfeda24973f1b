"""Audio models are trained as image and text models are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from tests.audio_models import RATE, saved_audio_model, sounds
from tests.training.pictures import Pictures

from assay.core.task import LabelKind, Labels, Sound, Split
from assay.metrics.accuracy import Accuracy
from assay.models.hf import HuggingFaceSource
from assay.plugins.protocol import TrainingTask
from assay.protocols.fine_tune import FineTune

QUICK = FineTune(trials=1, epochs=4, batch_size=8, learning_rate=0.003, layer_decay=1.0, label_smoothing=0.0)


def tones(count: int, seed: int) -> Split:
    """Low and high tones with noise, of three lengths."""
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 2, count)
    given = []
    for number, value in enumerate(values):
        length = (3200, 4000, 4800)[number % 3]
        pitch = (300, 2000)[value] * rng.uniform(0.9, 1.1)
        wave = np.sin(2 * np.pi * pitch * np.arange(length) / RATE) + rng.normal(0, 0.2, length)
        given.append(Sound((0.3 * wave).astype(np.float32), RATE))
    return Split(Pictures(given), Labels(LabelKind.CLASSIFICATION, values, ("low", "high")))


def global_state() -> np.ndarray:
    """Return the state of the generator from which transformers would draw masks of time."""
    return np.array(np.random.get_state()[1])  # noqa: NPY002 - it is looked at, not used


@pytest.mark.parametrize("family", ["wav2vec2", "whisper"])
def test_an_audio_model_learns_and_is_what_it_was_afterwards(family: str, tmp_path: Path) -> None:
    model = HuggingFaceSource(str(saved_audio_model(tmp_path, family))).open("cpu")
    before, state = model.encode(sounds()).features, global_state()
    test = tones(40, 2)

    with QUICK.fit(model, TrainingTask(tones(48, 0), tones(24, 1), Accuracy()), 0) as tuned:
        value = tuned.predict(test.examples).judged(Accuracy(), test.labels)

    assert value > 0.9
    np.testing.assert_array_equal(model.encode(sounds()).features, before)
    np.testing.assert_array_equal(global_state(), state)


def test_features_in_training_are_those_of_encoding_in_the_order_given(tmp_path: Path) -> None:
    model = HuggingFaceSource(str(saved_audio_model(tmp_path, "wav2vec2"))).open("cpu")
    given = sounds(7)

    with model.training() as trainable:
        prepared = [trainable.prepared(sound) for sound in given]
        features = trainable.features(trainable.inputs(prepared, None)).detach()

    np.testing.assert_allclose(features, model.encode(given).features, atol=1e-5)


def test_a_tenth_of_each_sound_is_silent_in_training(tmp_path: Path) -> None:
    model = HuggingFaceSource(str(saved_audio_model(tmp_path, "wav2vec2"))).open("cpu")

    with model.training() as trainable:
        loud = [np.ones(4000, np.float32) + np.arange(4000, dtype=np.float32) % 2]
        plain, hidden = (
            trainable.inputs(loud, rng)[0].inputs["input_values"] for rng in (None, np.random.default_rng(0))
        )

    assert len(torch.unique(plain)) == 2
    values, counts = torch.unique(hidden, return_counts=True)
    assert counts[values.argmin()] == 400
