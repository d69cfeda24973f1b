"""Recognises folders of detection and segmentation data, and explains what to write instead."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from assay.readers.escaped_names import shown_name
from assay.readers.formats.suffixes import SUFFIXES

_IMAGES = frozenset(
    {
        "images", "image", "imgs", "img", "jpegimages", "leftimg8bit", "photos", "rgb",
        "audio", "audios", "wav", "wavs", "sounds", "clips", "recordings",
    }
)  # fmt: skip
_MASKS = frozenset(
    {"masks", "mask", "segmentation", "segmentations", "segmentationclass", "segmentationobject", "gtfine"}
)
_BESIDE = frozenset(
    {"labels", "label", "annotations", "annotation", "annots", "bboxes", "imagesets", "trimaps"}
)
_LOOKED_AT = 20_000  # files by which annotations are found
_LIST = "list the images in labels.csv with the columns file and label"
LIST_THEM = f"{_LIST[0].upper()}{_LIST[1:]}."


def are_no_classes(classes: Collection[str]) -> bool:
    """Return whether the folders that hold images are those of a data set with annotations.

    >>> are_no_classes({"images", "masks"}), are_no_classes({"masks", "gloves"})
    (True, False)
    """
    names = {name.casefold() for name in classes}
    return bool(names & _IMAGES) and names <= _IMAGES | _MASKS | _BESIDE


def hold_annotations(folders: Iterable[Path]) -> bool:
    """Return whether one of some folders is called like those of annotations or masks."""
    return not (_BESIDE | _MASKS).isdisjoint(path.name.casefold() for path in folders)


def found_annotations(folder: Path, classes: Collection[str] = ()) -> str:
    """Return a sentence about the annotations in a folder, with what to write; empty if there are none.

    Args:
        folder: The folder of the task.
        classes: The names of the folders that hold images.
    """
    shown = shown_name(str(folder))
    files = list(_files(folder))
    if any(file.name == "_annotations.coco.json" or file.match("instances_*.json") for file in files):
        return f"It has annotations of COCO: write coco:{shown} for the categories in each image."
    boxes = [file.parent for file in files if file.suffix == ".txt" and file.parent.name != folder.name]
    if any("labels" in path.relative_to(folder).parts for path in boxes):
        return f"It has boxes of YOLO: write yolo:{shown} for the object classes in each image."
    if any(file.suffix == ".xml" for file in files):
        return f"It has boxes of Pascal VOC in XML, and Assay has no task for them: {_LIST}."
    if {name.casefold() for name in classes} & _MASKS:
        return f"It has masks of segmentation, which is not a task of Assay: {_LIST}."
    return ""


def table_beside(folder: Path) -> str:
    """Return what to write if a table in the folder may list the images; empty without one."""
    files = (path.relative_to(folder).as_posix() for path in (*folder.iterdir(), *folder.glob("*/*")))
    tables = sorted((name for name in files if name.lower().endswith(SUFFIXES)), key=lambda name: "/" in name)
    named = next((name for name in tables if "train" in name.lower()), tables[0] if tables else "")
    return f"If '{named}' lists them with their labels, write labels='{named}'." if named else ""


def _files(folder: Path) -> Iterator[Path]:
    count = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            yield Path(parent, name)
        count += len(names)
        if count > _LOOKED_AT:
            return
