"""Measures what limits of checks rest on: real models as they are, in 16 bits, in training mode, fed wrongly.

    python benchmarks/limits.py --realdata ../shared/realdata

Of each model of images: how far the features of three examples together are from each alone, relative to the
largest (``run/consistency.py``); how saturated its probabilities, how equal its features are with pixels in
the right range and in the other (``encoders/input_range.py``); and the share of test predictions of a linear
probe that 16 bits change (``actions/save.py``).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression
from torch import nn

from assay.core.task import Modality
from assay.encoders.input_range import _variation, sample_images
from assay.run.consistency import sample_examples

TEST, TRAIN = 120, 200  # examples of a data set


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--realdata", type=Path, default=Path("../shared/realdata"))
    parser.add_argument("--set", default="clothing10")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    sys.path.insert(0, str(asked.realdata))
    pictures = {
        split: list(images(asked.realdata / "datasets" / asked.set / split)) for split in ("train", "test")
    }
    print("model  together/alone: 32 bits, bfloat16, float16, training mode | variation, largest probability "
          "(least sure, of 8): right, other | predictions changed: bfloat16, float16")  # fmt: skip
    entries = json.loads((asked.realdata / "MANIFEST.json").read_text())["weights"]
    for entry in sorted(entries, key=lambda entry: entry["bytes"]):
        if entry["modality"] == "image" and entry["input"].get("size", 0) and "mean" in entry["input"]:
            print(entry["name"], *measured(entry, asked.realdata, pictures), flush=True)


def measured(
    entry: Mapping[str, Any], root: Path, pictures: Mapping[str, list[tuple[str, Image.Image]]]
) -> Iterator[str]:
    """Yield what is measured of one model."""
    import realdata_models

    module = realdata_models.load(str(root / "weights"), entry["name"])
    shape = entry["input"]
    three = pixels(shape, [Image.fromarray(one) for one in sample_examples(Modality.IMAGE)[-3:][::-1]])
    for kind in (torch.float32, torch.bfloat16, torch.float16):
        yield f"{apart(features(module, kind), three):.1e}"
    module.train()
    yield f"{apart(features(module, torch.float32), three):.1e}"
    module.eval()
    eight = [Image.fromarray(one) for one in sample_images()]
    for factor in (1.0, 1 / 255, 255.0):
        inputs = pixels(shape, eight, factor)
        sure = float(probabilities(module, inputs).max(1).min())
        yield f"| x{factor:.3g}: {_variation(features(module, torch.float32)(inputs)):.3f} {sure:.4f}"
    yield "|"
    yield from changed(module, shape, pictures)


def apart(encode: Callable[[torch.Tensor], np.ndarray], inputs: torch.Tensor) -> float:
    """Return how far the features of an example in a batch are from those alone, relative to the largest."""
    together, alone = encode(inputs), encode(inputs[:1])
    return float(np.abs(together[0] - alone[0]).max() / np.abs(together).max())


def features(module: nn.Module, kind: torch.dtype) -> Callable[[torch.Tensor], np.ndarray]:
    """Return what encodes inputs with a type of number: what enters the last layer, pooled."""

    def encode(inputs: torch.Tensor) -> np.ndarray:
        last = [layer for layer in module.modules() if isinstance(layer, (nn.Linear, nn.Conv2d))][-1]
        kept: list[torch.Tensor] = []
        hook = last.register_forward_pre_hook(lambda _, given: kept.append(given[0]))
        try:
            with torch.inference_mode():
                module.to(kind)(inputs.to(kind))
        finally:
            hook.remove()
            module.to(torch.float32)
        found = kept[-1].float()
        return (found.mean((2, 3)) if found.ndim == 4 else found.flatten(1)).double().numpy()

    return encode


def probabilities(module: nn.Module, inputs: torch.Tensor) -> np.ndarray:
    """Return class probabilities, or what the softmax of the outputs is."""
    with torch.inference_mode():
        out = module(inputs)
    out = out[-1] if isinstance(out, (tuple, list)) else out
    out = out.mean((2, 3)) if out.ndim == 4 else out.flatten(1)
    return torch.softmax(out.float(), 1).numpy()


def changed(
    module: nn.Module, shape: Mapping[str, Any], pictures: Mapping[str, list[tuple[str, Image.Image]]]
) -> Iterator[str]:
    """Yield the share of test predictions of a linear probe that features in 16 bits change."""
    some = {
        "train": pictures["train"][:: max(1, len(pictures["train"]) // TRAIN)],
        "test": pictures["test"][:TEST],
    }
    exact = {split: encoded(module, torch.float32, shape, rows) for split, rows in some.items()}
    scale = exact["train"].std(0) + 1e-6
    probe = LogisticRegression(max_iter=300).fit(exact["train"] / scale, [name for name, _ in some["train"]])
    expected = probe.predict(exact["test"] / scale)
    for kind in (torch.bfloat16, torch.float16):
        found = encoded(module, kind, shape, some["test"])
        yield f"{np.mean(probe.predict(np.nan_to_num(found) / scale) != expected):.3f}"


def encoded(
    module: nn.Module, kind: torch.dtype, shape: Mapping[str, Any], rows: list[tuple[str, Image.Image]]
) -> np.ndarray:
    encode = features(module, kind)
    batches = (rows[start : start + 32] for start in range(0, len(rows), 32))
    return np.concatenate([encode(pixels(shape, [image for _, image in batch])) for batch in batches])


def pixels(shape: Mapping[str, Any], images: list[Image.Image], factor: float = 1.0) -> torch.Tensor:
    """Return images as a model reads them; with a factor, as if their range were another."""
    grey = len(shape["mean"]) == 1
    size = (shape["size"], shape["size"]) if isinstance(shape["size"], int) else tuple(shape["size"])[-2:]
    arrays = [
        np.asarray(image.convert("L" if grey else "RGB").resize(size, Image.Resampling.BILINEAR), np.float32)
        for image in images
    ]
    stack = np.stack([array[..., None] if grey else array for array in arrays]) / 255 * factor
    return torch.from_numpy(
        ((stack - np.float32(shape["mean"])) / np.float32(shape["std"])).transpose(0, 3, 1, 2).copy()
    ).float()


def images(folder: Path) -> Iterator[tuple[str, Image.Image]]:
    """Yield the images of class folders with their classes, the classes mixed."""
    paths = sorted(path for path in folder.glob("*/*") if path.suffix in {".jpg", ".png"})
    for path in np.random.default_rng(0).permutation(np.array(paths, dtype=object)):
        yield path.parent.name, Image.open(path).convert("RGB")


if __name__ == "__main__":
    main()
