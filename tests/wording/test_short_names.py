from dataclasses import replace

import pytest

from assay.analysis.compare import compare
from assay.core.errors import UnknownName, UsageError
from assay.testing.simulated_study import simulate_study
from assay.wording.short_names import CONTROL, addresses_called, model_names, report_names, short_names

MODELS = (
    "timm:resnet18.a1_in1k(pretrained=False)",
    "timm:resnet18.a1_in1k",
    "hf:google-bert/bert-base",
    "hf:other-lab/bert-base",
    "packaged:lite0",
    "timm:vit_small(alias='small')",
    "timm:resnet50(checkpoint='runs/2026-03-14/epoch_042.safetensors')",
    "onnx:./模型/视觉-编码器.onnx",
    "torch:nets:build(arguments=('net_50',), checkpoint='weights/50/model.pth')",
    "torch:nets:build(arguments=('net_75',), checkpoint='weights/75/model.pth')",
)


def test_a_short_name_is_an_alias_or_the_shortest_end_that_no_other_address_has():
    assert list(short_names(MODELS).values()) == [
        "resnet18.a1_in1k(pretrained=False)",
        "resnet18.a1_in1k",
        "google-bert/bert-base",
        "other-lab/bert-base",
        "lite0",
        "small",
        "resnet50",
        "视觉-编码器.onnx",
        "net_50",
        "net_75",
    ]


@pytest.mark.parametrize("model", MODELS)
def test_a_model_may_be_called_by_its_address_and_by_its_short_name(model):
    names = [model, short_names(MODELS)[model]]

    assert addresses_called(names, MODELS, "model") == (model, model)


@pytest.mark.parametrize(
    ("name", "model"),
    [("vit_small", MODELS[5]), ("timm:resnet50", MODELS[6]), ("视觉-编码器.onnx", MODELS[7])],
)
def test_any_end_of_an_address_that_is_unique_is_accepted(name, model):
    assert addresses_called([name], MODELS, "model") == (model,)


def test_a_task_is_called_by_the_end_of_its_path():
    tasks = ["folder:data/birds/", "table:data/reviews.csv(label='stars')", "sklearn:digits"]

    assert list(short_names(tasks).values()) == ["birds", "reviews.csv", "digits"]


def test_an_alias_that_two_models_share_is_not_a_short_name():
    models = ["timm:a(alias='x')", "timm:b(alias='x')"]

    assert list(short_names(models).values()) == ["a", "b"]
    with pytest.raises(UsageError, match=r"'x' may be timm:a\(alias='x'\) or timm:b"):
        addresses_called(["x"], models, "model")


def test_an_end_that_several_models_have_is_refused_with_their_addresses():
    with pytest.raises(UsageError, match="may be hf:google-bert/bert-base or hf:other-lab/bert-base"):
        addresses_called(["bert-base"], MODELS, "model")


def test_an_unknown_name_is_refused_with_similar_names():
    with pytest.raises(UnknownName, match=r"No model called 'resnet5'. Did you mean: resnet50"):
        addresses_called(["resnet5"], MODELS, "model")


def test_the_only_control_of_a_modality_is_called_that_and_several_by_their_names():
    comparison = compare(simulate_study(), ranked_by=None, seed=0)

    def with_random(*models):
        rows = [
            replace(row, facts=replace(row.facts, is_random=row.address in models))
            for row in comparison.models
        ]
        return replace(comparison, models=tuple(rows))

    first, second = [row.model for row in comparison.tasks[0].standings][:2]

    assert report_names(with_random(first)) == model_names(comparison) | {first: CONTROL}
    assert report_names(with_random(first, second)) == model_names(comparison)
