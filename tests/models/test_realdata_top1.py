"""Real weights recognise real pictures as often as was measured when they were collected."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from assay.core.model import Model
from assay.models.packaged import PackagedSource
from assay.models.torch import TorchSource

IMAGENET = (
    "mobilenetv1_025_128_in1k",
    "mobilenetv1_050_160_in1k",
    "mobilenetv1_075_192_in1k",
    "mobilenetv1_025_224_in1k",
    "mobilenetv1_100_224_in1k",
    "mobilenetv2_100_224_slim_in1k",
    "mobilenetv2_100_224_tf2_in1k",
    "tv_mobilenet_v2_in1k",
    "squeezenet1_1_in1k",
    "tiny_darknet_in1k",
)
BATCH = 25


@pytest.fixture(scope="module")
def sample() -> list[Path]:
    """One picture for each class of ImageNet, sorted by the number of its class."""
    folder = os.environ.get("ASSAY_IMAGENET_SAMPLE")
    if folder is None:
        pytest.skip(
            "needs data beside the checkout: a folder of n*.JPEG, one for each class, "
            "named in ASSAY_IMAGENET_SAMPLE"
        )
    files = sorted(Path(folder).glob("n*.JPEG"))
    assert len(files) == 1000
    return files


@pytest.mark.parametrize("name", IMAGENET)
def test_top1_is_what_the_manifest_says(
    name: str, realdata: Path, sample: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = manifest(realdata)[name]
    monkeypatch.syspath_prepend(realdata)

    measured = top1(source(realdata, entry).open("cpu"), map(picture, sample))

    assert measured == pytest.approx(entry["verified"]["in1k_sample_top1"], abs=0.003)


def test_every_imagenet_model_of_the_manifest_is_measured(realdata: Path) -> None:
    with_figure = {
        name for name, entry in manifest(realdata).items() if "in1k_sample_top1" in entry["verified"]
    }

    assert with_figure == set(IMAGENET)


def test_packaged_weights_recognise_imagenet(sample: list[Path]) -> None:
    assert top1(PackagedSource("efficientnet_lite0").open("cpu"), map(picture, sample)) > 0.85


def source(realdata: Path, entry: dict[str, Any]) -> TorchSource:
    return TorchSource(
        "realdata_models:build",
        arguments=(entry["name"],),
        checkpoint=str(realdata / entry["files"][0]["path"]),
        size=entry["input"]["size"],
        mean=tuple(entry["input"]["mean"]),
        std=tuple(entry["input"]["std"]),
        crop=entry["input"]["crop_pct"],
        interpolation=entry["input"]["interp"],
    )


def top1(model: Model, pictures: Iterable[np.ndarray]) -> float:
    right = seen = 0
    rest = iter(pictures)
    while batch := list(islice(rest, BATCH)):
        probs = model.encode(batch).source_probs
        assert probs is not None
        right += int((probs.argmax(1) == np.arange(seen, seen + len(batch))).sum())
        seen += len(batch)
    model.close()
    return right / seen


def picture(file: Path) -> np.ndarray:
    return np.asarray(Image.open(file).convert("RGB"))


def manifest(realdata: Path) -> dict[str, dict[str, Any]]:
    entries = json.loads((realdata / "MANIFEST.json").read_text())["weights"]
    return {entry["name"]: entry for entry in entries}
