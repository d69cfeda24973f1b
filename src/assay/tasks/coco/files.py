"""Annotations as COCO writes them: which categories stand in each image."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from assay.core.errors import UnreadableTask
from assay.core.task import Kind, Labels
from assay.readers.splits import Part, part_of

_ROBOFLOW = "_annotations.coco.json"
_PART = re.compile(r"(?:^|_)(train|val|valid|test)(?=\d|_|$)")


class Annotated(NamedTuple):
    """An image with the names of the categories in it."""

    file: Path
    categories: frozenset[str]


def annotation_files(folder: Path) -> list[tuple[Path, Part]]:
    """Return the files of annotations below a folder with their splits.

    They are ``annotations/instances_train2017.json`` and its like, or ``train/_annotations.coco.json``.

    Raises:
        UnreadableTask: There are none.
    """
    found = []
    for path in sorted(folder.glob(f"*/{_ROBOFLOW}")):
        part = part_of(path.parent.name)
        if part is not None:
            found.append((path, part))
    for path in sorted((folder / "annotations").glob("instances_*.json")):
        named = _PART.search(path.stem)
        if named is not None:
            found.append((path, part_of(named[1]) or Part.TRAIN))
    if not found:
        raise UnreadableTask(
            f"'{folder}' has no annotations of COCO: neither annotations/instances_train2017.json nor "
            f"train/{_ROBOFLOW}. Name one file of annotations, as in coco:labels.json(images='./images')."
        )
    return found


def read_annotations(path: Path, images: Path | None) -> list[Annotated]:
    """Return the images of a file of annotations; an image without annotations has no category.

    Args:
        path: The file.
        images: Where its images lie; None to look beside it, and where COCO has them.

    Raises:
        UnreadableTask: The file is broken, or names what it does not have.
    """
    told = _read(path)
    categories = {one["id"]: str(one["name"]) for one in told["categories"]}
    if len(set(categories.values())) < len(categories):
        raise UnreadableTask(f"{path.name} has two categories of one name. Rename one of them.")
    names = {one["id"]: str(one["file_name"]) for one in told["images"]}
    if not names:
        raise UnreadableTask(f"{path.name} has no images.")
    found: dict[Any, set[str]] = {number: set() for number in names}
    for one in told["annotations"]:
        if one["image_id"] not in found or one["category_id"] not in categories:
            raise UnreadableTask(
                f"{path.name}: an annotation names image {one['image_id']} and category "
                f"{one['category_id']}, and the file has not both. Export it again."
            )
        found[one["image_id"]].add(categories[one["category_id"]])
    place = _place(path, next(iter(names.values())), images)
    return [Annotated(place / names[number], frozenset(some)) for number, some in found.items()]


def category_labels(sets: Sequence[Iterable[str]]) -> Labels:
    """Return which categories each image has: any number of all that there are."""
    classes = sorted({name for one in sets for name in one})
    place = {name: number for number, name in enumerate(classes)}
    hot = np.zeros((len(sets), len(classes)), dtype=np.int64)
    for row, one in enumerate(sets):
        hot[row, [place[name] for name in one]] = 1
    return Labels(Kind.MULTILABEL, hot, tuple(classes))


def _read(path: Path) -> dict[str, list[dict[str, Any]]]:
    try:
        told = json.loads(path.read_bytes())
    except (ValueError, UnicodeDecodeError) as error:
        raise UnreadableTask(f"{path} is not JSON: {error}. Download or export it again.") from error
    needed = {
        "images": ("id", "file_name"),
        "annotations": ("image_id", "category_id"),
        "categories": ("id", "name"),
    }
    for name, keys in needed.items():
        rows = told.get(name) if isinstance(told, dict) else None
        if not isinstance(rows, list) or any(
            not isinstance(one, dict) or not all(key in one for key in keys) for one in rows
        ):
            raise UnreadableTask(
                f"{path} is no file of COCO annotations: '{name}' must be a list of objects with "
                f"{' and '.join(keys)}."
            )
    return dict(told)


def _place(path: Path, first: str, images: Path | None) -> Path:
    if images is not None:
        return images
    above = path.parent.parent
    split = path.stem.removeprefix("instances_")
    tried = [path.parent, above / split, above / "images" / split, above / "images", path.parent / "images"]
    place = next((one for one in tried if (one / first).is_file()), None)
    if place is None:
        raise UnreadableTask(
            f"The images of {path.name} are not found: '{first}' lies in none of "
            f"{', '.join(str(one) for one in tried)}. Write images='...' with their folder."
        )
    return place
