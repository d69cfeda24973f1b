from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision import models

from assay.core.errors import UnknownName, UsageError
from assay.models import torchvision
from assay.models.torchvision import TorchvisionSource

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)


@pytest.mark.parametrize(
    ("name", "width"),
    [
        ("resnet18", 512),
        ("squeezenet1_1", 512),
        ("mobilenet_v2", 1280),
        ("mobilenet_v3_small", 1024),
        ("shufflenet_v2_x0_5", 1024),
        ("mnasnet0_5", 1280),
        ("regnet_y_400mf", 440),
    ],
)
def test_features_are_what_enters_the_head(name: str, width: int) -> None:
    model = TorchvisionSource(name, pretrained=False, image_size=64).open("cpu")

    encoded = model.encode([IMAGE, IMAGE])

    assert encoded.features.shape == (2, width)
    assert encoded.source_probs.shape == (2, 1000)


def test_features_and_probabilities_are_what_the_library_alone_gives() -> None:
    model = TorchvisionSource("resnet18", pretrained=False).open("cpu")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = models.resnet18().eval()
    from PIL import Image
    from torchvision.models.feature_extraction import create_feature_extractor

    batch = models.ResNet18_Weights.DEFAULT.transforms()(Image.fromarray(IMAGE))[None]
    with torch.no_grad():
        probs = module(batch).softmax(1)
        features = create_feature_extractor(module, ["flatten"])(batch)["flatten"]
    encoded = model.encode([IMAGE])

    np.testing.assert_allclose(encoded.source_probs, probs, atol=1e-6)
    np.testing.assert_allclose(encoded.features, features, rtol=1e-5, atol=1e-6)


def test_attention_is_counted() -> None:
    model = TorchvisionSource("vit_b_32", pretrained=False).open("cpu")

    assert model.facts.macs == pytest.approx(4.409e9, rel=1e-3)  # torchvision's table of weights
    assert model.facts.parameters == 88_224_232


@pytest.mark.parametrize("name", ["resnet5O", "resnet50.IMAGENET1K_V3"])
def test_an_unknown_name_gets_a_suggestion(name: str) -> None:
    with pytest.raises(UnknownName, match="Did you mean"):
        TorchvisionSource(name).check()


def test_a_missing_checkpoint_is_named() -> None:
    with pytest.raises(UsageError, match=r"w\.pth"):
        TorchvisionSource("resnet18", checkpoint="w.pth").check()


def test_published_weights_keep_their_classes() -> None:
    with pytest.raises(UsageError, match="num_classes"):
        TorchvisionSource("resnet18", num_classes=3).check()


def test_a_checkpoint_is_loaded(tmp_path: Path) -> None:
    torch.save(models.resnet18(num_classes=3).state_dict(), tmp_path / "w.pth")

    model = TorchvisionSource("resnet18", checkpoint=str(tmp_path / "w.pth"), num_classes=3).open("cpu")

    assert model.facts.source_classes == 3


def test_weights_are_part_of_the_identity() -> None:
    first = TorchvisionSource("resnet50.IMAGENET1K_V1").identity()

    assert first != TorchvisionSource("resnet50.IMAGENET1K_V2").identity()
    assert "resnet50-0676ba61.pth" in first


def test_architectures_and_weights_are_listed() -> None:
    assert {"resnet50", "resnet50.IMAGENET1K_V2"} <= set(TorchvisionSource.list_names())


def test_what_is_kept_of_the_list_says_of_each_model_what_torchvision_says(monkeypatch) -> None:
    names = list(TorchvisionSource.list_names())
    said = [TorchvisionSource(name).entry(name) for name in names]
    rows = json.loads(json.dumps(torchvision._asked()))
    kept = {name: torchvision.TorchvisionFacts(*row) for name, row in rows.items()}
    monkeypatch.setattr(torchvision, "_kept", lambda: kept)
    monkeypatch.setattr(TorchvisionSource, "_weights", None)

    assert list(TorchvisionSource.list_names()) == names
    assert [TorchvisionSource(name).entry(name) for name in names] == said
    assert all(entry.source_accuracy is None or entry.source_accuracy > 0.4 for entry in said)  # no nan


def test_untrained_drops_the_checkpoint_and_keeps_the_architecture() -> None:
    source = TorchvisionSource("squeezenet1_1", checkpoint="weights.pth", num_classes=5)

    assert source.untrained() == TorchvisionSource("squeezenet1_1", pretrained=False, seed=1, num_classes=5)
