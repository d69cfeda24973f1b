"""ImageNet and its subsets, from class folders or the distributed tar files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from assay.core.errors import UnknownName, UnreadableTask
from assay.core.paths import path_of
from assay.core.task import LabelKind, Labels, Task
from assay.core.task_source import TaskSource
from assay.readers.assembly import assemble, assemble_test
from assay.readers.gathering import ExampleLimits, Gathered, gather_files, limit_files
from assay.readers.imagenet_classes import class_name, imagenet_classes
from assay.readers.images import StoredImages
from assay.readers.labelled_rows import LabelledRows
from assay.readers.splits import Part, Shares, in_words
from assay.tasks.imagenet.files import (
    TRAIN_TAR,
    JoinedFiles,
    SynsetFiles,
    find_sample,
    find_train,
    find_val,
)

_FORGOTTEN = 50  # up to this many missing classes of 1,000 are unintentional, not a subset
_SHOWN = 5  # maximum number of names in a note
_TEST_ONLY = "There is no train: only what learns nothing applies, such as own_head."


@dataclass(frozen=True, slots=True)
class Imagenet(TaskSource):
    """Images of WordNet classes, as in ILSVRC 2012.

    ``train`` and ``val`` are class folders, or the distributed files ILSVRC2012_img_train.tar,
    ILSVRC2012_img_val.tar and ILSVRC2012_devkit_t12.tar.gz, which are read without unpacking. Without class
    folders the classes of val come from the development kit or from Kaggle's LOC_val_solution.csv. A subset
    has fewer class folders. A folder of images such as ``n01440764_tench.JPEG`` is a test set only.

    The classes are sorted by WordNet number, as in the heads of torchvision and timm. The test labels are
    hidden, so the official val is used as test and a part of train as val.

    References:
        ImageNet Large Scale Visual Recognition Challenge (Russakovsky et al., 2015),
        https://arxiv.org/abs/1409.0575

    Attributes:
        name: The folder.
        classes: The classes to use, as in ('n01440764', 'n01443537'); all by default.
        unreadable: The maximum fraction of unreadable images; one is always allowed, unless this is 0.
        val: The fraction of train used as val.
        metric: The main metric; accuracy.
        limit: The maximum number of images, stratified by class and split; others are not read.
        train_limit: The maximum number of images of train and val; others are not read.

    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("n01440764_tench.JPEG", "n01443537_goldfish.JPEG"):
    ...         Image.new("RGB", (8, 8)).save(Path(folder, name))
    ...     task = Imagenet(folder).load("imagenet:samples", seed=0)
    >>> len(task.train), len(task.test), task.classes
    (0, 2, ('n01440764 tench', 'n01443537 goldfish'))
    """

    classes: tuple[str, ...] | None = None
    unreadable: float = 0.01
    val: float = 0.02
    metric: str | None = None
    limit: int | None = None
    train_limit: int | None = None

    summary: ClassVar[str] = "ImageNet and its subsets: class folders, or the tar files as distributed"

    def load(self, address: str, seed: int) -> Task:
        """Read and check every image once, in class folders or in the tar files."""
        shares = Shares(self.val)
        folder = path_of(self.name)
        if not folder.is_dir():
            raise UnreadableTask(f"There is no folder '{folder}'. Check the path after 'imagenet:'.")
        train, val = find_train(folder), find_val(folder)
        if train is not None and val is not None:
            _require_same_classes(folder, set(train.synsets), set(val.synsets), self.classes)
            both = SynsetFiles(JoinedFiles(train.files, val.files), (*train.synsets, *val.synsets))
            parts = np.repeat([Part.TRAIN, Part.VAL], [len(train.synsets), len(val.synsets)])
            gathered = self._gather(both, parts, seed)
            return assemble(gathered, address, shares=shares, metric=self.metric, seed=seed)
        test = val or find_sample(folder)
        if train is not None or test is None:
            raise _nothing_found(folder, lacking="val" if train is not None else "train and val")
        gathered = self._gather(test, np.full(len(test.synsets), Part.TEST), seed, (_TEST_ONLY,))
        return assemble_test(gathered, address, metric=self.metric)

    def _gather(
        self, images: SynsetFiles, parts: np.ndarray, seed: int, notes: tuple[str, ...] = ()
    ) -> Gathered:
        """Select classes and images, and read the selected images."""
        synsets = np.array(images.synsets)
        rows = np.arange(len(synsets))
        if self.classes is not None:
            _require_known(self.classes, synsets)
            rows = np.flatnonzero(np.isin(synsets, self.classes))
        stored = StoredImages(images.files)
        labelled = LabelledRows(rows, _labels(synsets[rows]), parts[rows])
        labelled = limit_files(stored, labelled, ExampleLimits(self.limit, self.train_limit), seed)
        labelled = replace(labelled, notes=(*notes, *_subset_note(labelled.labels)))
        return gather_files(stored, labelled, self.unreadable)


def _labels(synsets: np.ndarray) -> Labels:
    classes, values = np.unique(synsets, return_inverse=True)
    return Labels(LabelKind.CLASSIFICATION, values, tuple(class_name(str(synset)) for synset in classes))


def _subset_note(labels: Labels) -> tuple[str, ...]:
    whole = {class_name(synset) for synset in imagenet_classes()}
    missing = sorted(whole.difference(labels.classes))
    if not missing:
        return ()
    text = f"It has {len(labels.classes):,} classes, not the {len(whole):,} of ILSVRC"
    if len(missing) > _FORGOTTEN:  # an intentional subset
        return (f"{text}.",)
    lacking = ", ".join(missing[:_SHOWN]) + (", ..." if len(missing) > _SHOWN else "")
    return (f"{text}: no folder holds {lacking}.",)


def _require_known(classes: Sequence[str], synsets: np.ndarray) -> None:
    known = {str(synset) for synset in np.unique(synsets)}
    for name in classes:
        if name not in known:
            raise UnknownName("class of this ImageNet", str(name), known)


def _require_same_classes(folder: Path, train: set[str], val: set[str], wanted: Sequence[str] | None) -> None:
    """Raise if a class folder is missing in train or test."""
    kept = (train | val) & set(wanted) if wanted is not None else train | val
    for part, there in (("train", train), ("val", val)):
        missing = sorted(kept - there)
        if missing:
            have = "has" if len(missing) == 1 else "have"
            first = missing[0]
            source = f"Unpack {first}.tar of {TRAIN_TAR}" if part == "train" else "Put its images of val"
            both = tuple(sorted(train & val)[:2])
            subset = f", or name the classes that are wanted, as in classes={both}" if len(both) > 1 else ""
            raise UnreadableTask(
                f"{in_words(missing, 'class', 'classes')} {have} no images in {part} of '{folder}'. "
                f"{source} into {part}/{first}{subset}."
            )


def _nothing_found(folder: Path, lacking: str) -> UnreadableTask:
    return UnreadableTask(
        f"'{folder}' has no {lacking} of ImageNet: neither class folders, as in val/n01440764, nor "
        "ILSVRC2012_img_val.tar with ILSVRC2012_devkit_t12.tar.gz. Name the folder in which they lie."
    )
