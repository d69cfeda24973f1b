"""Decides which folders are splits and which are classes, and notes it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from assay.core.errors import UnreadableTask, UsageError
from assay.readers.annotated_folders import hold_annotations
from assay.readers.escaped_names import first_names, shown_name
from assay.readers.given_splits import GivenSplits
from assay.readers.scanning import Scan
from assay.readers.spellings import folded
from assay.readers.split_names import SplitFolder, consistent, is_plain, is_unlabelled, split_folder
from assay.readers.splits import Part

_AS_CLASSES = "Write train='.' if they are classes"


class ClassFolder(NamedTuple):
    """A folder of classes, or of one class.

    Attributes:
        folder: The folder.
        part: Its split, or None.
        name: The class of all its files; None if each folder in it is a class.
    """

    folder: Path
    part: Part | None = None
    name: str | None = None


class Layout(NamedTuple):
    """Where the classes of a task are, with notes about what was decided."""

    places: tuple[ClassFolder, ...]
    notes: tuple[str, ...] = ()


def find_layout(scan: Scan, root: Path, given: GivenSplits) -> Layout:
    """Return where the classes are: directly in the folder, or in folders of splits.

    The one folder in a folder is opened. A folder is a split if its name says so (see ``split_names``) and if
    another one beside it does, as in "seg_train" and "seg_test": a "train" among "bus" and "car" is a class.

    Raises:
        UnreadableTask: A folder that the user named does not exist, or it cannot be decided.
    """
    if given.train == ".":
        return _with_notes(Layout((ClassFolder(_opened(scan, root)),)), scan, root)
    if any(folders is not None for folders in given):
        return _given_layout(scan, root, given)
    return _with_notes(_guessed_layout(scan, _opened(scan, root)), scan, root)


def _with_notes(layout: Layout, scan: Scan, root: Path) -> Layout:
    inner = _opened(scan, root)
    if inner == root or split_folder(inner.name) is not None:
        return layout
    shown = shown_name(inner.relative_to(root).as_posix())
    return layout._replace(notes=(f"The one folder inside, '{shown}', is read.", *layout.notes))


def _given_layout(scan: Scan, root: Path, given: GivenSplits) -> Layout:
    if given.train is None:
        raise UsageError(
            "A folder of val or test is named, and none of train. Write for example train='fit' too."
        )
    places: list[ClassFolder] = []
    for part, folders in zip(Part, given, strict=True):
        for name in (folders,) if isinstance(folders, str) else folders or ():
            if not isinstance(name, str) or not (root / name).is_dir() or name == ".":
                known = [path.name for path in scan.list(root).folders]
                raise UnreadableTask(
                    f"{part.name.lower()}={name!r} names no folder in '{shown_name(str(root))}', which holds "
                    f"{first_names(known, len(known)) or 'none'}."
                )
            places.append(ClassFolder(_opened(scan, root / name), part))
    named = [place.folder for place in places]
    beside = [
        path for path in scan.list(root).folders if not any(path in (one, *one.parents) for one in named)
    ]
    return Layout(tuple(places), _beside(scan, beside))


def _guessed_layout(scan: Scan, root: Path) -> Layout:
    folders = scan.list(root).folders
    named = {path: split for path in folders if (split := split_folder(path.name)) is not None}
    if not named:
        return _inverted(scan, root, folders)
    groups: dict[tuple[str, ...], dict[Path, SplitFolder]] = defaultdict(dict)
    for path, split in named.items():
        groups[split.rest][path] = split
    full = [group for group in groups.values() if _has_train_and_more(group)]
    has_classes = any(scan.classes(path) for path in named)
    if len(full) > 1 and not has_classes and sum(map(len, full)) == len(folders):
        return _split_classes(full)
    for group in sorted(full, key=lambda group: next(iter(group.values())).rest != ()):
        if len(group) == len(folders) or _look_like_splits(scan, group):
            return _splits(scan, group, [path for path in folders if path not in group])
    return _lone(scan, root, named, folders)


def _has_train_and_more(group: dict[Path, SplitFolder]) -> bool:
    parts = {split.part for split in group.values()}
    return Part.TRAIN in parts and len(parts) > 1


def _look_like_splits(scan: Scan, group: dict[Path, SplitFolder]) -> bool:
    """Return whether train has class folders and, unless the names are plain, others have the same ones."""
    train, others = _class_names(scan, group)
    if any(not split.rest for split in group.values()):
        return bool(train)
    return bool(train) and all(not names or names & train for names in others)


def _class_names(scan: Scan, group: dict[Path, SplitFolder]) -> tuple[set[str], list[set[str]]]:
    train: set[str] = set()
    others = []
    for path, split in group.items():
        names = _folded_classes(scan, _opened(scan, path))
        if split.part is Part.TRAIN:
            train |= names
        else:
            others.append(names)
    return train, others


def _folded_classes(scan: Scan, folder: Path) -> set[str]:
    return {folded(name) for name in scan.classes(folder)}


def _splits(scan: Scan, group: dict[Path, SplitFolder], beside: Sequence[Path]) -> Layout:
    parts = consistent(group.values())
    train, _ = _class_names(scan, group)
    places: list[ClassFolder] = []
    notes: list[str] = []
    for path, split in group.items():
        part = parts[split]
        opened = (
            path if part is not Part.TRAIN and _folded_classes(scan, path) & train else _opened(scan, path)
        )
        names = _folded_classes(scan, opened)
        is_one_other = len(names) == 1 and train and not names & train  # as in test/unknown
        if part is not Part.TRAIN and (not names or is_one_other):
            count = scan.count(path)
            held = f"has {count} {_files(count)} without a class" if count else "is empty"
            notes.append(f"'{shown_name(path.name)}' {held}: not used.")
        if names and not (part is not Part.TRAIN and is_one_other):
            places.append(ClassFolder(opened, part))
    if not places or not all(is_plain(path.name) for path in group):
        notes.insert(0, _read_as(group, parts))
    return Layout(
        tuple(places) or tuple(ClassFolder(path, parts[group[path]]) for path in group),
        (*notes, *_beside(scan, beside)),
    )


def _read_as(group: dict[Path, SplitFolder], parts: dict[SplitFolder, Part]) -> str:
    named = ", ".join(
        f"'{shown_name(path.name)}' is {parts[split].name.lower()}" for path, split in group.items()
    )
    return f"Folders are read as the official splits: {named}. {_AS_CLASSES}."


def _files(count: int) -> str:
    return "file" if count == 1 else "files"


def _split_classes(groups: Sequence[dict[Path, SplitFolder]]) -> Layout:
    """Return the layout of folders such as cats_train, cats_test, dogs_train, dogs_test."""
    places: list[ClassFolder] = []
    for group in groups:
        parts = consistent(group.values())
        places.extend(
            ClassFolder(path, parts[split], " ".join(split.rest) or parts[split].name.lower())
            for path, split in group.items()
        )
    names = list(dict.fromkeys(place.name or "" for place in places))
    note = (
        f"Folders are read as classes with official splits: {first_names(names, len(names))}. {_AS_CLASSES}."
    )
    return Layout(tuple(places), (note,))


def _lone(scan: Scan, root: Path, named: dict[Path, SplitFolder], folders: Sequence[Path]) -> Layout:
    """Decide on folders named after splits without one of both train and another split."""
    parts = {split.part for split in named.values() if not split.rest}
    plain = {path: split for path, split in named.items() if not split.rest}
    others = [path for path in folders if path not in plain and scan.holds(path)]
    inside = {name for path in plain for name in _folded_classes(scan, _opened(scan, path))}
    if not plain or not inside or not others:
        if plain and not others:
            _require_train(plain, parts)
            return Layout(
                tuple(ClassFolder(_opened(scan, path), split.part) for path, split in plain.items())
            )
        return _inverted(scan, root, folders)
    alike = [path for path in others if len(_folded_classes(scan, path) & inside) > 1]
    first = shown_name(next(iter(plain)).name)
    if Part.TRAIN not in parts and alike:
        raise UnreadableTask(
            f"'{first}' and '{shown_name(alike[0].name)}' hold folders of the same names. Write "
            f"train='{shown_name(alike[0].name)}', test='{first}', or train='.' if they are classes."
        )
    is_beside = all(path in alike or is_unlabelled(path.name) for path in others)
    if Part.TRAIN in parts and (is_beside or (len(others) == 1 and not scan.classes(others[0]))):
        layout = _splits(scan, plain, others)
        twins = [shown_name(path.name) for path in alike]
        hint = f"'{twins[0]}' holds folders of the same names: write test='{twins[0]}' if it is a split."
        return layout._replace(notes=(*layout.notes, *([hint] if twins else [])))
    layout = _inverted(scan, root, folders)
    note = (
        f"'{first}' is read as a class, like the folders next to it: write train='{first}' if it is a split."
    )
    return layout._replace(notes=(*layout.notes, *((note,) if Part.TRAIN in parts else ())))


def _require_train(plain: dict[Path, SplitFolder], parts: set[Part]) -> None:
    """Raise if there are several folders of val and test, and none of train."""
    if len(plain) > 1 and Part.TRAIN not in parts:
        first, second, *_ = (shown_name(path.name) for path in plain)
        raise UnreadableTask(
            f"There are the splits '{first}' and '{second}', and none of train. Write for example "
            f"train='{first}', test='{second}', or train='.' if they are classes."
        )


def _inverted(scan: Scan, root: Path, folders: Sequence[Path]) -> Layout:
    """Return classes as they are, or with the splits inside each of them, as in cat/train and cat/test."""
    inside = {path: scan.list(path) for path in folders}
    held = {path: listing for path, listing in inside.items() if listing.folders or listing.files}
    splits = {
        path: {folder: split for folder in listing.folders if (split := split_folder(folder.name))}
        for path, listing in held.items()
    }
    if len(held) > 1 and all(
        len(splits[path]) == len(listing.folders) and not listing.files and _has_train_and_more(splits[path])
        for path, listing in held.items()
    ):
        places = tuple(_places_inside(splits))
        names = dict.fromkeys(place.folder.name for place in places)
        note = f"{first_names(names, len(names))} in each class folder are read as the official splits. "
        return Layout(places, (f"{note}Write train='.' to split at random.",))
    unread = [path.name for path, inner in splits.items() if _has_train_and_more(inner)]
    note = (
        f"Folders of splits in {first_names(unread, len(unread))} are not read as splits, "
        "for not every class folder holds them alone."
    )
    return Layout((ClassFolder(root),), (*([note] if unread else []), *_repeated(scan, list(held))))


def _places_inside(splits: dict[Path, dict[Path, SplitFolder]]) -> Iterator[ClassFolder]:
    for path, inner in splits.items():
        parts = consistent(inner.values())
        yield from (ClassFolder(folder, parts[split], path.name) for folder, split in inner.items())


def _repeated(scan: Scan, folders: Sequence[Path]) -> tuple[str, ...]:
    """Note that all folders hold folders of the same names, as folds of a data set do."""
    if len(folders) < 2:
        return ()
    first, *others = (_folded_classes(scan, path) for path in folders)
    if len(first) < 2 or any(names != first for names in others):
        return ()
    names = [path.name for path in folders]
    return (
        f"All classes ({first_names(names, len(names))}) hold folders of the same names: if they are splits, "
        f"write train='{shown_name(names[0])}', test='{shown_name(names[1])}'.",
    )


def _beside(scan: Scan, folders: Sequence[Path]) -> tuple[str, ...]:
    names = [path.name for path in folders if scan.holds(path)]
    if not names:
        return ()
    if len(names) == 1:
        return (f"The folder '{shown_name(names[0])}' next to the splits is ignored.",)
    return (f"{len(names)} folders ({first_names(names, len(names))}) next to the splits are ignored.",)


def _opened(scan: Scan, folder: Path) -> Path:
    """Return the folder, or the one folder in it with files if these are in folders, and so on."""
    while True:
        folders, files, _ = scan.list(folder)
        held = [path for path in folders if len(folders) == 1 or scan.holds(path)]
        if files or len(held) != 1 or not scan.classes(held[0]):
            return folder
        if len(folders) > 1 and (hold_annotations(folders) or split_folder(held[0].name)):
            return folder
        folder = held[0]
