"""Reads the annotations of a file in COCO format: images with the names of their categories."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from assay.core.errors import UnreadableTask
from assay.readers.escaped_names import first_names, shown_name
from assay.readers.file_spellings import speller
from assay.readers.files import is_file

_TRIED = 50  # images by which their folder is found

Row = dict[str, Any]


class Annotated(NamedTuple):
    """An image file with the names of its categories."""

    file: Path
    categories: frozenset[str]


class Annotations(NamedTuple):
    """The images of an annotation file, and notes about what was left out."""

    images: tuple[Annotated, ...]
    notes: tuple[str, ...]


def read_annotations(path: Path, images: Path | None) -> Annotations:
    """Return the images of an annotation file; images without annotations have no category.

    Args:
        path: The annotation file.
        images: The folder of the images; None for the annotation's folder or COCO's standard folder.

    Raises:
        UnreadableTask: The file is broken, contradicts itself, or none of its images is found.
    """
    content = _read(path)
    names = _unique(path, content["images"], "image", "file_name")
    categories = {
        key: shown_name(name)
        for key, name in _unique(path, content["categories"], "category", "name").items()
    }
    if not names:
        raise UnreadableTask(f"{path.name} has no images.")
    of_image: dict[str, set[str]] = {image: set() for image in names}
    unknown = []
    used = set()
    for annotation in content["annotations"]:
        image, category = _identifier(annotation["image_id"]), _identifier(annotation["category_id"])
        if category not in categories:
            raise UnreadableTask(
                f"{path.name}: an annotation of image {image} names category {category}, which is not in "
                "the file. Export it again."
            )
        used.add(category)
        if image in of_image:
            of_image[image].add(categories[category])
        else:
            unknown.append(image)
    if unknown and len(unknown) == len(content["annotations"]):
        raise UnreadableTask(
            f"{path.name}: no annotation names an image of the file; the first names image {unknown[0]}. "
            "Export it again."
        )
    notes = (
        *_unknown_note(path, unknown),
        *_same_names_note(path, [categories[key] for key in categories if key in used]),
    )
    found = _finder(path, list(names.values()), images)
    of_file: dict[Path, set[str]] = {}
    for image, labels in of_image.items():
        of_file.setdefault(found(names[image]), set()).update(labels)
    if len(of_file) < len(of_image):
        count = len(of_image) - len(of_file)
        notes += (
            f"{path.name} lists {count} {'image' if count == 1 else 'images'} more than once: read once.",
        )
    return Annotations(tuple(Annotated(file, frozenset(some)) for file, some in of_file.items()), notes)


def _unknown_note(path: Path, unknown: Sequence[str]) -> tuple[str, ...]:
    if not unknown:
        return ()
    different = list(dict.fromkeys(unknown))
    name = "annotation names an image that is" if len(unknown) == 1 else "annotations name images that are"
    shown = first_names(different, len(different))
    return (f"{len(unknown)} {name} not in {path.name} ({shown}): ignored.",)


def _same_names_note(path: Path, used: Sequence[str]) -> tuple[str, ...]:
    same = sorted({name for name in used if used.count(name) > 1})
    if not same:
        return ()
    return (
        f"{path.name} has several categories of one name ({first_names(same, len(same))}): "
        "each counts as one.",
    )


def _unique(path: Path, rows: Iterable[Row], what: str, value: str) -> dict[str, str]:
    """Return a value of each row by its id, in order.

    Raises:
        UnreadableTask: Two rows with other values have one id.
    """
    values: dict[str, str] = {}
    for row in rows:
        key, name = _identifier(row["id"]), str(row[value])
        if values.setdefault(key, name) != name:
            raise UnreadableTask(
                f"{path.name}: '{values[key]}' and '{name}' have the same {what} id {key}. Give each its own."
            )
    return values


def _identifier(value: object) -> str:
    """Return an id as text: 1, 1.0 and "1" are one."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _read(path: Path) -> dict[str, list[Row]]:
    if not is_file(path):
        raise UnreadableTask(f"'{path}' is not a regular file: it is not read. Put the annotations there.")
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError) as error:
        raise UnreadableTask(f"{path} is not JSON: {error}. Download or export it again.") from error
    needed = {
        "images": ("id", "file_name"),
        "annotations": ("image_id", "category_id"),
        "categories": ("id", "name"),
    }
    for name, keys in needed.items():
        rows = content.get(name) if isinstance(content, dict) else None
        if not isinstance(rows, list) or any(
            not isinstance(row, dict) or not all(key in row for key in keys) for row in rows
        ):
            raise UnreadableTask(
                f"{path} is not a file of COCO annotations: '{name}' must be a list of objects with "
                f"{' and '.join(keys)}."
            )
    return dict(content)


def _finder(path: Path, names: Sequence[str], images: Path | None) -> Callable[[str], Path]:
    """Return where an image is by its name: in the folder, and in the form, that finds most of some images.

    Raises:
        UnreadableTask: None of them is found.
    """
    above, split = path.parent.parent, path.stem.removeprefix("instances_")
    standard = (
        path.parent,
        above / split,
        above / "images" / split,
        above / "images",
        path.parent / "images",
        above,
    )
    folders = (images,) if images is not None else standard
    some = [names[row] for row in np.linspace(0, len(names) - 1, min(_TRIED, len(names))).astype(int)]
    ways = [(folder, form) for form in (str, _forward, _last) for folder in folders]
    spelled = {folder: speller(folder, by_stem=False) for folder in folders}
    counts = [sum(is_file(folder / spelled[folder](form(name))) for name in some) for folder, form in ways]
    best = int(np.argmax(counts))
    if not counts[best]:
        raise UnreadableTask(
            f"The images of {path.name} are not found: '{shown_name(some[0])}' lies in none of "
            f"{', '.join(map(str, folders))}. Write images='...' with their folder."
        )
    folder, form = ways[best]
    return lambda name: folder / spelled[folder](form(name))


def _forward(name: str) -> str:
    return name.replace("\\", "/")


def _last(name: str) -> str:
    """Return the last part of a path, which may be of another machine."""
    return re.split(r"[/\\]", name)[-1]
