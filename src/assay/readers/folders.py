"""Finds images or audio files in class folders, directly or inside split folders."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from assay.core.errors import UnreadableTask
from assay.readers.annotated_folders import (
    LIST_THEM,
    are_no_classes,
    found_annotations,
    table_beside,
)
from assay.readers.escaped_names import first_names, shown_name
from assay.readers.files import FolderFiles
from assay.readers.folder_layout import ClassFolder, Layout, find_layout
from assay.readers.given_splits import GivenSplits
from assay.readers.images import is_image
from assay.readers.labelled_rows import LabelledRows
from assay.readers.labelling import class_labels
from assay.readers.scanning import Scan, suffix_counts
from assay.readers.spellings import spelled_by_splits
from assay.readers.split_lists import listed_parts
from assay.readers.splits import Part

_IGNORED_FEW = 10  # up to this many other files (such as a read-me) cause no note


class FileType(NamedTuple):
    """Which files are examples."""

    fits: Callable[[str], bool]  # whether a file name matches
    plural: str


IMAGES = FileType(is_image, "images")


@dataclass(slots=True)
class Tree:
    """The image or audio files below a folder, with their class folders and splits."""

    folder: Path
    plural: str
    names: list[str] = field(default_factory=list)  # relative paths
    classes: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)  # empty without split folders
    loose: int = 0  # matching files outside class folders
    others: Counter[str] = field(default_factory=Counter)  # non-matching files by suffix
    notes: tuple[str, ...] = ()

    def files(self) -> FolderFiles:
        """Return the files."""
        return FolderFiles(self.folder, tuple(self.names))

    def labelled(self) -> LabelledRows:
        """Return the class of each file, and its official split if there are split folders.

        Raises:
            UnreadableTask: There is one class only, which holds other folders.
        """
        self._require_classes()
        official = np.array(self.parts, dtype=np.int64) if self.parts else None
        return LabelledRows(np.arange(len(self.names)), class_labels(self.classes), official, self.notes)

    def _require_classes(self) -> None:
        if are_no_classes(self.classes):
            names = sorted(set(self.classes))
            raise UnreadableTask(
                f"In '{shown_name(str(self.folder))}', {first_names(names, len(names))} "
                f"{'is not a class' if len(names) == 1 else 'are not classes'}. "
                f"{found_annotations(self.folder, names) or table_beside(self.folder) or LIST_THEM}"
            )
        tops = {name.split("/")[0] for name in self.names}
        nested = {name.split("/")[1] for name in self.names if name.count("/") > 1}
        if len(set(self.classes)) == 1 and len(tops) == 1 and len(nested) > 1:
            (top,) = tops
            raise UnreadableTask(
                f"All {len(self.names)} {self.plural} lie in '{top}', which holds {len(nested)} folders. "
                f"If those are the classes, name it: {self.folder / top}."
            )


def require_folder(folder: Path) -> None:
    """Raise if the folder does not exist or is empty."""
    shown = shown_name(str(folder))
    if folder.is_file():
        raise UnreadableTask(f"'{shown}' is a file. Write table:{shown} for a table, or name a folder.")
    if not folder.is_dir():
        raise UnreadableTask(f"There is no folder '{shown}'. Check the path after 'folder:'.")
    if not any(Scan(folder, lambda _: True).list(folder)):
        raise UnreadableTask(f"The folder '{shown}' is empty. Put images into it, one folder for each class.")


def find_files(
    folder: Path, kind: FileType = IMAGES, given: GivenSplits | None = None, *, follows_links: bool = False
) -> Tree:
    """Collect the files of each class folder at any depth.

    Args:
        folder: The folder of the task.
        kind: Which files are examples.
        given: The folders of splits that the user named; found by their names by default.
        follows_links: Whether links that lead out of the folder are followed.
    """
    scan = Scan(folder, kind.fits, follows_links=follows_links)
    splits = given or GivenSplits()
    tree = _collected(scan, folder, kind, find_layout(scan, folder, splits))
    if not tree.parts and splits == GivenSplits() and (listed := listed_parts(scan, folder, tree.names)):
        if listed.parts:
            kept = [row for row, part in enumerate(listed.parts) if part is not None]
            tree.names = [tree.names[row] for row in kept]
            tree.classes = [tree.classes[row] for row in kept]
            tree.parts = [part for part in listed.parts if part is not None]
        tree.notes = (*tree.notes, *listed.notes)
    return tree


def find_classes(folder: Path) -> Tree:
    """Collect the images of each folder in a folder, regardless of names; follow links."""
    scan = Scan(folder, is_image, follows_links=True)
    return _collected(scan, folder, IMAGES, Layout((ClassFolder(folder),)))


def _collected(scan: Scan, folder: Path, kind: FileType, layout: Layout) -> Tree:
    tree, empty, spellings = Tree(folder, kind.plural), list[str](), list[set[str]]()
    inner: dict[str, set[str]] = defaultdict(set)
    for path in dict.fromkeys([folder, *(place.folder for place in layout.places if place.name is None)]):
        listing = scan.list(path)
        tree.loose += len(listing.files)
        tree.others.update(Path(name).suffix.lower() for name in listing.others)
    for place in sorted(layout.places, key=lambda place: place.part or 0):
        classes = [place.folder] if place.name is not None else scan.list(place.folder).folders
        spellings.append(set())
        for path in classes:
            name = place.name or path.name
            count, others = _collect(scan, tree, path, shown_name(name), place.part)
            tree.others += others
            if count:
                spellings[-1].add(shown_name(name))
                inner[shown_name(name)].update(_inner_folders(scan, path))
            else:
                what = f"{others.total()} other: {', '.join(others)}" if others else "empty"
                empty.append(f"{path.relative_to(folder).as_posix()} ({what})")
    merged = (*_merged(tree, spellings), *_deeper(inner))
    tree.notes = (*layout.notes, *merged, *_left_out(tree, empty), *scan.notes())
    return tree


def _collect(scan: Scan, tree: Tree, folder: Path, name: str, part: Part | None) -> tuple[int, Counter[str]]:
    """Add the files at or below a class folder; return their number, and the suffixes of other files."""
    count, others = 0, Counter[str]()
    for current, listing in scan.walk(folder):
        below = current.relative_to(tree.folder).as_posix()
        tree.names.extend(f"{below}/{file}" for file in listing.files)
        count += len(listing.files)
        others.update(Path(file).suffix.lower() for file in listing.others)
    tree.classes.extend([name] * count)
    if part is not None:
        tree.parts.extend([part] * count)
    return count, others


def _merged(tree: Tree, spellings: Sequence[set[str]]) -> tuple[str, ...]:
    """Give a class one name if the splits spell it differently; note classes that differ in case only."""
    found = spelled_by_splits(spellings)
    tree.classes = [found.one.get(name, name) for name in tree.classes]
    if not found.apart:
        return found.notes
    first = " and ".join(f"'{name}'" for name in found.apart[0])
    return (
        *found.notes,
        f"The classes {first} differ only in case or spaces ({len(found.apart)} such).",
    )


def _inner_folders(scan: Scan, folder: Path) -> set[str]:
    """Return the folders with files directly in a class folder; "" too if it has files next to them."""
    listing = scan.list(folder)
    return {path.name for path in listing.folders if scan.holds(path)} | ({""} if listing.files else set())


def _deeper(inner: Mapping[str, set[str]]) -> tuple[str, ...]:
    """Return a note if all files lie in folders inside classes that may be the classes: each in one only."""
    names = [name for folders in inner.values() for name in sorted(folders)]
    if "" in names or len(set(names)) < len(names) or len(names) <= len(inner):
        return ()
    first, folders = next(iter(inner.items()))
    return (
        f"The {len(inner)} classes hold {len(names)} folders: '{min(folders)}' counts as '{first}'. "
        "Move these folders up if they are the classes.",
    )


def _left_out(tree: Tree, empty: Sequence[str]) -> tuple[str, ...]:
    """Return notes about files and folders that are not examples or classes."""
    notes = []
    if empty and tree.names:
        have = "class folder has" if len(empty) == 1 else "class folders have"
        count = "it counts" if len(empty) == 1 else "they count"
        names = first_names(empty, len(empty))
        notes.append(f"{len(empty)} {have} no {tree.plural}: {count} as no class ({names}).")
    ignored = tree.others.total()
    if ignored > max(_IGNORED_FEW, len(tree.names) // 100):
        notes.append(
            f"{ignored} files that are not {tree.plural} are ignored ({suffix_counts(tree.others)})."
        )
    if tree.loose and tree.names:
        what = tree.plural.removesuffix("s") if tree.loose == 1 else tree.plural
        are = "is" if tree.loose == 1 else "are"
        notes.append(f"{tree.loose} {what} outside the class folders {are} ignored.")
    return tuple(notes)
