"""What the hub says of models when it is asked, kept for later without a network."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.hub.local_hub import LocalHub, inside

from assay.core.errors import UsageError
from assay.run.catalogue import catalogue_of
from assay.run.hub_facts import update

pytestmark = pytest.mark.framework
FILES = {"model.safetensors": b"weights", "pytorch_model.bin": b"the same again", "config.json": b"{}"}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> LocalHub:
    """A hub with a model, and a user whose cache is empty."""
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path / "own"))
    monkeypatch.delenv("HF_HUB_OFFLINE", raising=False)
    monkeypatch.delenv("TRANSFORMERS_OFFLINE", raising=False)
    hub = LocalHub(tmp_path / "served")
    hub.root.mkdir()
    hub.add("models/org/sounds", FILES, downloads=1234, licence="mit")
    return hub


def test_what_the_hub_said_is_known_afterwards_without_it(hub: LocalHub, tmp_path: Path) -> None:
    before = catalogue_of(["hf:org/sounds"])["hf:org/sounds"]
    with inside(hub, tmp_path / "cache"):
        asked = list(update(["org/sounds"]))

    entry = catalogue_of(["hf:org/sounds"])["hf:org/sounds"]

    assert (before.downloads, before.licence) == (None, "")
    assert [each.failure for each in asked] == [""]
    assert (entry.downloads, entry.licence, entry.released) == (1234, "mit", "2024-05-06")
    assert entry.download_bytes == len(FILES["model.safetensors"])
    assert not entry.is_local


def test_a_repository_that_is_gone_is_named_and_loses_nothing_that_was_known(
    hub: LocalHub, tmp_path: Path
) -> None:
    with inside(hub, tmp_path / "cache"):
        list(update(["org/sounds"]))
        gone, again = update(["org/gone", "org/sounds"])

    assert gone.repository == "org/gone"
    assert gone.failure
    assert again.failure == ""
    assert catalogue_of(["hf:org/sounds"])["hf:org/sounds"].downloads == 1234


def test_a_damaged_file_of_facts_counts_as_none(hub: LocalHub, tmp_path: Path) -> None:
    with inside(hub, tmp_path / "cache"):
        list(update(["org/sounds"]))
    (tmp_path / "own" / "hub_facts.json").write_text('{"org/so')

    assert catalogue_of(["hf:org/sounds"])["hf:org/sounds"].downloads is None


def test_nothing_is_asked_offline(hub: LocalHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    with pytest.raises(UsageError, match="--offline uses no network"):
        list(update(["org/sounds"]))

    assert hub.requests() == []
