"""What keeps a model of the hub from being had is said in words, with what to do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.hub.local_hub import LocalHub, inside

from assay.core.errors import ModelError, UsageError
from assay.core.model import ModelSource
from assay.environment.offline import go_offline
from assay.models.hf import HuggingFaceSource
from assay.models.sentence import SentenceSource
from assay.models.timm import TimmSource
from assay.models.torchvision import TorchvisionSource

TEXTS = ["the quick fox", "a dog"]


@pytest.fixture
def hub(tiny_bert: Path, tmp_path: Path) -> LocalHub:
    hub = LocalHub(tmp_path / "served")
    hub.add("models/org/bert", tiny_bert)
    return hub


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


def test_a_model_of_the_hub_is_downloaded_once_and_known_by_its_commit(
    hub: LocalHub, tiny_bert: Path, tmp_path: Path
) -> None:
    with inside(hub, tmp_path):
        model = HuggingFaceSource("org/bert").open("cpu")
        identities = [HuggingFaceSource(name).identity() for name in ("org/bert", "org/bert@main")]

    commit = hub.commit("models/org/bert")
    assert model.facts.weights == f"hf: org/bert at {commit[:12]}"
    assert all(commit in identity for identity in identities)
    plain = HuggingFaceSource(str(tiny_bert)).open("cpu").encode(TEXTS).features
    np.testing.assert_array_equal(model.encode(TEXTS).features, plain)


@pytest.mark.usefixtures("_afterwards_online")
def test_what_was_downloaded_opens_offline(hub: LocalHub, tmp_path: Path) -> None:
    with inside(hub, tmp_path):
        HuggingFaceSource("org/bert").open("cpu")
        identity = HuggingFaceSource("org/bert").identity()
        hub.requests()
        go_offline()

        assert HuggingFaceSource("org/bert").open("cpu").encode(TEXTS).features.shape == (2, 16)
        assert HuggingFaceSource("org/bert").identity() == identity
    assert hub.requests() == []


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


def test_a_name_that_the_hub_does_not_have(hub: LocalHub, tmp_path: Path) -> None:
    with inside(hub, tmp_path):
        assert "no model 'org/brt' on https://huggingface.co, or it is private" in refused(
            HuggingFaceSource("org/brt")
        )


def test_a_revision_that_a_repository_does_not_have(hub: LocalHub, tmp_path: Path) -> None:
    with inside(hub, tmp_path):
        assert "no revision 'v9'" in refused(HuggingFaceSource("org/bert@v9"))


def test_a_gated_model_says_where_to_ask(hub: LocalHub, tmp_path: Path) -> None:
    hub.change("models/org/bert", gated=True)

    with inside(hub, tmp_path):
        told = refused(HuggingFaceSource("org/bert"))

    assert "gated" in told
    assert "https://huggingface.co/org/bert" in told
    assert "hf auth login" in told


def test_a_download_that_broke_off_goes_on_later(hub: LocalHub, tmp_path: Path) -> None:
    hub.break_off({"path": "model.safetensors|cdn", "methods": ["GET"], "cut": 9000})

    with inside(hub, tmp_path):
        told = refused(HuggingFaceSource("org/bert"))
        hub.break_off()
        model = HuggingFaceSource("org/bert").open("cpu")

    assert "was interrupted" in told
    assert "'assay fetch hf:org/bert'" in told
    assert model.facts.width == 16


def test_a_damaged_file_of_the_cache_says_what_to_delete(hub: LocalHub, tmp_path: Path) -> None:
    with inside(hub, tmp_path):
        HuggingFaceSource("org/bert").open("cpu")
        (weights,) = tmp_path.glob("models--org--bert/snapshots/*/model.safetensors")
        whole = weights.read_bytes()
        weights.resolve().write_bytes(whole[: len(whole) // 2])

        told = refused(HuggingFaceSource("org/bert"))

    assert f"Delete the folder {tmp_path}/models--org--bert, and run 'assay fetch hf:org/bert'" in told


def test_sentence_encoders_say_the_same(hub: LocalHub, tmp_path: Path) -> None:
    hub.change("models/org/bert", gated=True)

    with inside(hub, tmp_path):
        assert "'org/bert' is gated" in refused(SentenceSource("org/bert"))
        assert "no model 'org/none' on" in refused(SentenceSource("org/none"))
