from __future__ import annotations

import pytest
import timm
import torch
from safetensors.torch import save_file

from assay.core.errors import CheckpointError, UsageError
from assay.encoders.renaming import check_rename, renamed, suggested
from assay.models.timm import TimmSource


def test_names_begin_as_the_user_says() -> None:
    state = {"net.a.weight": 1, "net.b.weight": 2, "projector.c": 3, "d": 4}

    found = renamed(state, (("net.a.", "first."), ("net.", ""), ("projector.", None)))

    assert found == {"first.weight": 1, "b.weight": 2, "d": 4}


def test_the_fewest_and_shortest_pairs_are_suggested() -> None:
    missing = {"stem.weight": 3, "layer.0.weight": 4, "layer.1.weight": 4, "head.weight": 5}
    unexpected = {
        "net.stem.weight": 3,
        "net.layer.0.weight": 4,
        "net.layer.1.weight": 4,
        "fc.weight": 5,
        "queue": 6,
    }

    assert suggested(missing, unexpected) == (("net.", ""), ("fc.", "head."))


def test_other_shapes_suggest_nothing() -> None:
    assert suggested({"head.weight": 5}, {"fc.weight": 6}) == ()


def test_the_error_shows_the_mapping_that_then_works(tmp_path) -> None:
    module = timm.create_model("resnet10t", num_classes=4)
    state = {f"encoder.{name}": tensor.clone() for name, tensor in module.state_dict().items()}
    state["encoder.classifier.weight"] = state.pop("encoder.fc.weight")
    state["encoder.classifier.bias"] = state.pop("encoder.fc.bias")
    save_file(state, tmp_path / "w.safetensors")
    settings = {"checkpoint": str(tmp_path / "w.safetensors"), "num_classes": 4, "image_size": 32}

    with pytest.raises(CheckpointError, match="Write rename=") as refused:
        TimmSource("resnet10t", **settings).open("cpu")

    told = (("encoder.", ""), ("encoder.classifier.", "fc."))
    shown = str(refused.value).partition("rename=")[2].partition(" to read")[0]
    model = TimmSource("resnet10t", **settings, rename=eval(shown)).open("cpu")
    assert set(eval(shown)) == set(told)
    assert torch.equal(model._module.fc.weight, module.fc.weight)


@pytest.mark.parametrize("pairs", [("a.", "b."), (("a.",),), ((1, "b"),)])
def test_what_is_no_list_of_pairs_is_refused(pairs) -> None:
    with pytest.raises(UsageError, match="write pairs"):
        check_rename(pairs)
