from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import timm
import torch

from assay.core.errors import CheckpointError, ModelError, UnknownName, UsageError
from assay.models.timm import TimmSource, listed
from assay.plugins.address import Address
from assay.plugins.families import BUILT_IN

IMAGE = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)


def test_features_and_probabilities_are_those_of_timm() -> None:
    model = TimmSource("resnet10t", pretrained=False, image_size=32, crop=1.0).open("cpu")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = timm.create_model("resnet10t").eval()
    data = timm.data.resolve_model_data_config(module) | {"input_size": (3, 32, 32), "crop_pct": 1.0}
    from PIL import Image

    batch = timm.data.create_transform(**data)(Image.fromarray(IMAGE))[None]
    with torch.no_grad():
        features = module.forward_head(module.forward_features(batch), pre_logits=True)
        probs = module(batch).softmax(1)

    encoded = model.encode([IMAGE])

    np.testing.assert_allclose(encoded.features, features, atol=1e-4)
    np.testing.assert_allclose(encoded.source_probs, probs, atol=1e-5)


def test_grey_images_go_into_one_channel() -> None:
    arguments = (("in_chans", 1),)
    model = TimmSource("resnet10t", pretrained=False, image_size=32, crop=1.0, arguments=arguments).open(
        "cpu"
    )
    four = TimmSource("resnet10t", pretrained=False, image_size=32, arguments=(("in_chans", 4),))

    assert model.facts.input == "1 x 32 x 32"
    assert model.facts.preprocessing.startswith("grey; ")
    assert model.encode([IMAGE]).features.shape == (1, 512)
    with pytest.raises(ModelError, match="takes 4 channels; images have 3, or 1 if grey"):
        four.open("cpu")


def test_arguments_written_as_a_dict_are_the_same_model() -> None:
    pairs, written = (
        BUILT_IN.models.create_from_source(Address.parse(f"timm:resnet10t(arguments={arguments})")).plugin
        for arguments in ("(('in_chans', 1),)", "{'in_chans': 1}")
    )

    assert pairs.identity() == written.identity()
    assert "arguments=(('in_chans', 1),)" in pairs.identity()


def test_an_unknown_name_gets_a_suggestion() -> None:
    with pytest.raises(UnknownName, match="resnet50"):
        TimmSource("resnet5O").check()


def test_an_unknown_tag_names_the_tags_there_are() -> None:
    with pytest.raises(UnknownName, match=r"resnet50\.a1_in1k"):
        TimmSource("resnet50.a1_in1kk").check()


def test_weights_that_were_never_published_say_what_to_write() -> None:
    with pytest.raises(UsageError, match="pretrained=False"):
        TimmSource("vit_base_patch16_18x2_224").check()


def test_random_weights_need_no_published_ones() -> None:
    TimmSource("vit_base_patch16_18x2_224", pretrained=False).check()


def test_a_missing_checkpoint_is_named() -> None:
    with pytest.raises(UsageError, match=r"w\.pth"):
        TimmSource("resnet10t", checkpoint="w.pth").check()


def test_a_checkpoint_is_loaded_and_told_by_its_contents(tmp_path: Path) -> None:
    module = timm.create_model("resnet10t", num_classes=4)
    torch.save(module.state_dict(), tmp_path / "w.pth")
    source = TimmSource("resnet10t", checkpoint=str(tmp_path / "w.pth"), num_classes=4, image_size=32)
    before = source.identity()

    model = source.open("cpu")

    assert model.facts.source_classes == 4
    assert model.facts.weights == str(tmp_path / "w.pth")
    torch.save(timm.create_model("resnet10t", num_classes=4).state_dict(), tmp_path / "w.pth")
    assert source.identity() != before


def test_a_head_of_another_width_says_which_setting_to_write(tmp_path: Path) -> None:
    torch.save(timm.create_model("resnet10t", num_classes=4).state_dict(), tmp_path / "w.pth")

    with pytest.raises(CheckpointError, match="num_classes"):
        TimmSource("resnet10t", checkpoint=str(tmp_path / "w.pth")).open("cpu")


def test_arguments_reach_timm() -> None:
    same = TimmSource(
        "mobilenetv2_035", pretrained=False, image_size=32, arguments=(("pad_type", "same"),)
    ).open("cpu")
    usual = TimmSource("mobilenetv2_035", pretrained=False, image_size=32).open("cpu")

    assert not np.allclose(same.encode([IMAGE]).features, usual.encode([IMAGE]).features)


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(UsageError, match="pairs"):
        TimmSource("resnet10t", arguments=("pad_type",)).check()


def test_a_build_that_fails_is_a_failed_model() -> None:
    with pytest.raises(ModelError, match="no_such_argument"):
        TimmSource("resnet10t", pretrained=False, arguments=(("no_such_argument", 1),)).open("cpu")


def test_a_model_without_head_has_no_probabilities() -> None:
    model = TimmSource("resnet10t", pretrained=False, image_size=32, num_classes=0).open("cpu")

    assert model.encode([IMAGE]).source_probs is None
    assert model.facts.source_classes == 0


def test_settings_are_written_in_the_address() -> None:
    address = Address.parse("timm:resnet10t(pretrained=False, mean=0.5, arguments=(('pad_type', 'same'),))")

    assert BUILT_IN.models.create_from_source(address).plugin == TimmSource(
        "resnet10t", pretrained=False, mean=0.5, arguments=(("pad_type", "same"),)
    )


def test_every_architecture_and_tag_is_listed() -> None:
    names = set(TimmSource.list_names())

    assert {"resnet50", "resnet50.a1_in1k"} <= names


def test_what_is_kept_of_the_list_says_of_each_model_what_timm_says(monkeypatch) -> None:
    names = set(TimmSource.list_names())
    some = ["resnet50", "vit_base_patch16_224.augreg_in1k", "davit_giant", "convnext_base.clip_laion2b"]
    said = [TimmSource(name).entry(name) for name in some]
    rows = json.loads(json.dumps(listed._asked_for_all()))
    kept = {name: listed.TimmFacts(*row) for name, row in rows.items()}
    monkeypatch.setattr(listed, "_kept", lambda: kept)
    monkeypatch.setattr(listed, "_asked", None)

    assert set(TimmSource.list_names()) == names
    assert [TimmSource(name).entry(name) for name in some] == said
    assert set(TimmSource("*", pretrained=False).choices()) == set(timm.list_models())


def test_untrained_drops_the_checkpoint_and_keeps_the_architecture() -> None:
    source = TimmSource("resnet10t", checkpoint="weights.pth", num_classes=5, image_size=32)

    assert source.untrained() == TimmSource(
        "resnet10t", pretrained=False, seed=1, num_classes=5, image_size=32
    )


def test_features_of_an_encoder_without_a_head_are_the_mean_of_its_tokens() -> None:
    model = TimmSource("qwen3_vit_88m_enc", pretrained=False, image_size=64, crop=1.0).open("cpu")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = timm.create_model("qwen3_vit_88m_enc", img_size=64).eval()
    data = timm.data.resolve_model_data_config(module) | {"input_size": (3, 64, 64), "crop_pct": 1.0}
    from PIL import Image

    batch = timm.data.create_transform(**data)(Image.fromarray(IMAGE))[None]
    with torch.no_grad():
        features = module.forward_features(batch).flatten(1, 2).mean(1)

    np.testing.assert_allclose(model.encode([IMAGE]).features, features, atol=1e-4)
