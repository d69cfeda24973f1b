"""Multilabel image classification from YOLO label files."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from assay.core.errors import UnreadableTask
from assay.core.paths import path_of
from assay.core.task import Task
from assay.core.task_source import TaskSource
from assay.readers.annotated_images import ImageSettings, gather_annotated
from assay.readers.assembly import assemble
from assay.readers.gathering import ExampleLimits
from assay.readers.splits import Shares
from assay.readers.yolo_labels import read_yolo


@dataclass(frozen=True, slots=True)
class Yolo(TaskSource):
    r"""Multilabel image classification: the object classes in an image, from label files of YOLO.

    Images lie in folders called images, as in ``images/train/1.jpg`` or ``train/images/1.jpg``, and the boxes
    of each in a file of that name in labels. ``data.yaml`` or ``classes.txt`` names the classes.

    References:
        https://docs.ultralytics.com/datasets/detect

    Attributes:
        name: A folder.
        unreadable: The maximum fraction of unreadable images; one is always allowed, unless this is 0.
        val: The fraction of val if there is no official split.
        test: The fraction of test if there is no official split.
        metric: The main metric; macro F1 by default.
        limit: The maximum number of images, stratified by official split; others are not read.
        train_limit: The maximum number of images of train and val; others are not read.
        pixel_range: The values that are black and white in images of 16 or 32 bits or floats, such as
            (0, 4095); by default one range found in all images of the task.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> with TemporaryDirectory() as folder:
    ...     for name in ("images", "labels"):
    ...         Path(folder, name).mkdir()
    ...     for row in range(10):
    ...         Image.new("RGB", (8, 8), (row, 0, 0)).save(Path(folder, "images", f"{row}.png"))
    ...         _ = Path(folder, "labels", f"{row}.txt").write_text(f"{row % 2} 0.5 0.5 0.1 0.1")
    ...     _ = Path(folder, "classes.txt").write_text("cat\ndog")
    ...     task = Yolo(folder).load("yolo:folder", seed=0)
    >>> len(task.train), task.kind.value, task.classes
    (6, 'multilabel', ('cat', 'dog'))
    """

    unreadable: float = 0.01
    val: float = 0.2
    test: float = 0.2
    metric: str | None = None
    limit: int | None = None
    train_limit: int | None = None
    pixel_range: tuple[float, float] | None = None

    summary: ClassVar[str] = "images with several object classes each: label files of YOLO"

    def load(self, address: str, seed: int) -> Task:
        """Read the label files, and check every image once."""
        folder = path_of(self.name)
        if not folder.is_dir():
            raise UnreadableTask(f"There is no folder '{folder}'. Check the path after 'yolo:'.")
        images, notes = read_yolo(folder)
        settings = ImageSettings(
            self.unreadable, ExampleLimits(self.limit, self.train_limit), self.pixel_range
        )
        gathered = gather_annotated(images, folder, settings, notes, seed)
        return assemble(gathered, address, shares=Shares(self.val, self.test), metric=self.metric, seed=seed)
