"""Finds images or audio files in class folders, directly or inside split folders."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from assay.core.errors import UnreadableTask
from assay.readers.files import FolderFiles
from assay.readers.images import is_image
from assay.readers.labelled_rows import LabelledRows
from assay.readers.labelling import class_labels
from assay.readers.splits import Part, in_words, part_of

_IGNORED_FEW = 10  # up to this many other files (such as a read-me) cause no note
_SYSTEM = frozenset({"__MACOSX", "Thumbs.db", "desktop.ini"})


@dataclass(slots=True)
class Tree:
    """The image or audio files below a folder, with their class folders and splits."""

    folder: Path
    fits: Callable[[str], bool] = is_image  # whether a file name matches
    plural: str = "images"
    names: list[str] = field(default_factory=list)  # relative paths
    classes: list[str] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)  # empty without split folders
    loose: int = 0  # matching files outside class folders
    ignored: int = 0  # non-matching files
    passed: list[str] = field(default_factory=list)  # skipped folders next to split folders

    def files(self) -> FolderFiles:
        """Return the files."""
        return FolderFiles(self.folder, tuple(self.names))

    def labelled(self) -> LabelledRows:
        """Return the class of each file, and its official split if there are split folders."""
        official = np.array(self.parts, dtype=np.int64) if self.parts else None
        return LabelledRows(np.arange(len(self.names)), class_labels(self.classes), official, self._notes())

    def _notes(self) -> tuple[str, ...]:
        """Return notes about skipped files and folders."""
        notes = []
        if self.ignored > max(_IGNORED_FEW, len(self.names) // 100):
            notes.append(f"{self.ignored} files that are not {self.plural} are ignored.")
        if self.loose and self.names:
            notes.append(f"{self.loose} {self.plural} stand outside the class folders and are ignored.")
        if self.passed:
            verb = "is" if len(self.passed) == 1 else "are"
            notes.append(f"{in_words(self.passed, 'folder', 'folders')} beside the splits {verb} ignored.")
        return tuple(notes)


def require_folder(folder: Path) -> None:
    """Raise if the folder does not exist or contains no matching file."""
    if folder.is_file():
        raise UnreadableTask(f"'{folder}' is a file. Write table:{folder} for a table, or name a folder.")
    if not folder.is_dir():
        raise UnreadableTask(f"There is no folder '{folder}'. Check the path after 'folder:'.")
    if not any(True for _ in _visible(folder)):
        raise UnreadableTask(
            f"The folder '{folder}' is empty. Put images into it, one folder for each class."
        )


def find_files(tree: Tree) -> Tree:
    """Collect the files of each class folder at any depth; follow links, but visit each folder once."""
    folder = tree.folder
    top = list(_visible(folder))
    if not _has_splits([entry for entry in top if entry.is_dir()]):
        _find_classes(tree, folder, None)
        return tree
    for entry in top:
        part = part_of(entry.name)
        if not entry.is_dir():
            _count(tree, entry.name)
        elif part is None:
            tree.passed.append(entry.name)
        else:
            _find_classes(tree, Path(entry.path), part)
    return tree


def _has_splits(folders: list[os.DirEntry[str]]) -> bool:
    """Return whether the folders are splits; a "train" next to "car" and "boat" is a class."""
    named = [entry for entry in folders if part_of(entry.name) is not None]
    inside = (entry for folder in named for entry in _visible(Path(folder.path)))
    return bool(named) and (len(named) == len(folders) or any(entry.is_dir() for entry in inside))


def _find_classes(tree: Tree, folder: Path, part: Part | None) -> None:
    seen = {_identity(tree.folder), _identity(folder)}
    for entry in _visible(folder):
        if not entry.is_dir():
            _count(tree, entry.name)
            continue
        for path in _walk(Path(entry.path), seen):
            if tree.fits(path.name):
                tree.names.append(path.relative_to(tree.folder).as_posix())
                tree.classes.append(entry.name)
                if part is not None:
                    tree.parts.append(part)
            else:
                tree.ignored += 1


def _walk(folder: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
    """Yield the files below a folder, skipping visited folders (loops of links)."""
    waiting = [folder]
    while waiting:
        current = waiting.pop()
        identity = _identity(current)
        if identity in seen:
            continue
        seen.add(identity)
        for entry in _visible(current):
            if entry.is_dir():
                waiting.append(Path(entry.path))
            else:
                yield Path(entry.path)


def _visible(folder: Path) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            visible = sorted(entries, key=lambda entry: entry.name)
    except PermissionError as error:
        raise UnreadableTask(f"The folder '{folder}' may not be read. Change its permissions.") from error
    yield from (entry for entry in visible if not entry.name.startswith(".") and entry.name not in _SYSTEM)


def _identity(folder: Path) -> tuple[int, int]:
    status = folder.stat()
    return status.st_dev, status.st_ino


def _count(tree: Tree, name: str) -> None:
    if tree.fits(name):
        tree.loose += 1
    else:
        tree.ignored += 1
