from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from assay.core.errors import CheckpointError, ModelError, UsageError
from assay.encoders.identity import file_hash
from assay.models.torch import TorchSource
from assay.plugins.address import Address
from assay.plugins.families import BUILT_IN

IMAGE = np.random.default_rng(0).integers(0, 256, (20, 24, 3), dtype=np.uint8)

NETS = """
from torch import nn

def build(classes=4, channels=3):
    return nn.Sequential(
        nn.Conv2d(channels, 8, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, classes)
    )

def named(width=3, **more):
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.Conv2d(width, more["last"][0], 1))

def backbone():
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())

def broken():
    raise RuntimeError("no such disk")

def number():
    return 3
"""


@pytest.fixture(autouse=True)
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module of the user's own in the current folder."""
    (tmp_path / "my_nets.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "my_nets", raising=False)


def test_a_module_of_the_current_folder_is_opened() -> None:
    source = TorchSource("my_nets:build", arguments=(5,), size=16)
    source.check()

    encoded = source.open("cpu").encode([IMAGE])

    assert encoded.features.shape == (1, 8)
    assert encoded.source_probs.shape == (1, 5)


def test_the_search_path_is_left_as_it_was() -> None:
    before = list(sys.path)
    TorchSource("my_nets:build", size=16).open("cpu")

    assert sys.path == before


def test_checking_imports_nothing() -> None:
    TorchSource("my_nets:build", size=16).check()

    assert "my_nets" not in sys.modules


def test_a_named_layer_is_read() -> None:
    encoded = TorchSource("my_nets:build", size=16, layer="1").open("cpu").encode([IMAGE])

    assert encoded.features.shape == (1, 8)
    assert encoded.source_probs is None


def test_an_output_of_features_is_no_head() -> None:
    encoded = TorchSource("my_nets:build", size=16, head=False).open("cpu").encode([IMAGE])

    assert encoded.features.shape == (1, 4)
    assert encoded.source_probs is None


def test_a_backbone_is_pooled() -> None:
    assert TorchSource("my_nets:backbone", size=16).open("cpu").encode([IMAGE]).features.shape == (1, 8)


def test_grey_pictures_have_one_channel() -> None:
    source = TorchSource("my_nets:build", arguments=(4, 1), size=16, channels=1, mean=0.5, std=0.5)

    assert source.open("cpu").facts.input == "1 x 16 x 16"


def test_a_crop_is_cut_from_a_larger_picture() -> None:
    recipe = TorchSource("my_nets:build", size=128, crop=0.875)._recipe()

    assert (recipe.resize, recipe.size) == (146, (128, 128))


def test_a_checkpoint_is_loaded(tmp_path: Path) -> None:
    state = {
        "0.weight": torch.zeros(8, 3, 3, 3),
        "0.bias": torch.full((8,), 2.0),
        "4.weight": torch.zeros(4, 8),
        "4.bias": torch.zeros(4),
    }
    torch.save({"state_dict": state}, "w.pth")

    encoded = TorchSource("my_nets:build", size=16, checkpoint="w.pth").open("cpu").encode([IMAGE])

    np.testing.assert_allclose(encoded.features, 2.0)


def test_random_weights_ignore_the_checkpoint() -> None:
    torch.save({"w": torch.zeros(1)}, "w.pth")

    TorchSource("my_nets:build", size=16, checkpoint="w.pth", pretrained=False).open("cpu")


def test_a_checkpoint_of_another_module_is_refused() -> None:
    torch.save({"w": torch.zeros(1)}, "w.pth")

    with pytest.raises(CheckpointError, match="1 unexpected"):
        TorchSource("my_nets:build", size=16, checkpoint="w.pth").open("cpu")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("my_nets", "package.module:callable"),
        ("a b:build", "Cannot read"),
        ("nowhere:build", "no Python module"),
    ],
)
def test_a_name_that_cannot_be_says_what_to_write(name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        TorchSource(name).check()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("my_nets:bulid", "no callable 'bulid'"),
        ("my_nets:broken", "no such disk"),
        ("my_nets:number", "returned a int"),
    ],
)
def test_a_callable_that_gives_no_module_is_a_failed_model(name: str, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        TorchSource(name, size=16).open("cpu")


def test_the_identity_follows_the_code(tmp_path: Path) -> None:
    source = TorchSource("my_nets:build", size=16)
    before = source.identity()
    (tmp_path / "my_nets.py").write_text(NETS + "\n# changed\n")

    assert source.identity() != before


def test_arguments_may_be_given_by_name() -> None:
    address = "torch:my_nets:named(arguments={'width': 5, 'last': (7,)}, head=False, size=16)"
    source = BUILT_IN.models.create_from_source(Address.parse(address)).plugin

    assert source.open("cpu").facts.width == 7
    assert "arguments={'width': 5, 'last': (7,)}" in source.identity()


def test_a_module_of_one_channel_is_given_grey_images() -> None:
    grey = TorchSource("my_nets:build", arguments=(5, 1), size=16)

    features = grey.open("cpu").encode([IMAGE]).features

    expected = replace(grey, channels=1).open("cpu").encode([IMAGE]).features
    np.testing.assert_array_equal(features, expected)


def test_a_module_of_other_channels_says_so() -> None:
    with pytest.raises(ModelError, match="takes 4 channels; images have 3, or 1 if grey"):
        TorchSource("my_nets:build", arguments=(5, 4), size=16).open("cpu")


def test_an_assumed_range_of_pixels_is_noted() -> None:
    assumed = TorchSource("my_nets:build", size=16).open("cpu")
    stated = TorchSource("my_nets:build", size=16, mean=0.5, std=0.5).open("cpu")

    assert "mean 0 and std 1 are assumed" in assumed.facts.input_note
    assert stated.facts.input_note == ""


def test_the_code_beside_a_module_belongs_to_the_model(tmp_path: Path) -> None:
    alone = TorchSource("my_nets:build", size=16).identity()
    (tmp_path / "my_widths.py").write_text("WIDTH = 4\n")
    (tmp_path / "my_wide.py").write_text(
        "from torch import nn\nfrom my_widths import WIDTH\n\n"
        "def build():\n    return nn.Sequential(nn.Conv2d(3, WIDTH, 3), nn.ReLU())\n"
    )
    source = TorchSource("my_wide:build", size=16)
    before, width = source.identity(), source.open("cpu").facts.width
    (tmp_path / "my_widths.py").write_text("WIDTH = 6\n")

    assert (width, source.open("cpu").facts.width) == (4, 6)
    assert source.identity() != before
    assert f"torch {torch.__version__} {file_hash('my_nets.py')}; " in alone  # as it was before
    assert " with " not in TorchSource("torch.nn:Identity").identity()


def test_a_module_inside_a_package_is_found(tmp_path: Path) -> None:
    (tmp_path / "my_package").mkdir()
    (tmp_path / "my_package" / "__init__.py").touch()
    (tmp_path / "my_package" / "nets.py").write_text(NETS)

    source = TorchSource("my_package.nets:build", size=16)
    source.check()

    assert source.open("cpu").facts.width == 8


def test_weights_of_real_models_are_read(realdata: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(realdata)
    source = TorchSource(
        "realdata_models:build",
        arguments=("resnet20_cifar10",),
        checkpoint=str(realdata / "weights" / "resnet20_cifar10" / "model.pth"),
        size=32,
        mean=(0.485, 0.456, 0.406),
        std=(0.229, 0.224, 0.225),
    )
    source.check()

    facts = source.open("cpu").facts

    assert (facts.width, facts.source_classes, facts.input) == (64, 10, "3 x 32 x 32")


TEXT_NETS = """
import torch
from torch import nn

class Letters(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = nn.Embedding(256, 6)

    def forward(self, texts):
        return torch.stack([self.table(torch.tensor(list(text.encode()))).mean(0) for text in texts])

class Wrong(Letters):
    def forward(self, texts):
        return super().forward(texts).sum(0)
"""


@pytest.fixture
def letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_texts.py").write_text(TEXT_NETS)
    monkeypatch.delitem(sys.modules, "my_texts", raising=False)


def test_a_text_module_is_called_with_texts(letters) -> None:
    model = TorchSource("my_texts:Letters", reads="text").open("cpu")

    alone = model.encode(["größer"]).features
    pairs = model.encode([("one", "two"), ("größer", "größer")]).features

    assert (model.facts.width, model.facts.parameters) == (6, 1536)
    assert pairs.shape == (2, 24)
    np.testing.assert_allclose(pairs[1], np.concatenate([alone[0], alone[0], 0 * alone[0], alone[0] ** 2]))


def test_a_text_module_of_another_shape_says_what_is_needed(letters) -> None:
    with pytest.raises(
        ModelError, match=r"Wrong gave \(6,\) for 1 texts. .* returns a tensor, texts x width"
    ):
        TorchSource("my_texts:Wrong", reads="text").open("cpu")


def test_a_modality_that_is_none_gets_a_suggestion(letters) -> None:
    with pytest.raises(UsageError, match="Did you mean: text"):
        TorchSource("my_texts:Letters", reads="texts").check()


def test_a_module_for_sounds_is_refused_before_any_work(letters) -> None:
    with pytest.raises(UsageError, match="No modality of this source called 'audio'"):
        TorchSource("my_texts:Letters", reads="audio").check()


def test_untrained_does_not_read_the_checkpoint(tmp_path: Path) -> None:
    torch.save(TorchSource("my_nets:build", seed=7)._build().state_dict(), tmp_path / "weights.pth")
    trained = TorchSource("my_nets:build", checkpoint="weights.pth")
    untrained = trained.untrained()

    assert untrained == TorchSource("my_nets:build", pretrained=False, seed=1)
    assert untrained.open("cpu").facts.fingerprint != trained.open("cpu").facts.fingerprint


def test_what_a_callable_may_load_itself_has_no_untrained_twin() -> None:
    assert TorchSource("my_nets:build").untrained() is None


def test_the_untrained_twin_of_random_weights_has_others() -> None:
    drawn = TorchSource("my_nets:build", pretrained=False, seed=4)

    assert drawn.untrained() == TorchSource("my_nets:build", pretrained=False, seed=5)


def test_the_weights_are_those_of_the_module() -> None:
    shapes = [matrix.shape for matrix in TorchSource("my_nets:build").open("cpu").weights()]

    assert shapes == [(8, 27), (4, 8)]


def test_a_closed_model_shows_no_weights() -> None:
    model = TorchSource("my_nets:build").open("cpu")
    model.close()

    with pytest.raises(ModelError, match="closed"):
        list(model.weights())
