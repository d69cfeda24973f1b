"""Builds multilabel tasks from images with the categories of the objects in them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from assay.core.task import Labels
from assay.readers.files import FolderFiles
from assay.readers.gathering import ExampleLimits, Gathered, gather_files, limit_files
from assay.readers.images import StoredImages
from assay.readers.labelled_rows import LabelledRows
from assay.readers.labelling import multilabel_labels
from assay.readers.pixel_values import parse_range
from assay.readers.splits import Part


class AnnotatedImage(NamedTuple):
    """An image with the names of its categories, and its official split, if it has one."""

    file: Path
    categories: Iterable[str]
    part: Part | None = None


class ImageSettings(NamedTuple):
    """The user's settings of a task of annotated images, as the task sources explain them."""

    unreadable: float
    limits: ExampleLimits
    pixel_range: tuple[float, float] | None


def gather_annotated(
    images: Sequence[AnnotatedImage], base: Path, settings: ImageSettings, notes: Iterable[str], seed: int
) -> Gathered:
    """Check the images and return them with their categories; splits count where there are two or more."""
    labels = multilabel_labels([image.categories for image in images])
    is_split = len({image.part for image in images}) > 1
    official = np.array([int(image.part or 0) for image in images]) if is_split else None
    names = tuple(_below(base, image.file) for image in images)
    stored = StoredImages(FolderFiles(base, names), given=parse_range(settings.pixel_range))
    labelled = LabelledRows(np.arange(len(names)), labels, official)
    labelled = limit_files(stored, labelled, settings.limits, seed)
    labelled = replace(labelled, notes=(*notes, *_empty_note(labelled.labels)))
    return gather_files(stored, labelled, settings.unreadable)


def _below(base: Path, file: Path) -> str:
    return file.relative_to(base).as_posix() if file.is_relative_to(base) else str(file.resolve())


def _empty_note(labels: Labels) -> tuple[str, ...]:
    none = int((labels.values.sum(axis=1) == 0).sum())
    return (
        (f"{none} of {len(labels)} images have no annotation: no category applies to them.",) if none else ()
    )
