"""Image classification of patches of scikit-image's photographs, without a download."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image

from assay.core.errors import MissingPackage, UnknownName, UsageError
from assay.core.task import LabelKind, Labels, Task
from assay.core.task_source import TaskSource
from assay.readers.assembly import assemble
from assay.readers.gathering import gather_in_memory
from assay.readers.splits import Part, Shares

# photographs included in every release since 0.22
_PHOTOGRAPHS = {
    "astronaut": "astronaut.png",
    "brick": "brick.png",
    "camera": "camera.png",
    "cat": "chelsea.png",
    "coffee": "coffee.png",
    "coins": "coins.png",
    "grass": "grass.png",
    "gravel": "gravel.png",
    "motorcycle": "motorcycle_left.png",
    "retina": "retina.jpg",
    "rocket": "rocket.jpg",
    "tissue": "ihc.png",
}
_HEIGHT = 300  # all photographs are resized to this height, so that sharpness does not identify them
_MEAN, _SPREAD = 128.0, 48.0  # of every patch, so that brightness and contrast do not identify them
_FLAT = 2.0  # minimum spread (in grey levels of 255); patches of plain sky have less
_TRIES = 100


@dataclass(frozen=True, slots=True)
class Skimage(TaskSource):
    """``patches``: classification of small grey patches by their photograph.

    Train, val and test come from the left, the middle and the right of each photograph, which do not
    overlap. Patches are grey, with equal brightness and contrast, randomly rotated and mirrored.

    Attributes:
        name: ``patches``.
        size: The side of a patch in pixels, from photographs 300 pixels high.
        per_class: The number of patches per photograph.
        val: The fraction of val, and of the width of each photograph.
        test: The fraction of test, and of the width of each photograph.
        metric: The main metric; accuracy.

    >>> task = Skimage("patches", per_class=5).load("skimage:patches", seed=0)
    >>> len(task.train), task.train.examples.read(0).shape
    (36, (40, 40, 3))
    """

    size: int = 40
    per_class: int = 100
    val: float = 0.2
    test: float = 0.2
    metric: str | None = None

    summary: ClassVar[str] = "patches of the photographs inside scikit-image: patches"
    packages: ClassVar[tuple[str, ...]] = ("skimage",)

    def load(self, address: str, seed: int) -> Task:
        """Read the photographs from the installed package, and crop patches by the seed."""
        shares = Shares(self.val, self.test)
        if self.name != "patches":
            raise UnknownName("image set of scikit-image", self.name, ("patches",))
        counts = shares.counts(self.per_class)
        rng = np.random.default_rng(seed)
        patches, names, values, parts = [], [], [], []
        for value, (name, file) in enumerate(sorted(_PHOTOGRAPHS.items())):
            grey = _photograph(file)
            for part, band in self._bands(name, grey).items():
                for number in range(counts[part]):
                    patches.append(_patch(band, self.size, rng))
                    names.append(f"{name} {part.name.lower()} {number}")
                    values.append(value)
                    parts.append(part)
        labels = Labels(LabelKind.CLASSIFICATION, np.array(values), tuple(sorted(_PHOTOGRAPHS)))
        gathered = gather_in_memory(patches, names, labels, np.array(parts))
        return assemble(gathered, address, shares=shares, metric=self.metric, seed=seed)

    def _bands(self, name: str, grey: np.ndarray) -> dict[Part, np.ndarray]:
        """Return disjoint vertical bands: left for train, middle for val, right for test."""
        width = grey.shape[1]
        first, second = round(width * (1 - self.val - self.test)), round(width * (1 - self.test))
        bands = {Part.TRAIN: grey[:, :first], Part.VAL: grey[:, first:second], Part.TEST: grey[:, second:]}
        room = min(min(band.shape) for band in bands.values())
        if not 8 <= self.size <= room:
            raise UsageError(
                f"size={self.size} does not fit: the narrowest part of '{name}' has {room} pixels. "
                f"Write a size of 8 to {room}, or larger val and test."
            )
        return bands


def _photograph(file: str) -> np.ndarray:
    package = importlib.util.find_spec("skimage")
    folders = [] if package is None else [Path(folder) for folder in package.submodule_search_locations or ()]
    paths = [folder / "data" / file for folder in folders if (folder / "data" / file).is_file()]
    if not paths:
        raise MissingPackage("skimage", "scikit-image")
    with Image.open(paths[0]) as image:
        grey = image.convert("L")
        width = round(grey.width * _HEIGHT / grey.height)
        return np.array(grey.resize((width, _HEIGHT), Image.Resampling.LANCZOS))


def _patch(band: np.ndarray, size: int, rng: np.random.Generator) -> np.ndarray:
    """Crop a non-flat square, rotate and mirror it, and normalise its brightness and contrast."""
    for _ in range(_TRIES):
        top = rng.integers(band.shape[0] - size + 1)
        left = rng.integers(band.shape[1] - size + 1)
        patch = band[top : top + size, left : left + size].astype(np.float64)
        if patch.std() >= _FLAT:
            break
    patch = np.rot90(patch, int(rng.integers(4)))
    patch = patch[:, ::-1] if rng.integers(2) else patch
    levelled = _MEAN + _SPREAD * (patch - patch.mean()) / max(patch.std(), _FLAT)
    grey: np.ndarray = np.clip(np.rint(levelled), 0, 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)
