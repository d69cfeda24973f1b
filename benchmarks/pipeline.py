"""How much faster examples are read again, and what reading adds to a forward pass, as ratios of one run.

    python benchmarks/pipeline.py                         # all, half an hour on two cores
    python benchmarks/pipeline.py start --images 2000     # one measurement, on a smaller folder
    python benchmarks/pipeline.py warm --models resnet18

Each row is the median of pairs: both sides of a ratio are measured one after the other, round by round.
Photos are drawn, 500 x 375 as JPEG; models have random weights, for their speed does not depend on them.

- start: reading a folder when a study starts again, over the first time
- recipe: encoding with a second model of the same resizing and crop, over the first one, which decodes
- warm: examples a second end to end from kept pixels, over the bare forward pass on ready tensors
- texts: ranking and encoding of texts against transformer-ranker and sentence-transformers
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import median

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line does, before torch is loaded

import numpy as np
import timm
import torch
from PIL import Image

from assay.core.model import Model
from assay.core.task import Split, Task
from assay.encoders.batches import Batches
from assay.models.timm import TimmSource
from assay.tasks.folder import Folder

MODELS = ("resnet18", "resnet50", "vit_small_patch16_224")
PIECE = 16  # images of a forward pass on a CPU
SETTLED = 11.0  # seconds until the times of files are old enough to be trusted


def start(options: argparse.Namespace) -> None:
    """Second start of a folder against the first, each round with an empty cache."""
    with tempfile.TemporaryDirectory() as folder:
        draw_photos(Path(folder), options.images)
        time.sleep(SETTLED)
        pairs = []
        for _ in range(options.rounds):
            with empty_cache():
                pairs.append((seconds(partial(load, folder)), seconds(partial(load, folder))))
    first, second = map(median, zip(*pairs, strict=True))
    ratio = median(again / once for once, again in pairs)
    print(f"start   {options.images:6} images  first {first:7.2f} s  second {second:7.2f} s  {ratio:7.1%}")


def recipe(options: argparse.Namespace) -> None:
    """A second model of a recipe against the first."""
    for name in options.models:
        pairs = []
        with tempfile.TemporaryDirectory() as folder:
            draw_photos(Path(folder), options.photos)
            split = load(folder).train
            models = [opened(name, seed) for seed in (0, 1)]
            for _ in range(options.rounds):
                with empty_cache():
                    pairs.append(tuple(seconds(partial(encode, model, split)) for model in models))
        ratio = median(second / first for first, second in pairs)
        first, second = map(median, zip(*pairs, strict=True))
        print(f"recipe  {name:24} first {first:7.2f} s  second {second:7.2f} s  {ratio:7.1%}")


def warm(options: argparse.Namespace) -> None:
    """Encoding from kept pixels against the bare forward pass."""
    for name in options.models:
        with tempfile.TemporaryDirectory() as folder, empty_cache():
            draw_photos(Path(folder), options.photos)
            split = load(folder).train
            model, bare = opened(name, 0), bare_forward(name, len(split))
            encode(model, split)
            bare()
            pairs = [(seconds(bare), seconds(partial(encode, model, split))) for _ in range(options.rounds)]
        ratio = median(alone / whole for alone, whole in pairs)
        rate = len(split) / median(whole for _, whole in pairs)
        print(f"warm    {name:24} {rate:7.1f} images/s  {ratio:7.2f} of the bare forward pass")


def texts(options: argparse.Namespace) -> None:
    """Ranking and encoding of texts against peers, which must be installed."""
    from pipeline_texts import of_texts

    of_texts(options.texts, options.rounds)


def draw_photos(folder: Path, count: int) -> None:
    rng = np.random.default_rng(0)
    for row in range(count):
        path = folder / f"class{row % 20}" / f"{row}.jpg"
        path.parent.mkdir(exist_ok=True)
        coarse = Image.fromarray(rng.integers(0, 256, (12, 16, 3), np.uint8))
        coarse.resize((500, 375), Image.Resampling.BICUBIC).save(path, quality=90)


def load(folder: str) -> Task:
    return Folder(folder).load(f"folder:{folder}", seed=0)


def opened(name: str, seed: int) -> Model:
    return TimmSource(name, pretrained=False, seed=seed).open("cpu")


def encode(model: Model, split: Split) -> None:
    for _ in Batches(32, lambda *_: None).encoded(model, split, "encode"):
        pass


def bare_forward(name: str, count: int) -> Callable[[], None]:
    """Return the forward pass of a module with its head, on tensors in memory."""
    module = timm.create_model(name).eval().to(memory_format=torch.channels_last)
    batches = torch.randn(count, 3, 224, 224).to(memory_format=torch.channels_last).split(PIECE)

    def forward() -> None:
        with torch.inference_mode():
            for batch in batches:
                module(batch)

    return forward


@contextmanager
def empty_cache() -> Iterator[None]:
    with tempfile.TemporaryDirectory() as folder:
        os.environ["ASSAY_CACHE"] = folder
        yield


def seconds(function: Callable[[], object]) -> float:
    began = time.perf_counter()
    function()
    return time.perf_counter() - began


if __name__ == "__main__":
    measurements = {"start": start, "recipe": recipe, "warm": warm, "texts": texts}
    parser = argparse.ArgumentParser(description="Measure how examples are read.")
    parser.add_argument("what", nargs="*", help=f"{', '.join(measurements)}; all by default")
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--photos", type=int, default=160, help="of the measurements with models")
    parser.add_argument("--texts", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--models", nargs="*", default=MODELS)
    chosen = parser.parse_args()
    for what in chosen.what or measurements:
        measurements[what](chosen)
