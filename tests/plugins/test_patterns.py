"""Which models an address names."""

from __future__ import annotations

import pytest

from assay.core.errors import UsageError
from assay.models.timm import TimmSource
from assay.plugins.address import Address
from assay.plugins.patterns import models_of

HEADLESS = 4_922_488  # of resnet10t, whose head reads 512 features


def named(text: str) -> list[str]:
    return [str(model) for model in models_of(Address.parse(text))]


def test_a_pattern_names_all_published_weights_of_the_architectures_that_it_fits() -> None:
    names = named("timm:vit_small*")

    assert "timm:vit_small_patch16_224.augreg_in1k" in names
    assert "timm:vit_small_patch16_224" not in names  # would be the same weights again
    assert len(names) == len(set(names))


def test_random_weights_are_named_once_for_each_architecture() -> None:
    assert named("timm:resnet18*(pretrained=False)") == [
        "timm:resnet18(pretrained=False)",
        "timm:resnet18d(pretrained=False)",
    ]


def test_a_pattern_with_a_dot_chooses_among_weights() -> None:
    assert named("torchvision:resnet5?.*V2") == ["torchvision:resnet50.IMAGENET1K_V2"]


@pytest.mark.parametrize("pattern", ["timm:*", "torchvision:*", "torchvision:*(pretrained=False)"])
def test_whatever_a_pattern_names_can_be_opened(pattern: str) -> None:
    for model in models_of(Address.parse(pattern)):
        model.plugin.check()


def test_large_models_are_left_out_without_building_them() -> None:
    small = named("timm:*(max_parameters=30e6)")

    assert 600 < len(small) < len(named("timm:*"))
    assert "timm:resnet50.a1_in1k" in small
    assert "timm:resnet101.a1_in1k" not in small


def test_a_count_may_be_written_as_elsewhere() -> None:
    assert named("torchvision:*(max_parameters='2M')") == named("torchvision:*(max_parameters=2000000)")


@pytest.mark.parametrize("name", ["resnet10t", "vit_tiny_patch16_224.augreg_in21k"])
def test_the_table_counts_what_is_there(name: str) -> None:
    source = TimmSource(name, pretrained=False)

    assert source.parameters() == source.counted() == source.open("cpu").facts.parameters


def test_another_head_is_counted_anew() -> None:
    assert TimmSource("resnet10t", pretrained=False, num_classes=10).parameters() == HEADLESS + 10 * 513


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("timm:resnet18*(max_parameters=1000)", r"names 9 models, none .* at most 1,000 .*with 11,689,512"),
        ("timm:resnet18(max_parameters=30e6)", "chooses among the models of a pattern"),
        ("keras:MobileNet*(max_parameters=30e6)", "does not tell the parameters of 'keras:MobileNet'"),
        ("timm:*(max_parameters=True)", "Write a count"),
        ("onnx:nets*(max_parameters=5)", "'onnx:nets.' is one model"),
    ],
)
def test_a_filter_that_leaves_nothing_says_why(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        models_of(Address.parse(text))


def test_a_pattern_that_fits_nothing_says_how_to_see_the_names() -> None:
    with pytest.raises(
        UsageError, match=r"No model of 'timm' called 'resnet5O\*', of 1,\d+ models.* assay list 'timm:\*'"
    ):
        models_of(Address.parse("timm:resnet5O*"))
