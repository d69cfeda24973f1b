"""What assay doctor finds."""

from __future__ import annotations

import urllib.request
from email.message import Message
from importlib import metadata
from urllib.error import HTTPError, URLError

import pytest

from assay.plugins import registry


@pytest.fixture(autouse=True)
def _caches_of_the_test(monkeypatch, tmp_path):
    for name in ("HF_HUB_CACHE", "HF_DATASETS_CACHE", "TORCH_HOME", "KERAS_HOME", "ASSAY_CACHE"):
        monkeypatch.setenv(name, str(tmp_path / name))


def test_versions_devices_and_the_sizes_of_caches_are_shown(assay, tmp_path):
    (tmp_path / "TORCH_HOME").mkdir()
    (tmp_path / "TORCH_HOME" / "weights.pt").write_bytes(bytes(2_000))

    code, out, _ = assay("doctor")

    assert code == 0
    assert f"  assay    {metadata.version('model-assay')}\n" in out
    assert "  device   " in out
    assert f"  timm {' ' * 28} {metadata.version('timm')}\n" in out or "not installed: timm" in out
    assert f"{tmp_path / 'TORCH_HOME'}  2.00 kB, " in out
    assert "network:" not in out


def test_what_is_named_is_looked_up_and_what_lacks_a_package_says_what_to_install(assay, monkeypatch):
    monkeypatch.setattr(registry, "_is_installed", lambda package: package != "datasets")

    code, out, _ = assay("doctor", "zoo:colours", "hub:mteb/banking77", "knn", "suite:glue", "nothing")
    lines = " ".join(out.partition("machine:")[0].split())

    assert code == 1
    assert "zoo:colours installed, nothing to download" in lines
    assert "'hub' needs the package 'datasets'. Install it with: pip install 'model-assay[hub]'" in lines
    assert "knn protocol; what it needs is installed" in lines
    assert "suite:glue 10 tasks" in lines
    assert "No file, folder, method or metric called 'nothing'" in lines


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (URLError("no route"), 1, "cannot be reached: no route"),
        (HTTPError("https://hub.invalid", 403, "no", Message(), None), 0, "answers"),
    ],
)
def test_the_hub_is_asked_on_request_alone(assay, monkeypatch, error, code, said):
    def refuse(request, timeout):
        assert request.full_url == "https://hub.invalid"
        raise error

    monkeypatch.setenv("HF_ENDPOINT", "https://hub.invalid")
    monkeypatch.setattr(urllib.request, "urlopen", refuse)

    monkeypatch.setattr("assay.actions.doctor.machine", tuple)
    monkeypatch.setattr("assay.actions.doctor.packages", tuple)

    shown = assay("doctor", "--network")

    assert shown[0] == code
    assert said in shown[1]
    assert assay("doctor", "--network", "--offline")[0] == 2
