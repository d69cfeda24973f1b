"""Images with any number of categories each, as annotations of COCO list them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

import numpy as np

from assay.core.errors import UnreadableTask
from assay.core.task import Labels, Task, TaskSource
from assay.readers.assembly import assemble
from assay.readers.gathering import ExampleLimits, gather_images, rows_within
from assay.readers.images import ImageFiles
from assay.readers.splits import Shares
from assay.readers.texts import digest_texts
from assay.tasks.coco.files import annotation_files, category_labels, read_annotations


@dataclass(frozen=True, slots=True)
class Coco(TaskSource):
    """Which categories stand in an image? From annotations of objects that COCO, Roboflow and others write.

    Of a folder ``annotations/instances_train2017.json`` and its like, or ``train/_annotations.coco.json``,
    are the official splits. One file alone is cut.

    References:
        Microsoft COCO: Common Objects in Context (Lin et al., 2014), https://arxiv.org/abs/1405.0312

    Attributes:
        name: A folder, or a file of annotations.
        images: The folder of the images; else they are looked for beside the annotations, and where COCO has
            them.
        unreadable: The share of images that may be broken; one may always be, unless this is 0.
        val: The share of val where there is no official split.
        test: The share of test where there is no official split.
        metric: The main metric; macro F1.
        limit: At most so many images, the same share of each official split; the others are not read.
        train_limit: At most so many images of train and val; the others are not read.
    """

    images: str | None = None
    unreadable: float = 0.01
    val: float = 0.2
    test: float = 0.2
    metric: str | None = None
    limit: int | None = None
    train_limit: int | None = None

    summary: ClassVar[str] = "images with several categories each: annotations of COCO, in JSON"

    def load(self, address: str, seed: int) -> Task:
        """Read the annotations, and every image once."""
        shares = Shares(self.val, self.test)
        path = Path(self.name).expanduser()
        if not path.exists():
            raise UnreadableTask(f"There is no file or folder '{path}'. Check the path after 'coco:'.")
        files = annotation_files(path) if path.is_dir() else [(path, None)]
        images = Path(self.images).expanduser() if self.images is not None else None
        found = [(one, part) for file, part in files for one in read_annotations(file, images)]
        labels = category_labels([one.categories for one, _ in found])
        given = (
            None if len({part for _, part in files}) == 1 else np.array([int(part or 0) for _, part in found])
        )
        base = path if path.is_dir() else path.parent
        names = tuple(_below(base, one.file) for one, _ in found)
        limits = ExampleLimits(self.limit, self.train_limit)
        rows = rows_within(digest_texts(names), labels, given, limits, seed)
        files_kept = ImageFiles(base, tuple(names[row] for row in rows))
        parts = None if given is None else given[rows]
        gathered = gather_images(files_kept, labels.of(rows), parts, self.unreadable)
        gathered = replace(gathered, notes=(*_empty_note(labels.of(rows)), *gathered.notes))
        return assemble(gathered, address, shares=shares, metric=self.metric, seed=seed)


def _below(base: Path, file: Path) -> str:
    return file.relative_to(base).as_posix() if file.is_relative_to(base) else str(file.resolve())


def _empty_note(labels: Labels) -> tuple[str, ...]:
    none = int((labels.values.sum(axis=1) == 0).sum())
    return (
        (f"{none} of {len(labels)} images have no annotation: no category applies to them.",) if none else ()
    )
