from __future__ import annotations

from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

from assay.core.errors import CheckpointError, ModelError, UnknownName, UsageError
from assay.core.task import Modality
from assay.models.openclip import OpenClipSource
from assay.models.openclip.towers import recipe_of

NAME = "ViT-S-32-alt"
IMAGE = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
TEXTS = ["a photo of a dog", "", "two cats on a sofa, one of them asleep"]


@pytest.fixture(scope="module")
def clip() -> torch.nn.Module:
    """The same random weights, made with OpenCLIP alone."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module, _, _ = open_clip.create_model_and_transforms(NAME, force_image_size=64)
    return module.eval()


@pytest.mark.parametrize("normalise", [False, True])
def test_images_are_encoded_as_openclip_does(clip: torch.nn.Module, normalise: bool) -> None:
    prepare = image_transform_v2(PreprocessCfg(**clip.visual.preprocess_cfg), is_train=False)
    with torch.no_grad():
        expected = clip.encode_image(prepare(Image.fromarray(IMAGE))[None], normalize=normalise)

    model = OpenClipSource(NAME, pretrained=False, image_size=64, normalise=normalise).open("cpu")

    np.testing.assert_allclose(model.encode([IMAGE]).features, expected, atol=1e-5)
    assert model.facts.parameters == sum(weight.numel() for weight in clip.visual.parameters())


@pytest.mark.parametrize("normalise", [False, True])
def test_texts_are_encoded_as_openclip_does(clip: torch.nn.Module, normalise: bool) -> None:
    with torch.no_grad():
        expected = clip.encode_text(open_clip.get_tokenizer(NAME)(TEXTS), normalize=normalise)

    source = OpenClipSource(NAME, pretrained=False, image_size=64, tower="text", normalise=normalise)
    model = source.open("cpu")

    np.testing.assert_allclose(model.encode(TEXTS).features, expected, atol=1e-5)
    assert source.modality() is Modality.TEXT
    assert "77 tokens" in model.facts.preprocessing


def test_a_checkpoint_of_both_towers_is_loaded(clip: torch.nn.Module, tmp_path: Path) -> None:
    torch.save(clip.state_dict(), tmp_path / "w.pt")
    other = OpenClipSource(NAME, checkpoint=str(tmp_path / "w.pt"), seed=1, image_size=64).open("cpu")

    same = OpenClipSource(NAME, pretrained=False, image_size=64).open("cpu")

    np.testing.assert_array_equal(other.encode([IMAGE]).features, same.encode([IMAGE]).features)
    assert (other.facts.is_random, same.facts.is_random) == (False, True)


def test_a_checkpoint_of_something_else_is_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(1)}, tmp_path / "w.pt")

    with pytest.raises(CheckpointError, match="does not fit CLIP"):
        OpenClipSource(NAME, checkpoint=str(tmp_path / "w.pt")).open("cpu")


@pytest.mark.parametrize("mode", ["shortest", "longest", "squash"])
def test_pixels_are_prepared_as_openclip_does(mode: str) -> None:
    config = {"size": 24, "mode": "RGB", "mean": (0.5, 0.4, 0.3), "std": (0.5, 0.6, 0.7)}
    config |= {"interpolation": "bicubic", "resize_mode": mode, "fill_color": 0}
    expected = image_transform_v2(PreprocessCfg(**config), is_train=False)(Image.fromarray(IMAGE))[None]

    np.testing.assert_allclose(recipe_of(config).read([IMAGE], "cpu"), expected, atol=1e-6)


def test_weights_that_cannot_be_had_say_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))

    with pytest.raises(ModelError, match="not in the local cache.*assay fetch openclip:ViT-B-32.openai"):
        OpenClipSource("ViT-B-32.openai").open("cpu")


@pytest.mark.parametrize(
    ("name", "settings", "error", "told"),
    [
        ("ViT-B-32", {}, UsageError, r"names no weights. Write 'openclip:ViT-B-32\.openai' or another of"),
        ("ViT-M-16", {}, UsageError, r"no such weights. Write 'openclip:ViT-M-16\(pretrained=False\)'"),
        ("ViT-B-33", {}, UnknownName, "Did you mean: ViT-B-32"),
        ("ViT-B-32.opena", {}, UnknownName, "Did you mean: openai"),
        ("ViT-B-32", {"checkpoint": "w.pt"}, UsageError, r"w\.pt"),
        ("ViT-B-32.openai", {"tower": "sound"}, UsageError, "write 'image' or 'text'"),
        ("ViT-B-32.openai", {"image_size": 0}, UsageError, "a side in pixels"),
    ],
)
def test_what_cannot_be_is_refused_at_once(
    name: str, settings: dict[str, object], error: type[UsageError], told: str
) -> None:
    with pytest.raises(error, match=told):
        OpenClipSource(name, **settings).check()


def test_architectures_and_weights_are_listed() -> None:
    assert {"ViT-B-32", "ViT-B-32.openai"} <= set(OpenClipSource.list_names())
    assert "ViT-B-32" not in OpenClipSource("*").choices()
    assert "ViT-B-32.openai" not in OpenClipSource("*", pretrained=False).choices()


def test_weights_are_part_of_the_identity() -> None:
    assert "timm/vit_base_patch32_clip_224.openai" in OpenClipSource("ViT-B-32.openai").identity()
