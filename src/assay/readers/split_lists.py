"""Official splits from lists of files next to class folders, such as train.txt and testing_list.txt."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from assay.readers.escaped_names import first_names
from assay.readers.scanning import Scan
from assay.readers.split_names import split_folder
from assay.readers.splits import Part

_SUFFIXES = frozenset({".txt", ".lst", ".list", ".csv", ".tsv"})
_FILLERS = frozenset({"list", "lists", "files", "names"})
_NEARLY_ALL = 0.9  # of the lines of a list name a file; one may be a header
_NUMBERED = "train_test_split.txt"
_LARGEST = 1 << 28  # bytes of a list


class ListedParts(NamedTuple):
    """The split of each file, None for those that no list names, and notes; none if lists disagree."""

    parts: list[Part | None]
    notes: tuple[str, ...]


def listed_parts(scan: Scan, root: Path, names: Sequence[str]) -> ListedParts | None:
    """Return the splits that lists in a folder, or directly below it, give to the files of class folders.

    A line is the path of a file, with or without its suffix, and may go on with a label. Where no list is of
    train, files in no list are train. ``images.txt`` with ``train_test_split.txt`` is read as well.

    Args:
        scan: Lists the folders.
        root: The folder of the task.
        names: The paths of the files, relative to the folder.
    """
    places = [root, *scan.list(root).folders]
    found = {path: part for place in places for path, part in _lists(scan, place)}
    numbered = next((place for place in places if (place / _NUMBERED).is_file()), None)
    known = _known(names) if found or numbered else {}
    if not found:
        return _of_numbers(numbered, names, known) if numbered else None
    rows = {path: [_row(line, known) for line in _lines(path)] for path in found}
    for path, held in rows.items():
        count = sum(row is not None for row in held)
        if count < _NEARLY_ALL * len(held) - 1:
            fault = f"only {count} of its {len(held)} lines name files of the classes"
            return _unread(path.relative_to(root), fault) if count else None
    parts: list[Part | None] = [None] * len(names)
    for path, held in rows.items():
        for row in sorted({row for row in held if row is not None}):
            if parts[row] not in {None, found[path]}:
                fault = f"'{names[row]}' is in it and in another list of another split"
                return _unread(path.relative_to(root), fault)
            parts[row] = found[path]
    return _told(parts, [path.relative_to(root).as_posix() for path in found])


def _unread(path: Path, fault: str) -> ListedParts:
    note = f"The list '{path.as_posix()}' is not read as an official split: {fault}."
    return ListedParts([], (f"{note} The split is by content, unless the lists are mended.",))


def _told(parts: list[Part | None], lists: Sequence[str]) -> ListedParts | None:
    """Return the parts with notes; None if there is one split only."""
    if Part.TRAIN not in parts:
        parts = [Part.TRAIN if part is None else part for part in parts]
    counts = Counter(parts)
    if not counts[Part.TRAIN] or len(counts.keys() - {None}) < 2:
        return None
    notes = [f"The official splits are those in {first_names(lists, len(lists))}."]
    if counts[None]:
        notes.append(f"{counts[None]} files that no list names are not used.")
    return ListedParts(parts, (notes[0] + " Write train='.' to split at random.", *notes[1:]))


def _lists(scan: Scan, folder: Path) -> Iterable[tuple[Path, Part]]:
    for name in scan.list(folder).others:
        path = folder / name
        split = split_folder(path.stem)
        if split and path.suffix.lower() in _SUFFIXES and _FILLERS.issuperset(split.rest):
            yield path, split.part


def _lines(path: Path) -> list[str]:
    if path.stat().st_size > _LARGEST:
        return []
    text = path.read_text("utf-8-sig", errors="replace")
    return [line.strip() for line in text.splitlines() if line.strip()]


def _known(names: Sequence[str]) -> Mapping[str, int]:
    """Return the position of each file by its path, by its end and without suffix, where only one has it."""
    positions: dict[str, int] = {}
    for row, name in enumerate(names):
        parts = PurePosixPath(name).parts
        for end in range(len(parts)):
            path = "/".join(parts[end:])
            for spelled in {path, str(PurePosixPath(path).with_suffix(""))}:
                positions[spelled] = row if positions.get(spelled, row) == row else -1
    return {name: row for name, row in positions.items() if row >= 0}


def _row(line: str, known: Mapping[str, int]) -> int | None:
    """Return the file that a line names, by the whole of it or by its first cell."""
    cells = (line, line.rsplit(maxsplit=1)[0], line.split(",", maxsplit=1)[0], line.split(maxsplit=1)[0])
    paths = (cell.strip("\"' ").replace("\\", "/").removeprefix("./") for cell in cells)
    return next((known[path] for path in paths if path in known), None)


def _of_numbers(root: Path, names: Sequence[str], known: Mapping[str, int]) -> ListedParts | None:
    """Return the splits of numbered files: ``images.txt`` names them, 1 is train in the other file."""
    listed, split = root / "images.txt", root / _NUMBERED
    if not listed.is_file():
        return None
    files = dict(line.split(maxsplit=1) for line in _lines(listed) if " " in line)
    parts: list[Part | None] = [None] * len(names)
    for line in _lines(split):
        number, _, is_train = line.partition(" ")
        row = known.get(files.get(number, ""))
        if row is None or is_train not in {"0", "1"}:
            return None
        parts[row] = Part.TRAIN if is_train == "1" else Part.TEST
    return _told(parts, [split.name])
