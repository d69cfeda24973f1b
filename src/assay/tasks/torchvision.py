"""Image classification with the data sets of torchvision."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from PIL import Image

from assay.core.errors import UnknownName, UnreadableTask
from assay.core.paths import path_of
from assay.core.task import Modality, Task
from assay.core.task_source import TaskSource
from assay.core.text import first_line
from assay.environment.offline import keep_offline
from assay.readers.assembly import assemble
from assay.readers.digests import digest_example
from assay.readers.files import FileExamples, FileState, FileSummary
from assay.readers.gathering import ExampleLimits, gather_files
from assay.readers.images import named_image_errors, to_rgb
from assay.readers.labelled_rows import LabelledRows
from assay.readers.labelling import class_labels
from assay.readers.near_duplicates import thumbnail
from assay.readers.splits import Part, Shares

Arguments = Mapping[Part | None, Mapping[str, object]]  # torchvision's arguments per split; None for all

_BOTH: Arguments = {Part.TRAIN: {"train": True}, Part.TEST: {"train": False}}
_TWO: Arguments = {Part.TRAIN: {"split": "train"}, Part.TEST: {"split": "test"}}
_THREE: Arguments = {**_TWO, Part.VAL: {"split": "val"}}
_TRAIN_VAL: Arguments = {Part.TRAIN: {"split": "train"}, Part.VAL: {"split": "val"}}
_ONE: Arguments = {None: {}}

_SETS: Mapping[str, Arguments] = {
    **dict.fromkeys(("CIFAR10", "CIFAR100", "FashionMNIST", "KMNIST", "MNIST", "QMNIST", "USPS"), _BOTH),
    **dict.fromkeys(("FER2013", "Food101", "GTSRB", "STL10", "SVHN", "StanfordCars"), _TWO),
    **dict.fromkeys(("DTD", "FGVCAircraft", "Flowers102", "PCAM", "RenderedSST2"), _THREE),
    **dict.fromkeys(("Caltech101", "Caltech256", "EuroSAT", "SEMEION", "SUN397"), _ONE),
    "CLEVRClassification": _TRAIN_VAL,  # classes are object counts; test has no labels
    "Country211": {**_TWO, Part.VAL: {"split": "valid"}},
    "EMNIST": {part: {"split": "balanced", **arguments} for part, arguments in _BOTH.items()},
    "Imagenette": _TRAIN_VAL,
    "OxfordIIITPet": {Part.TRAIN: {"split": "trainval"}, Part.TEST: {"split": "test"}},
    "Places365": {
        Part.TRAIN: {"split": "train-standard", "small": True},
        Part.VAL: {"split": "val", "small": True},
    },
}


@dataclass(frozen=True, slots=True)
class TorchvisionImages(FileExamples):
    """The images of torchvision's splits, concatenated."""

    splits: tuple[Any, ...]
    starts: np.ndarray  # the first row of each split
    titles: tuple[str, ...]

    modality: ClassVar[Modality] = Modality.IMAGE
    plural: ClassVar[str] = "images"

    def __len__(self) -> int:
        return sum(map(len, self.splits))

    def read(self, row: int) -> np.ndarray:
        """Return one image, height x width x 3, uint8."""
        split, position = self._position(row)
        return to_rgb(self.splits[split][position][0])

    def look(self, row: int) -> FileSummary:
        """Return the hash of the image's pixels, and its thumbnail."""
        with named_image_errors():
            pixels = self.read(row)
        return FileSummary(digest_example(pixels), thumbnail(Image.fromarray(pixels)))

    def name(self, row: int) -> str:
        """Return the split and the image's number in it."""
        split, position = self._position(row)
        return f"{self.titles[split]} {position}"

    def state(self, row: int) -> FileState | None:
        """Return None: where an image lies is known to torchvision alone."""
        return None

    def _position(self, row: int) -> tuple[int, int]:
        split = int(np.searchsorted(self.starts, row, side="right")) - 1
        return split, row - int(self.starts[split])


@dataclass(frozen=True, slots=True)
class Torchvision(TaskSource):
    """Data sets of torchvision with their official splits.

    If the test labels are not public, val is used as test. ``download`` must be true to download data.

    Attributes:
        name: The torchvision name: ``CIFAR10``, ``DTD``, ``OxfordIIITPet``, ...
        root: The folder of torchvision's data.
        download: Whether torchvision may download the data to it.
        val: The fraction of val if there is no official split.
        test: The fraction of test if there is no official split.
        metric: The main metric; accuracy.
        limit: The maximum number of images, stratified by class and official split.
        train_limit: The maximum number of images of train and val; VTAB-1k allows 1000.
        unreadable: The maximum fraction of unreadable images; one is always allowed, unless this is 0.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     for row in range(20):
    ...         path = Path(folder, "eurosat", "2750", "River" if row % 2 else "Forest", f"{row}.png")
    ...         path.parent.mkdir(parents=True, exist_ok=True)
    ...         Image.new("RGB", (8, 8), (row, 0, 0)).save(path)
    ...     task = Torchvision("EuroSAT", root=folder).load("torchvision:EuroSAT", seed=0)
    >>> len(task.train), len(task.val), len(task.test), task.classes
    (12, 4, 4, ('Forest', 'River'))
    """

    root: str = "data"
    download: bool = False
    val: float = 0.2
    test: float = 0.2
    metric: str | None = None
    limit: int | None = None
    train_limit: int | None = None
    unreadable: float = 0.01

    summary: ClassVar[str] = "data sets of torchvision: CIFAR10, DTD, Flowers102, OxfordIIITPet, SVHN, ..."
    packages: ClassVar[tuple[str, ...]] = ("torchvision",)

    def load(self, address: str, seed: int) -> Task:
        """Open every split and check every image once."""
        if self.name not in _SETS:
            raise UnknownName("classification data set of torchvision", self.name, _SETS)
        shares = Shares(self.val, self.test)
        parts = _SETS[self.name]
        splits = tuple(self._open(arguments) for arguments in parts.values())
        sizes = [len(split) for split in splits]
        titles = tuple(self.name if part is None else part.name.lower() for part in parts)
        images = TorchvisionImages(splits, np.cumsum([0, *sizes[:-1]]), titles)
        codes = np.concatenate([_codes(split) for split in splits])
        official = None if None in parts else np.repeat([int(part or 0) for part in parts], sizes)
        labels = class_labels(_class_names(codes, _names(splits[0])))
        gathered = gather_files(
            images, LabelledRows(np.arange(len(codes)), labels, official), self.unreadable
        )
        limits = ExampleLimits(self.limit, self.train_limit)
        return assemble(gathered, address, shares=shares, metric=self.metric, seed=seed, limits=limits)

    def _open(self, arguments: Mapping[str, object]) -> Any:
        root = path_of(self.root)
        kept = str(root.absolute())  # a model may change the current folder
        if not self.download and not root.is_dir():
            raise UnreadableTask(f"There is no folder '{root}'. {self._advice()}")
        keep_offline()
        try:
            datasets = importlib.import_module("torchvision.datasets")
            return getattr(datasets, self.name)(kept, download=self.download, **dict(arguments))
        except (RuntimeError, OSError) as error:
            raise UnreadableTask(
                f"torchvision finds no {self.name} in '{root}': {first_line(error)}. {self._advice()}"
            ) from error

    def _advice(self) -> str:
        return (
            f"Write torchvision:{self.name}(root='...') with the folder that holds it, or download=True to "
            "download it there."
        )


def _codes(split: Any) -> np.ndarray:
    """Return torchvision's class index of each image, decoding images only if necessary."""
    for name in ("targets", "_labels", "labels", "y"):
        codes = getattr(split, name, None)
        if codes is not None and len(codes) == len(split):
            return np.asarray(codes).astype(np.int64).ravel()
    samples = getattr(split, "_samples", getattr(split, "samples", None))
    if samples is not None:
        return np.array([label for _, label in samples], dtype=np.int64)
    return np.array([split[row][1] for row in range(len(split))], dtype=np.int64)


def _names(split: Any) -> Sequence[str]:
    """Return the names of the classes; empty if torchvision has none."""
    names = getattr(split, "classes", None) or getattr(split, "categories", None) or ()
    return [name if isinstance(name, str) else " ".join(map(str, name)) for name in names]


def _class_names(codes: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Return the class name of each image; its index if torchvision has no names."""
    numbers, values = np.unique(codes, return_inverse=True)
    known = len(names) > int(numbers.max(initial=0)) and len(set(names)) == len(names)
    width = len(str(numbers.max(initial=0)))
    return np.array([names[number] if known else f"{number:0{width}}" for number in numbers])[values]
