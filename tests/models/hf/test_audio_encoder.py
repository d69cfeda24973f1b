"""Audio models of transformers with random weights, against a few lines of transformers alone."""

from __future__ import annotations

import importlib.util
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from scipy.signal import resample_poly
from tests.audio_models import RATE, saved_audio_model, sounds
from tests.conftest import save

from assay.core.errors import CheckpointError, ModelError, UsageError
from assay.core.task import Modality, Sound
from assay.models.hf import HuggingFaceSource
from assay.run.study import Study

pytestmark = pytest.mark.filterwarnings("ignore:Support for mismatched key_padding_mask")  # WavLM itself
FAMILIES = ("wav2vec2", "hubert", "wavlm", "whisper", "ast")


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return a saved model of a family, with random weights."""
    return lambda family: saved_audio_model(tmp_path_factory.mktemp(family), family)


@pytest.mark.parametrize("family", FAMILIES)
def test_features_are_those_of_transformers_alone(saved: Callable[[str], Path], family: str) -> None:
    folder, sound = saved(family), sounds()[0]
    source = HuggingFaceSource(str(folder))

    features = source.open("cpu").encode([sound]).features[0]

    assert source.modality() is Modality.AUDIO
    np.testing.assert_allclose(features, _by_transformers(folder, family, sound.samples), atol=1e-5)


def _by_transformers(folder: Path, family: str, samples: np.ndarray) -> np.ndarray:
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder)
    given = extractor(samples, sampling_rate=RATE, return_tensors="pt")
    model = transformers.AutoModel.from_pretrained(folder).eval()
    with torch.no_grad():
        if family == "whisper":
            frames = model.encoder(**given).last_hidden_state[0]
            heard = math.ceil(len(samples) / 320)  # a frame is two steps of 160 samples
            return frames[:heard].mean(0).numpy()
        output = model(**given)
    if family == "ast":
        return output.pooler_output[0].numpy()
    return output.last_hidden_state[0].mean(0).numpy()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_sound_has_the_same_features_in_any_batch(saved: Callable[[str], Path], family: str) -> None:
    model = HuggingFaceSource(str(saved(family))).open("cpu")
    given = sounds(32)

    together = model.encode(given).features

    alone = np.concatenate([model.encode([sound]).features for sound in given])
    np.testing.assert_allclose(alone, together, atol=1e-4 * np.abs(together).max())


def test_sounds_of_another_rate_are_resampled(saved: Callable[[str], Path]) -> None:
    folder = saved("wav2vec2")
    cd = Sound(sounds()[2].samples, 44_100)
    samples = resample_poly(cd.samples, 160, 441)

    features = HuggingFaceSource(str(folder)).open("cpu").encode([cd]).features[0]

    np.testing.assert_allclose(features, _by_transformers(folder, "wav2vec2", samples), atol=1e-5)


@pytest.mark.parametrize(("family", "most"), [("wav2vec2", 0.25), ("whisper", 1.0), ("ast", 0.64)])
def test_what_is_beyond_the_most_seconds_is_cut_and_counted(
    saved: Callable[[str], Path], family: str, most: float
) -> None:
    settings: dict[str, Any] = {"max_seconds": 0.25} if family == "wav2vec2" else {}
    model = HuggingFaceSource(str(saved(family)), **settings).open("cpu")
    long = Sound(np.random.default_rng(0).normal(0, 0.1, 2 * RATE).astype(np.float32), RATE)
    beginning = Sound(long.samples[: round(most * RATE)], RATE)

    encoded = model.encode([long, beginning])

    assert encoded.truncated == 1
    np.testing.assert_allclose(encoded.features[0], encoded.features[1], atol=1e-6)
    assert model.facts.input.startswith(f"at most {most:g} s at 16,000 Hz")


@pytest.mark.skipif(importlib.util.find_spec("torchaudio") is not None, reason="needs no package torchaudio")
def test_filters_as_published_warn_nobody(tmp_path: Path) -> None:
    folder = saved_audio_model(tmp_path, "ast")
    with pytest.warns(UserWarning, match="mel filter"):
        transformers.ASTFeatureExtractor(num_mel_bins=128, max_length=64).save_pretrained(folder)
    config = transformers.ASTConfig.from_pretrained(folder, num_mel_bins=128)
    save(lambda: transformers.ASTModel(config), folder)

    HuggingFaceSource(str(folder)).open("cpu").close()  # pytest makes errors of warnings


def test_a_window_that_is_filled_up_costs_the_same_for_any_sound(saved: Callable[[str], Path]) -> None:
    short, whole = (
        HuggingFaceSource(str(saved("whisper")), max_seconds=most).open("cpu").facts for most in (0.25, 30)
    )

    assert short.input == "at most 0.25 s at 16,000 Hz; MACs are of 1 s"
    assert short.macs == whole.macs


@pytest.mark.parametrize("family", FAMILIES)
def test_the_shortest_sound_and_silence_have_features(saved: Callable[[str], Path], family: str) -> None:
    model = HuggingFaceSource(str(saved(family))).open("cpu")
    click, silence = Sound(np.ones(1, np.float32), RATE), Sound(np.zeros(RATE, np.float32), RATE)

    assert np.isfinite(model.encode([click, silence]).features).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_a_classifier_gives_features_and_probabilities(tmp_path: Path, family: str) -> None:
    folder, sound = saved_audio_model(tmp_path, family, classes=5), sounds()[0]
    module = transformers.AutoModelForAudioClassification.from_pretrained(folder).eval()
    extractor = transformers.AutoFeatureExtractor.from_pretrained(folder)
    with torch.no_grad():
        expected = module(**extractor(sound.samples, sampling_rate=RATE, return_tensors="pt")).logits.softmax(
            1
        )

    encoded = HuggingFaceSource(str(folder)).open("cpu").encode([sound])

    np.testing.assert_allclose(encoded.source_probs, expected, atol=1e-5)
    np.testing.assert_allclose(
        encoded.features[0], _by_transformers(folder, family, sound.samples), atol=1e-5
    )


@pytest.mark.parametrize("settings", [{"layer": 1}, {"layers": 1}], ids=["read", "cut"])
def test_a_layer_is_that_which_transformers_shows(
    saved: Callable[[str], Path], settings: dict[str, Any]
) -> None:
    folder, sound = saved("hubert"), sounds()[0]
    model = transformers.AutoModel.from_pretrained(folder).eval()
    given = transformers.AutoFeatureExtractor.from_pretrained(folder)(
        sound.samples, sampling_rate=RATE, return_tensors="pt"
    )
    with torch.no_grad():
        first = model(**given, output_hidden_states=True).hidden_states[1]

    features = HuggingFaceSource(str(folder), **settings).open("cpu").encode([sound]).features

    np.testing.assert_allclose(features[0], first[0].mean(0), atol=1e-5)


@pytest.mark.parametrize("classes", [0, 3])
@pytest.mark.parametrize("family", FAMILIES)
def test_every_layer_can_be_chosen_from(tmp_path: Path, family: str, classes: int) -> None:
    folder, given = str(saved_audio_model(tmp_path, family, classes)), sounds()

    layered = HuggingFaceSource(folder, layer="best").open("cpu")

    each = layered.apart(layered.all_layers.encode(given).features)
    assert len(each) == 3
    for layer, features in enumerate(each):
        alone = HuggingFaceSource(folder, layer=layer).open("cpu").encode(given).features
        np.testing.assert_allclose(features, alone, atol=1e-5)


def test_weights_that_only_training_needs_may_be_missing(
    saved: Callable[[str], Path], tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    for file in saved("wav2vec2").iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    state = load_file(tmp_path / "model.safetensors")
    del state["masked_spec_embed"]
    save_file(state, tmp_path / "model.safetensors", {"format": "pt"})

    HuggingFaceSource(str(tmp_path)).open("cpu").close()

    del state["encoder.layers.0.attention.k_proj.weight"]
    save_file(state, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(CheckpointError, match="k_proj"):
        HuggingFaceSource(str(tmp_path)).open("cpu")


def test_a_folder_without_a_feature_extractor_says_so(saved: Callable[[str], Path], tmp_path: Path) -> None:
    for file in saved("wav2vec2").glob("[!p]*"):
        (tmp_path / file.name).write_bytes(file.read_bytes())

    with pytest.raises(ModelError, match="preprocessor_config"):
        HuggingFaceSource(str(tmp_path)).open("cpu")


def test_other_examples_and_wrong_settings_are_refused(saved: Callable[[str], Path]) -> None:
    folder = str(saved("wav2vec2"))

    with pytest.raises(ModelError, match="reads sounds; it was given a str"):
        HuggingFaceSource(folder).open("cpu").encode(["bark"])
    with pytest.raises(UsageError, match="'max_seconds' is 0; write more than 0"):
        HuggingFaceSource(folder, max_seconds=0).check()
    with pytest.raises(ModelError, match="no last token"):
        HuggingFaceSource(folder, pooling="last").open("cpu")


def test_a_study_of_sounds_runs_from_files_to_findings(saved: Callable[[str], Path], tmp_path: Path) -> None:
    soundfile = pytest.importorskip("soundfile")
    rng = np.random.default_rng(0)
    for name, pitch in (("high", 2000), ("low", 300)):
        (tmp_path / "sounds" / name).mkdir(parents=True)
        for number in range(20):
            wave = np.sin(2 * np.pi * pitch * np.arange(3200) / RATE) + rng.normal(0, 0.2, 3200)
            soundfile.write(tmp_path / "sounds" / name / f"{number}.flac", 0.3 * wave, RATE)

    comparison = Study(
        models=[f"hf:{saved('whisper')}(max_seconds=0.1)"],
        tasks=[f"audio:{tmp_path / 'sounds'}"],
        methods=["knn", "linear_probe"],
        store=tmp_path / "store",
    ).run()

    assert comparison.tasks[0].task.modality is Modality.AUDIO
    assert comparison.tasks[0].standings[0].value == 1.0
    told = {note for cell in comparison.cells for note in cell.notes}
    assert "24 of 24 train sounds are longer than the model reads: what is beyond was cut" in told
