"""Which models a study takes that names none."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.run.test_catalogue import cache_repository

import assay
from assay.core.errors import UsageError
from assay.core.limits import Limits
from assay.core.task import Modality
from assay.run.zoo import curated, zoo_for

pytestmark = pytest.mark.framework
PACKAGED = ("packaged:efficientnet_lite0", "packaged:efficientnet_lite1", "packaged:efficientnet_lite2")


@pytest.fixture(autouse=True)
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder in which the caches of all libraries lie, empty."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path


@pytest.mark.parametrize("modality", list(Modality))
def test_every_model_of_the_curated_zoo_is_known_with_its_size_and_a_reason(modality: Modality) -> None:
    choices = curated(modality)

    zoo = zoo_for(modality, download=True)

    known = {entry.address: entry for entry in zoo.taken}
    assert 8 <= len(choices) <= 30
    assert all(choice.why for choice in choices)
    asked = {choice.address for choice in choices} - {"sentence:all-MiniLM-L6-v2"}  # it is packaged
    assert all(known[address].download_bytes and known[address].parameters for address in asked)
    assert all(known[address].modality is modality for address in asked)


def test_without_download_only_packaged_and_cached_models_run(caches: Path) -> None:
    cache_repository(caches, "timm/resnet18.a1_in1k", "model.safetensors")
    cache_repository(caches, "timm/resnet34.a1_in1k", "model.safetensors")

    zoo = zoo_for(Modality.IMAGE, download=False)

    cached = ("timm:resnet18.a1_in1k", "timm:resnet34.a1_in1k")
    assert [entry.address for entry in zoo.taken] == [*PACKAGED, *cached]
    assert len(zoo.left) == len(curated(Modality.IMAGE)) - 1
    (note,) = zoo.notes
    assert note.startswith(
        "Only the 5 packaged or cached models are used, because no model was named; name others, or add "
        "--download (29 models, 5."
    )
    assert zoo.lines[0].startswith("left out, 5.")


def test_with_download_nothing_is_left_out_and_sizes_are_reported() -> None:
    zoo = zoo_for(Modality.IMAGE, download=True)

    assert zoo.left == zoo.notes == ()
    (line,) = zoo.lines
    assert line.startswith("downloads, 5.")
    assert "timm:resnet18.a1_in1k 46.8 MB" in line


def test_the_smallest_model_comes_first() -> None:
    sizes = [entry.parameters or 0 for entry in zoo_for(Modality.TEXT, download=True).taken]

    assert sizes == sorted(sizes)


def test_the_same_weights_are_taken_once() -> None:
    taken = {entry.address for entry in zoo_for(Modality.TEXT, download=True).taken}

    assert "packaged:all_minilm_l6_v2" in taken
    assert "sentence:all-MiniLM-L6-v2" not in taken


def test_limits_apply_before_any_download() -> None:
    zoo = zoo_for(Modality.IMAGE, download=True, limits=Limits.of("12M", None, ["apache*"]))

    assert all((entry.parameters or 0) <= 12e6 for entry in zoo.taken)
    assert all(entry.licence.lower() == "apache-2.0" for entry in zoo.taken)
    assert {"timm:resnet50.a1_in1k", "timm:fastvit_t8.apple_dist_in1k"} <= {
        entry.address for entry in zoo.beyond
    }


def test_a_large_model_of_the_cache_runs_only_where_it_is_named(
    caches: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.run.zoo._LARGEST", 10)
    cache_repository(caches, "timm/resnet34.a1_in1k", "model.safetensors")

    zoo = zoo_for(Modality.IMAGE, download=False)

    assert "timm:resnet34.a1_in1k" in {entry.address for entry in zoo.large}
    assert "timm:resnet34.a1_in1k" not in {entry.address for entry in zoo.taken}


def test_a_study_without_models_plans_the_local_ones_and_says_what_it_left_out(tmp_path: Path) -> None:
    ready = assay.Study(tasks=["sklearn:digits(limit=100)"], store=tmp_path / "store").plan()

    planned = {str(evaluation.model) for evaluation in ready.evaluations}
    assert planned == {*PACKAGED, "packaged:efficientnet_lite0(pretrained=False, seed=1)"}
    assert "--download" in ready.notes[0]
    assert "timm:resnet50.a1_in1k" in ready.zoo[0]


def test_where_nothing_is_local_the_error_says_what_to_install_or_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.models.packaged.find_spec", lambda name: None)
    study = assay.Study(tasks=["sklearn:digits(limit=100)"], store=tmp_path / "store")

    with pytest.raises(
        UsageError, match=r"pip install efficientnet_lite0.*--download, for 30 models, 5\.\d+ GB"
    ):
        study.plan()


def test_a_limit_that_excludes_all_is_named(tmp_path: Path) -> None:
    study = assay.Study(
        tasks=["sklearn:digits(limit=100)"], store=tmp_path / "store", max_parameters="10k", download=True
    )

    with pytest.raises(UsageError, match=r"change --max-parameters: 33 models are excluded"):
        study.plan()


def test_a_download_without_a_network_is_a_contradiction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    study = assay.Study(tasks=["sklearn:digits(limit=100)"], store=tmp_path / "store", download=True)

    with pytest.raises(UsageError, match="--offline"):
        study.plan()


def test_download_is_true_or_false() -> None:
    with pytest.raises(UsageError, match="download is 'no'. Write true or false"):
        assay.Study(tasks=["./photos"], download="no")  # type: ignore[arg-type]
