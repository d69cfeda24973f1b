"""Reads images with YOLO label files, which have a line for each object: its class and its box."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from assay.core.errors import MissingPackage, UnreadableTask
from assay.readers.annotated_images import AnnotatedImage
from assay.readers.escaped_names import shown_name
from assay.readers.files import is_file
from assay.readers.images import is_image
from assay.readers.scanning import Scan
from assay.readers.split_names import consistent, split_folder

_IMAGES, _LABELS = "images", "labels"
_DIGITS = 9  # of the number of a class
_NAMES = ("classes.txt", "labels/classes.txt", "obj.names", "classes.names")


def read_yolo(folder: Path) -> tuple[list[AnnotatedImage], tuple[str, ...]]:
    """Return the images below folders called images, with the classes in the files below labels; and notes.

    Folders named after splits, above or below images, are the official splits.

    Raises:
        UnreadableTask: There are no label files, or one is broken.
    """
    scan = Scan(folder, is_image)
    images = [
        path.relative_to(folder) / name
        for top in scan.list(folder).folders
        for path, listing in scan.walk(top)
        if _IMAGES in path.relative_to(folder).parts
        for name in listing.files
    ]
    labels = {image: folder / _label_file(image) for image in images}
    if not any(label.is_file() for label in labels.values()):
        raise UnreadableTask(
            f"'{shown_name(str(folder))}' has no labels of YOLO: images lie in a folder 'images', as in "
            "images/train/1.jpg, and the boxes of each in a text file, as in labels/train/1.txt."
        )
    names = _class_names(folder)
    splits = {image: _split(image) for image in images}
    parts = consistent({split for split in splits.values() if split is not None})
    annotated = [
        AnnotatedImage(folder / image, _categories(label, names), None if split is None else parts[split])
        for image, label in sorted(labels.items())
        for split in [splits[image]]
    ]
    unnamed = (
        () if names else ("No file names the classes of YOLO, such as data.yaml: they are numbers here.",)
    )
    return annotated, (*unnamed, *scan.notes())


def _label_file(image: Path) -> Path:
    """Return where YOLO looks for the labels of an image: the last folder "images" is "labels"."""
    parts = list(image.parts)
    last = len(parts) - 1 - parts[::-1].index(_IMAGES)
    return Path(*parts[:last], _LABELS, *parts[last + 1 :]).with_suffix(".txt")


def _split(image: Path) -> Any:
    return next((split for part in image.parts[:-1] if (split := split_folder(part)) is not None), None)


def _categories(file: Path, names: Mapping[int, str]) -> set[str]:
    """Return the classes of the objects in an image; it has none without a file."""
    if not file.is_file():
        return set()
    found = set()
    for number, line in enumerate(file.read_text("utf-8", errors="replace").splitlines(), 1):
        if not line.strip():
            continue
        word = re.sub(r"\.0*$", "", line.split()[0])  # some tools write all numbers as floats
        if not _is_number(word) or (names and int(word) not in names):
            raise UnreadableTask(
                f"{file}, line {number}: '{word[:20]}' is not the number of a class"
                f"{f' below {len(names)}' if names else ''}. Export the labels again."
            )
        found.add(names.get(int(word), word))
    return found


def _class_names(folder: Path) -> dict[int, str]:
    """Return the names of the classes by number, from the YAML file or a list; empty without one."""
    for path in filter(is_file, sorted((*folder.glob("*.yaml"), *folder.glob("*.yml")))):
        names = _of_yaml(path)
        if names:
            return names
    for name in _NAMES:
        if (folder / name).is_file():
            return dict(enumerate((folder / name).read_text("utf-8", "replace").split("\n")))
    return {}


def _of_yaml(path: Path) -> dict[int, str]:
    try:
        import yaml
    except ImportError as error:
        raise MissingPackage("yolo", "pyyaml") from error
    try:
        content = yaml.safe_load(path.read_bytes())
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise UnreadableTask(f"{path} is not YAML: {error}. Export it again.") from error
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, Sequence) and not isinstance(names, str):
        names = dict(enumerate(names))
    if not isinstance(names, dict):
        return {}
    if not all(
        _is_number(str(number)) and isinstance(name, str | int | float) for number, name in names.items()
    ):
        raise UnreadableTask(
            f"The names in {path} are not one for each number. Write names: {{0: cat, 1: dog}}."
        )
    return {int(number): str(name) for number, name in names.items()}


def _is_number(word: str) -> bool:
    return word.isdecimal() and len(word) <= _DIGITS
