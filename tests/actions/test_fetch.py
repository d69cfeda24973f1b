"""Downloads of models and tasks by name; a name that fails is reported, and does not stop the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.hub.local_hub import LocalHub, inside

from assay.actions.fetch import Fetched, Missing, fetch


@pytest.fixture
def caches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which all libraries keep what they download."""
    for name in ("HF_HOME", "TORCH_HOME", "KERAS_HOME"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    for name in ("HF_HUB_CACHE", "HF_DATASETS_CACHE"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "hf_home" / "hub"


def test_a_model_is_downloaded_and_then_there(tiny_bert: Path, caches: Path) -> None:
    hub = LocalHub(caches.parent / "served")
    commit = hub.add("models/org/bert", tiny_bert)

    with inside(hub, caches):
        (first,) = fetch(["hf:org/bert"])
        (second,) = fetch(["hf:org/bert"])

    assert isinstance(first, Fetched)
    weights = (tiny_bert / "model.safetensors").stat().st_size
    assert weights < first.downloaded[caches] < 2 * weights
    assert first.origin == f"hf: org/bert at {commit[:12]}"
    assert "6,320 of them" in first.size
    assert isinstance(second, Fetched)
    assert second.downloaded == {}


def test_failed_downloads_do_not_stop_the_others(tiny_bert: Path, caches: Path) -> None:
    hub = LocalHub(caches.parent / "served")
    hub.add("models/org/bert", tiny_bert, gated=True)

    with inside(hub, caches):
        results = list(
            fetch(["hf:org/bert", "zoo:broken", "zoo:x*", "nowhere:x", "sklearn:digit", "sklearn:digits"])
        )

    assert [result.address for result in results if isinstance(result, Fetched)] == ["sklearn:digits"]
    reasons = {result.address: result.reason for result in results if isinstance(result, Missing)}
    assert "gated" in reasons.pop("hf:org/bert")
    assert "weights are missing" in reasons.pop("zoo:broken")
    assert sorted(reasons) == ["nowhere:x", "sklearn:digit", "zoo:x*"]
    assert all("called" in reason for reason in reasons.values())


def test_patterns_and_suites_are_expanded(photos: Path, tmp_path: Path, caches: Path) -> None:
    (tmp_path / "mine.toml").write_text(f'tasks = ["{photos}", "sklearn:digits(limit=90)"]')

    results = list(fetch(["zoo:co*", f"suite:{tmp_path}/mine.toml"]))

    assert [result.address for result in results] == [
        "zoo:colours",
        f"folder:{photos}",
        "sklearn:digits(limit=90)",
    ]
    assert isinstance(results[1], Fetched)
    assert results[1].size == "54 train and 18 val and 18 test examples"


def test_an_address_of_a_model_and_a_task_source_is_resolved_by_its_name(caches: Path) -> None:
    (model,) = fetch(["torchvision:squeezenet1_1(pretrained=False)"])
    (task,) = fetch(["torchvision:DTD"])

    assert isinstance(model, Fetched)
    assert isinstance(task, Missing)
    assert "download=True" in task.reason
