"""What keeps a model of the hub from being had is said in words, with what to do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.models.fake_hub import COMMIT, FakeHub, serving

from assay.core.errors import ModelError, UsageError
from assay.core.model import ModelSource
from assay.environment.offline import go_offline
from assay.models.hf import HuggingFaceSource
from assay.models.sentence import SentenceSource
from assay.models.timm import TimmSource
from assay.models.torchvision import TorchvisionSource

TEXTS = ["the quick fox", "a dog"]


@pytest.fixture
def hub(tiny_bert: Path) -> FakeHub:
    return FakeHub({"org/bert": tiny_bert})


@pytest.fixture
def _afterwards_online(monkeypatch: pytest.MonkeyPatch) -> None:
    """Undo what ``go_offline`` does to the process."""
    for name in ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_DATASETS_OFFLINE"):
        monkeypatch.setenv(name, "")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    monkeypatch.setattr("urllib.request._opener", None)


def refused(source: Any) -> str:
    with pytest.raises((ModelError, UsageError)) as stop:
        source.open("cpu")
    return str(stop.value)


def test_a_model_of_the_hub_is_downloaded_once_and_known_by_its_commit(hub: FakeHub, tmp_path: Path) -> None:
    with serving(hub, tmp_path):
        model = HuggingFaceSource("org/bert").open("cpu")
        identities = [HuggingFaceSource(name).identity() for name in ("org/bert", "org/bert@main")]

    assert model.facts.weights == f"hf: org/bert at {COMMIT[:12]}"
    assert all(COMMIT in identity for identity in identities)
    plain = HuggingFaceSource(str(hub.repositories["org/bert"])).open("cpu").encode(TEXTS).features
    np.testing.assert_array_equal(model.encode(TEXTS).features, plain)


@pytest.mark.usefixtures("_afterwards_online")
def test_what_was_downloaded_opens_offline(hub: FakeHub, tmp_path: Path) -> None:
    with serving(hub, tmp_path):
        HuggingFaceSource("org/bert").open("cpu")
        identity = HuggingFaceSource("org/bert").identity()
        hub.asked.clear()
        go_offline()

        assert HuggingFaceSource("org/bert").open("cpu").encode(TEXTS).features.shape == (2, 16)
        assert HuggingFaceSource("org/bert").identity() == identity
    assert hub.asked == []


@pytest.mark.usefixtures("_afterwards_online")
@pytest.mark.parametrize(
    ("source", "address"),
    [
        (HuggingFaceSource("org/bert"), "hf:org/bert"),
        (SentenceSource("org/bert"), "sentence:org/bert"),
        (TimmSource("resnet18.a1_in1k"), r"timm:resnet18\.a1_in1k"),
        (TorchvisionSource("resnet18"), "torchvision:resnet18"),
    ],
    ids=str,
)
def test_what_is_not_cached_says_offline_how_to_fetch_it(
    source: ModelSource, address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    go_offline()

    with pytest.raises(
        (ModelError, UsageError),
        match=rf"{address}.*not in the local cache, and no network.*'assay fetch {address}' .*--offline",
    ):
        source.open("cpu")
    assert os.environ["HF_HUB_OFFLINE"] == "1"  # for the processes that are started


def test_a_name_that_the_hub_does_not_have(hub: FakeHub, tmp_path: Path) -> None:
    with serving(hub, tmp_path):
        assert "no model 'org/brt' on https://huggingface.co, or it is private" in refused(
            HuggingFaceSource("org/brt")
        )


def test_a_revision_that_a_repository_does_not_have(hub: FakeHub, tmp_path: Path) -> None:
    with serving(hub, tmp_path):
        assert "no revision 'v9'" in refused(HuggingFaceSource("org/bert@v9"))


def test_a_gated_model_says_where_to_ask(hub: FakeHub, tmp_path: Path) -> None:
    hub.gated.add("org/bert")

    with serving(hub, tmp_path):
        told = refused(HuggingFaceSource("org/bert"))

    assert "gated" in told
    assert "https://huggingface.co/org/bert" in told
    assert "hf auth login" in told


def test_a_download_that_broke_off_goes_on_later(hub: FakeHub, tmp_path: Path) -> None:
    hub.cut.add("model.safetensors")

    with serving(hub, tmp_path):
        told = refused(HuggingFaceSource("org/bert"))
        hub.cut.clear()
        model = HuggingFaceSource("org/bert").open("cpu")

    assert "was interrupted" in told
    assert "'assay fetch hf:org/bert'" in told
    assert model.facts.width == 16


def test_a_damaged_file_of_the_cache_says_what_to_delete(hub: FakeHub, tmp_path: Path) -> None:
    with serving(hub, tmp_path):
        HuggingFaceSource("org/bert").open("cpu")
        (weights,) = tmp_path.glob("models--org--bert/snapshots/*/model.safetensors")
        whole = weights.read_bytes()
        weights.resolve().write_bytes(whole[: len(whole) // 2])

        told = refused(HuggingFaceSource("org/bert"))

    assert f"Delete the folder {tmp_path}/models--org--bert, and run 'assay fetch hf:org/bert'" in told


def test_sentence_encoders_say_the_same(hub: FakeHub, tmp_path: Path) -> None:
    hub.gated.add("org/bert")

    with serving(hub, tmp_path):
        assert "'org/bert' is gated" in refused(SentenceSource("org/bert"))
        assert "no model 'org/none' on" in refused(SentenceSource("org/none"))
