"""What the catalogue says of models before anything is downloaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from assay.core.catalogue import CatalogueEntry
from assay.core.errors import UsageError
from assay.core.task import Modality
from assay.plugins.families import families
from assay.run.catalogue import catalogue_of, listed

pytestmark = pytest.mark.framework


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder in which the caches of all libraries lie, empty."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path


def test_an_entry_of_timm_says_what_its_registry_and_its_results_say() -> None:
    (entry,) = catalogue_of(["timm:resnet50.a1_in1k"]).values()

    assert entry == CatalogueEntry(
        "timm:resnet50.a1_in1k",
        Modality.IMAGE,
        parameters=25_557_032,
        macs=4_110_000_000,
        input_size=224,
        pretraining="ImageNet-1k",
        licence="apache-2.0",
        source_accuracy=0.80382,
        download_bytes=4 * 25_557_032,
        repository="timm/resnet50.a1_in1k",
    )


def test_random_weights_have_no_origin_and_download_nothing() -> None:
    (entry,) = catalogue_of(["timm:resnet50(pretrained=False)"]).values()

    assert entry.is_local
    assert (entry.pretraining, entry.licence, entry.source_accuracy, entry.download_bytes) == (
        "",
        "",
        None,
        None,
    )
    assert entry.parameters == 25_557_032


def test_another_head_or_input_size_leaves_out_what_it_changes() -> None:
    headless, small = catalogue_of(["timm:resnet50(num_classes=0)", "timm:resnet50(image_size=128)"]).values()

    assert (headless.parameters, headless.macs) == (None, None)
    assert (small.parameters, small.macs, small.input_size) == (25_557_032, None, 128)
    assert small.source_accuracy is None


def test_weights_without_results_take_the_cost_of_their_architecture() -> None:
    (entry,) = catalogue_of(["timm:vit_base_patch16_224.mae"]).values()

    assert entry.macs == 17_580_000_000
    assert entry.source_accuracy is None
    assert entry.licence == "cc-by-nc-4.0"


def test_an_entry_of_torchvision_says_what_its_weights_say() -> None:
    (entry,) = catalogue_of(["torchvision:resnet50.IMAGENET1K_V2"]).values()

    assert entry.source_accuracy == pytest.approx(0.80858)
    assert entry.macs == 4_089_000_000
    assert entry.download_bytes == pytest.approx(97.79 * 2**20, abs=1)
    assert entry.licence == ""


def test_weights_in_a_cache_are_local(caches: Path) -> None:
    cache_repository(caches, "timm/resnet18.a1_in1k", "model.safetensors")
    (caches / "torch" / "hub" / "checkpoints").mkdir(parents=True)
    (caches / "torch" / "hub" / "checkpoints" / "resnet18-f37072fd.pth").write_bytes(b"")

    entries = catalogue_of(["timm:resnet18.*", "torchvision:resnet18", "torchvision:resnet50"])

    local = [address for address, entry in entries.items() if entry.is_local]
    assert local == ["timm:resnet18.a1_in1k", "torchvision:resnet18"]


@pytest.mark.parametrize("files", [[], ["config.json"], ["model-00001-of-00002.safetensors"]])
def test_a_repository_without_all_weights_is_not_local(caches: Path, files: list[str]) -> None:
    cache_repository(caches, "timm/resnet18.a1_in1k", *files)

    assert not catalogue_of(["timm:resnet18.a1_in1k"])["timm:resnet18.a1_in1k"].is_local


def test_a_repository_with_all_parts_of_its_weights_is_local(caches: Path) -> None:
    cache_repository(
        caches, "org/model", "model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"
    )

    assert catalogue_of(["timm:hf_hub:org/model"])["timm:hf_hub:org/model"].is_local


def test_files_of_openclip_are_not_those_of_timm_in_the_same_repository(caches: Path) -> None:
    cache_repository(caches, "timm/vit_base_patch32_clip_224.openai", "open_clip_model.safetensors")

    entries = catalogue_of(["timm:vit_base_patch32_clip_224.openai", "openclip:ViT-B-32.openai"])

    assert [entry.is_local for entry in entries.values()] == [False, True]


def test_each_tower_of_openclip_has_its_own_cost_and_the_download_of_both() -> None:
    image, text = catalogue_of(
        ["openclip:ViT-B-32.openai", "openclip:ViT-B-32.openai(tower='text')"]
    ).values()

    assert (image.modality, text.modality) == (Modality.IMAGE, Modality.TEXT)
    assert (image.parameters, text.parameters) == (87_850_000, 63_430_000)
    assert (image.macs, text.macs) == (4_410_000_000, 2_980_000_000)
    assert image.download_bytes == text.download_bytes == 4 * 151_280_000
    assert (image.input_size, text.input_size) == (224, 77)
    assert image.source_accuracy == 0.6332


def test_a_sentence_encoder_has_the_facts_of_mteb_under_both_its_names() -> None:
    short, full = catalogue_of(
        ["sentence:all-MiniLM-L6-v2", "sentence:sentence-transformers/all-MiniLM-L6-v2"]
    ).values()

    assert (short.parameters, short.licence, short.released) == (22_713_216, "apache-2.0", "2021-08-30")
    assert short.source_accuracy == pytest.approx(0.5717, abs=1e-4)
    assert short.repository == full.repository == "sentence-transformers/all-MiniLM-L6-v2"
    assert full.download_bytes == short.download_bytes


def test_models_in_the_hub_s_cache_are_listed_by_their_own_source(caches: Path) -> None:
    cache_repository(caches, "org/sounds", "config.json", "model.safetensors")
    cache_repository(caches, "org/sentences", "config.json", "modules.json", "model.safetensors")
    cache_repository(caches, "org/unfinished", "config.json")

    local = [entry for entry in listed(sources=["hf", "sentence"]) if entry.is_local]

    assert [(entry.address, entry.modality) for entry in local] == [
        ("hf:org/sounds", Modality.AUDIO),
        ("sentence:org/sentences", Modality.TEXT),
    ]
    assert local[0].download_bytes == len('{"model_type": "wav2vec2"}')


def test_a_folder_of_a_model_is_local(tmp_path: Path) -> None:
    assert catalogue_of([f"sentence:{tmp_path}"])[f"sentence:{tmp_path}"].is_local


def test_an_application_of_keras_is_local_once_its_file_is_there(caches: Path) -> None:
    before = catalogue_of(["keras:DenseNet121"])["keras:DenseNet121"]
    (caches / "keras" / "models").mkdir(parents=True)
    name = "densenet121_weights_tf_dim_ordering_tf_kernels.h5"
    (caches / "keras" / "models" / name).write_bytes(b"")

    after = catalogue_of(["keras:DenseNet121"])["keras:DenseNet121"]

    assert (before.is_local, after.is_local) == (False, True)
    assert (after.parameters, after.source_accuracy) == (8_062_504, 0.75)


def test_packaged_models_are_local() -> None:
    entries = catalogue_of(["packaged:*"])

    assert all(entry.is_local and entry.download_bytes and entry.parameters for entry in entries.values())
    assert entries["packaged:all_minilm_l6_v2"].modality is Modality.TEXT


def test_every_published_model_of_timm_is_listed_with_its_size_and_bytes() -> None:
    entries = list(listed(Modality.IMAGE, ["timm"]))

    assert len(entries) > 1_500
    assert all(entry.parameters and entry.input_size and entry.download_bytes for entry in entries)
    assert sum(entry.source_accuracy is not None for entry in entries) > 1_000


@pytest.mark.parametrize("source", ["keras", "openclip", "sentence", "hf", "torchvision", "packaged"])
def test_every_listed_model_has_an_entry_with_its_modality(source: str) -> None:
    models = list(families().models.load(source).catalogue())

    entries = [model.entry("the address") for model in models]

    assert entries
    assert all(entry.modality is not None and entry.address == "the address" for entry in entries)


def test_a_pattern_that_names_nothing_is_an_error() -> None:
    with pytest.raises(UsageError, match="No model of .timm. called .resnet118"):
        catalogue_of(["timm:resnet118*"])


def cache_repository(caches: Path, repository: str, *files: str) -> None:
    """Put files into the hub's cache as its client does."""
    folder = caches / "hub" / f"models--{repository.replace('/', '--')}"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("a" * 40)
    (folder / "snapshots" / ("a" * 40)).mkdir(parents=True)
    for file in files:
        (folder / "snapshots" / ("a" * 40) / file).write_text(file and '{"model_type": "wav2vec2"}')
