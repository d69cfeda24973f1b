"""Multilabel image classification from COCO annotations."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from assay.core.errors import UnreadableTask
from assay.core.paths import path_of
from assay.core.task import Task
from assay.core.task_source import TaskSource
from assay.readers.annotated_images import AnnotatedImage, ImageSettings, gather_annotated
from assay.readers.assembly import assemble
from assay.readers.coco_annotations import read_annotations
from assay.readers.gathering import ExampleLimits
from assay.readers.splits import Part, Shares, part_of

_ROBOFLOW = "_annotations.coco.json"
_PART = re.compile(r"(?:^|_)(train|val|valid|test)(?=\d|_|$)")


@dataclass(frozen=True, slots=True)
class Coco(TaskSource):
    """Multilabel image classification: the object categories in an image, from annotations in COCO format.

    In a folder, files such as ``annotations/instances_train2017.json`` or ``train/_annotations.coco.json``
    are the official splits. A single file is split at random.

    References:
        Microsoft COCO: Common Objects in Context (Lin et al., 2014), https://arxiv.org/abs/1405.0312

    Attributes:
        name: A folder, or an annotation file.
        images: The folder of the images; by default the folder of the annotations, or COCO's standard
            folder.
        unreadable: The maximum fraction of unreadable images; one is always allowed, unless this is 0.
        val: The fraction of val if there is no official split.
        test: The fraction of test if there is no official split.
        metric: The main metric; macro F1 by default.
        limit: The maximum number of images, stratified by official split; others are not read.
        train_limit: The maximum number of images of train and val; others are not read.
        pixel_range: The values that are black and white in images of 16 or 32 bits or floats, such as
            (0, 4095); by default one range found in all images of the task.

    >>> import json
    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> with TemporaryDirectory() as folder:
    ...     for row in range(10):
    ...         Image.new("RGB", (8, 8), (row, 0, 0)).save(Path(folder, f"{row}.png"))
    ...     content = {
    ...         "images": [{"id": row, "file_name": f"{row}.png"} for row in range(10)],
    ...         "annotations": [{"image_id": row, "category_id": row % 2} for row in range(10)],
    ...         "categories": [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}],
    ...     }
    ...     path = Path(folder, "labels.json")
    ...     _ = path.write_text(json.dumps(content))
    ...     task = Coco(str(path)).load("coco:labels.json", seed=0)
    >>> len(task.train), task.kind.value, task.classes
    (6, 'multilabel', ('cat', 'dog'))
    """

    images: str | None = None
    unreadable: float = 0.01
    val: float = 0.2
    test: float = 0.2
    metric: str | None = None
    limit: int | None = None
    train_limit: int | None = None
    pixel_range: tuple[float, float] | None = None

    summary: ClassVar[str] = "images with several categories each: annotations of COCO, in JSON"

    def load(self, address: str, seed: int) -> Task:
        """Read the annotations, and check every image once."""
        shares = Shares(self.val, self.test)
        path = path_of(self.name)
        if not path.exists():
            raise UnreadableTask(f"There is no file or folder '{path}'. Check the path after 'coco:'.")
        files = annotation_files(path) if path.is_dir() else [(path, None)]
        images = path_of(self.images) if self.images is not None else None
        read = [(read_annotations(file, images), part) for file, part in files]
        annotated = [
            AnnotatedImage(image.file, image.categories, part)
            for annotations, part in read
            for image in annotations.images
        ]
        limits = ExampleLimits(self.limit, self.train_limit)
        settings = ImageSettings(self.unreadable, limits, self.pixel_range)
        notes = (note for annotations, _ in read for note in annotations.notes)
        base = path if path.is_dir() else path.parent
        gathered = gather_annotated(annotated, base, settings, notes, seed)
        return assemble(gathered, address, shares=shares, metric=self.metric, seed=seed)


def annotation_files(folder: Path) -> list[tuple[Path, Part | None]]:
    """Return the annotation files below a folder with their splits.

    They are named like ``annotations/instances_train2017.json`` or ``train/_annotations.coco.json``; the only
    one, in the folder itself or called ``annotations/instances_default.json``, has no split.

    Raises:
        UnreadableTask: There are no annotation files.
    """
    files: list[tuple[Path, Part | None]] = []
    for path in sorted(folder.glob(f"*/{_ROBOFLOW}")):
        part = part_of(path.parent.name)
        if part is not None:
            files.append((path, part))
    for path in sorted((folder / "annotations").glob("instances_*.json")):
        found = _PART.search(path.stem)
        if found is not None:
            files.append((path, part_of(found[1]) or Part.TRAIN))
    named = (folder / _ROBOFLOW, *folder.glob("annotations/instances_*.json"))
    alone = [path for path in named if path.is_file()]
    if not files and len(alone) == 1:
        return [(alone[0], None)]
    if not files:
        raise UnreadableTask(
            f"'{folder}' has no annotations of COCO: neither annotations/instances_train2017.json nor "
            f"train/{_ROBOFLOW}. Name one file of annotations, as in coco:labels.json(images='./images')."
        )
    return files
