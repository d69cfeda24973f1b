"""Past results are found for the models they belong to and for no other, by values of the public tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import assay.search.past
from assay.core.task import Modality
from assay.search.past import Match, PastTable, past_for, shipped_tables
from assay.search.past.identity import identity_of, is_related

TABLES = {table.name: table for table in shipped_tables()}
PACKED = list((Path(assay.search.past.__file__).parent / "tables").glob("*.gz"))


def values_of(model: str, table: str, task: str, beside: str) -> tuple[float, Match]:
    """Return the value of a model on a task of a table, and how the model was matched."""
    past = past_for((model, beside), TABLES[table].modality, histories=[TABLES[table]])
    value = past.history.values[past.history.tasks.index(task), 0] if past.history.tasks else np.nan
    return float(value), past.matched[model]


@pytest.mark.parametrize(
    ("model", "table", "task", "value"),
    [
        ("timm:resnet50.a1_in1k", "timm", "imagenet", 62.871),
        ("hf:timm/resnet50.a1_in1k", "timm", "imagenet", 62.871),
        ("hf:google/vit-base-patch16-224", "hf_vision", "cifar100", 0.91727),
        ("hf:facebook/convnext-tiny-224", "hf_vision", "dtd", 0.70213),
        ("torchvision:resnet50.IMAGENET1K_V1", "model_spider", "Aircraft", 86.6),
        ("timm:resnet50.tv_in1k", "model_spider", "Aircraft", 86.6),
        ("hf:distilbert/distilbert-base-uncased", "glue", "mnli", 82.2),
        ("hf:distilbert-base-uncased", "glue", "mnli", 82.2),
        ("sentence:all-MiniLM-L6-v2", "mteb", "BIOSSES", 0.81640),
        ("packaged:all_minilm_l6_v2", "mteb", "BIOSSES", 0.81640),
        ("hf:openai/clip-vit-base-patch16", "clip_few_shot", "imagenet1k-unverified|k=10", 0.65416),
        ("openclip:ViT-B-16.openai", "clip_few_shot", "imagenet1k-unverified|k=10", 0.65416),
    ],
)
def test_the_same_weights_are_found_under_the_name_of_each_source(model, table, task, value):
    beside = next(name for name in TABLES[table].models if identity_of(name) != identity_of(model))

    assert values_of(model, table, task, beside) == (pytest.approx(value, rel=1e-3), Match.EXACT)


@pytest.mark.parametrize(
    ("model", "other"),
    [
        ("timm:vit_base_patch16_224.augreg_in21k", "timm:vit_base_patch32_224.augreg_in21k"),
        ("timm:vit_base_patch16_224.augreg_in21k", "timm:vit_large_patch16_224.augreg_in21k"),
        ("hf:google/vit-base-patch16-224", "hf:google/vit-base-patch32-384"),
        ("hf:google/vit-base-patch16-224", "hf:nateraw/vit-base-patch16-224-cifar10"),
        ("hf:google/vit-base-patch16-224", "hf:facebook/deit-base-patch16-224"),
        ("hf:google/vit-base-patch16-224", "hf:openai/clip-vit-base-patch16"),
        ("timm:vit_base_patch16_224.mae", "timm:vit_base_patch16_224.augreg_in21k"),
        ("timm:vit_base_patch16_224.dino", "hf:google/vit-base-patch16-224"),
        ("timm:vit_base_patch16_224.augreg_in1k", "timm:vit_base_patch16_224.augreg_in21k"),
        ("timm:beit_base_patch16_224.in22k_ft_in22k", "hf:microsoft/beit-base-patch16-224-pt22k"),
        ("packaged:efficientnet_lite0", "packaged:efficientnet_lite1"),
        ("packaged:efficientnet_lite0", "timm:tf_efficientnet_b0.in1k"),
        ("timm:convnext_tiny.fb_in1k", "timm:convnextv2_tiny.fcmae_ft_in1k"),
        ("timm:regnety_160.pycls_in1k", "timm:regnety_320.pycls_in1k"),
        ("timm:levit_256.fb_dist_in1k", "timm:levit_384.fb_dist_in1k"),
        ("timm:mobilenetv2_100.ra_in1k", "timm:mobilenetv2_050.lamb_in1k"),
        ("timm:resnet50.a1_in1k", "timm:resnet50d.a1_in1k"),
        ("hf:facebook/resnet50", "hf:someone/resnet50"),
        ("hf:BAAI/bge-base-en", "hf:BAAI/bge-base-en-v1.5"),
        ("hf:bert-base-cased", "hf:bert-base-uncased"),
        ("hf:intfloat/e5-small", "hf:intfloat/multilingual-e5-small"),
        ("hf:nateraw/rare-puppers", "hf:ferdinand/rare-puppers"),
        ("openclip:ViT-B-32.laion2b_e16", "openclip:ViT-B-16.laion400m_e32"),
        ("timm:resnet50.a1_in1k", "timm:resnet50.a1_in1k(pretrained=False)"),
        ("hf:google/vit-base-patch16-224", "hf:google/vit-base-patch16-224(layer=3)"),
    ],
)
def test_models_of_other_sizes_versions_or_training_are_never_taken_for_one(model, other):
    one, another = identity_of(model), identity_of(other)

    assert one.weights != another.weights
    assert not is_related(one, another)
    assert not is_related(another, one)


@pytest.mark.parametrize(
    ("model", "table", "task", "value"),
    [
        ("timm:vit_base_patch16_224.augreg_in21k", "hf_vision", "dtd", 0.71454),  # of google/vit-base
        ("timm:beit_base_patch16_224.in22k_ft_in22k", "hf_vision", "dtd", (0.35816 + 0.49291) / 2),
        ("hf:google/mobilenet_v2_1.0_224", "model_spider", "Cars", 91.0),
    ],
)
def test_a_model_without_results_gets_those_of_its_family(model, table, task, value):
    beside = next(
        name for name in TABLES[table].models if identity_of(name).family != identity_of(model).family
    )

    assert values_of(model, table, task, beside) == (pytest.approx(value, rel=1e-3), Match.FAMILY)


def own(name: str = "mine", **rows: dict[str, float]) -> PastTable:
    metrics = dict.fromkeys(rows, "accuracy")
    facts = {"title": "", "source": "", "licence": "", "date": ""}
    return PastTable(name=name, modality=Modality.IMAGE, metrics=metrics, values=rows, **facts)


def test_columns_are_the_models_that_were_asked_for_in_their_order():
    models = ("torch:mine:net", "timm:resnet18.a1_in1k", "hf:timm/resnet50.a1_in1k")
    table = own(birds={"timm:resnet50.a1_in1k": 0.8, "timm:resnet18.a1_in1k": 0.7}, sky={models[1]: 0.5})

    past = past_for(models, Modality.IMAGE, histories=[table])

    assert past.history.models == models
    assert past.history.tasks == ("birds",)  # one model alone says nothing
    np.testing.assert_array_equal(past.history.values, [[np.nan, 0.7, 0.8]])
    assert list(past.matched.values()) == [Match.NONE, Match.EXACT, Match.EXACT]
    assert past.sources == ("mine",)


def test_several_models_with_the_values_of_one_are_no_past_task():
    table = own(birds={"timm:resnet50.a1_in1k": 0.8})

    past = past_for(("timm:resnet50.a2_in1k", "timm:resnet50.a3_in1k"), Modality.IMAGE, histories=[table])

    assert past.history.values.shape == (0, 2)
    assert past.sources == ()
    assert set(past.matched.values()) == {Match.NONE}


def test_tasks_of_two_tables_stay_apart_and_are_of_one_data_set():
    models = ("timm:resnet18.a1_in1k", "timm:resnet50.a1_in1k")
    first, second = (own(name, birds=dict(zip(models, (0.1, 0.2), strict=True))) for name in ("one", "two"))

    past = past_for(models, Modality.IMAGE, histories=[first, second])

    assert past.history.tasks == ("birds", "birds@two")
    assert past.history.groups == ("birds", "birds")


def test_the_past_of_texts_says_nothing_of_images():
    past = past_for(TABLES["mteb"].models[:5], Modality.IMAGE, histories=TABLES.values())

    assert past.history.values.shape == (0, 5)


def test_public_tables_hold_numbers_and_names_with_their_source_in_little_space():
    sizes = sum(path.stat().st_size for path in PACKED)

    assert len(TABLES) == len(PACKED) >= 12
    assert sizes < 600_000
    for table in TABLES.values():
        assert table.source
        assert table.licence
        assert set(table.metrics) == set(table.values)
        assert all(np.isfinite(value) for row in table.values.values() for value in row.values())
