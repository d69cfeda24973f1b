"""Real weights recognise real pictures as often as was measured when they were collected."""

from __future__ import annotations

import json
import math
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
            "no ImageNet sample: name a folder of n*.JPEG, one for each class, in ASSAY_IMAGENET_SAMPLE"
        )
    files = sorted(Path(folder).glob("n*.JPEG"))
    assert len(files) == 1000
    return files


@pytest.mark.parametrize("name", IMAGENET)
def test_top1_on_the_pixels_of_the_manifest_is_its_figure(
    name: str, realdata: Path, sample: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = manifest(realdata)[name]
    monkeypatch.syspath_prepend(realdata)
    pictures = [as_measured(picture(file), entry["input"]) for file in sample]

    measured = top1(source(realdata, entry, crop=None).open("cpu"), pictures)

    assert measured == pytest.approx(entry["verified"]["in1k_sample_top1"], abs=0.003)


@pytest.mark.parametrize("name", IMAGENET)
def test_top1_on_pixels_cut_as_torchvision_does_is_near(
    name: str, realdata: Path, sample: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = manifest(realdata)[name]
    monkeypatch.syspath_prepend(realdata)

    measured = top1(source(realdata, entry, entry["input"]["crop_pct"]).open("cpu"), map(picture, sample))

    # a shift by half a pixel changes the answer on some pictures in a hundred, most of all for small inputs
    assert measured == pytest.approx(entry["verified"]["in1k_sample_top1"], abs=0.015)


def test_every_imagenet_model_of_the_manifest_is_measured(realdata: Path) -> None:
    with_figure = {
        name for name, entry in manifest(realdata).items() if "in1k_sample_top1" in entry["verified"]
    }

    assert with_figure == set(IMAGENET)


def test_packaged_weights_recognise_imagenet(sample: list[Path]) -> None:
    assert top1(PackagedSource("efficientnet_lite0").open("cpu"), map(picture, sample)) > 0.85


def source(realdata: Path, entry: dict[str, Any], crop: float | None) -> TorchSource:
    return TorchSource(
        "realdata_models:build",
        arguments=(entry["name"],),
        checkpoint=str(realdata / entry["files"][0]["path"]),
        size=entry["input"]["size"],
        mean=tuple(entry["input"]["mean"]),
        std=tuple(entry["input"]["std"]),
        crop=crop,
        interpolation=entry["input"]["interp"],
    )


def as_measured(image: np.ndarray, wanted: dict[str, Any]) -> np.ndarray:
    """Resize and crop with the roundings of the manifest: the nearest long side, the lower half pixel."""
    short = math.floor(wanted["size"] / wanted["crop_pct"])
    height, width = (round(short * side / min(image.shape[:2])) for side in image.shape[:2])
    resized = Image.fromarray(image).resize((width, height), Image.Resampling.BILINEAR)
    left, top = (width - wanted["size"]) // 2, (height - wanted["size"]) // 2
    return np.asarray(resized)[top : top + wanted["size"], left : left + wanted["size"]]


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
