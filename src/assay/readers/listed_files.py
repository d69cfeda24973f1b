"""Files that a column of a table lists."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import takewhile
from pathlib import Path, PurePath
from typing import NamedTuple
from urllib.parse import unquote

import numpy as np

from assay.core.errors import UnreadableTask
from assay.core.paths import expanded
from assay.readers.escaped_names import first_names
from assay.readers.file_spellings import plain_name, speller
from assay.readers.files import FolderFiles, is_file
from assay.readers.guess import column_names
from assay.readers.labelled_rows import LabelledRows
from assay.readers.labelling import missing_note
from assay.readers.numbers import is_missing
from assay.readers.splits import Part, part_of
from assay.readers.tables import TextTable

_ON_THE_WEB = re.compile(r"(?!file:)[a-z][a-z0-9+.-]+://", re.IGNORECASE)
_NEARLY_ALL = 0.9
_TRIED = 50  # files that decide which folder is meant


class Listed(NamedTuple):
    """Files with the labels of the rows that name one."""

    files: FolderFiles  # one for each row of the table
    labelled: LabelledRows


def listed_files(table: TextTable, column: str, labelled: LabelledRows, *folders: Path) -> Listed:
    """Return the files in a column as ``named_files`` does; rows without one are left out, with a note.

    Where all paths lead through folders named after splits, these are the official splits.

    Raises:
        UnreadableTask: The column holds addresses of the web, no name of a file, or more than half of the
            rows have none.
    """
    names = _names(table, column, folders[0])
    files, is_respelled = named_files(column, names, *folders)
    _require_some(column, files, folders)
    if files.folder not in {folder.absolute() for folder in folders}:
        note = f"The files that '{column}' names are those in the folder '{files.folder.name}'."
        labelled = replace(labelled, notes=(*labelled.notes, note))
    if is_respelled:
        note = (
            f"Paths in '{column}' differ from those of the files by suffix, capitals, accents or the folders "
            "above: these files are read."
        )
        labelled = replace(labelled, notes=(*labelled.notes, note))
    labelled = with_file(table, column, labelled, lambda name: is_file(files.folder / name))
    return Listed(
        files, labelled if labelled.official is not None else _split_by_paths(column, labelled, names)
    )


def column_of_files(table: TextTable, *folders: Path) -> str | None:
    """Return the column whose first cells name files, by their names or without suffix; None without one."""
    head = table.head()
    known = [name for name in column_names("images") if name in head]
    for name in dict.fromkeys([*known, *head]):
        cells = [cell.strip() for cell in head[name] if cell.strip()][:_TRIED]
        if not cells or name.lower() in column_names("labels") or any(map(_ON_THE_WEB.match, cells)):
            continue
        files, _ = named_files(name, cells, *folders)
        if sum(is_file(files.folder / path) for path in files.names) >= _NEARLY_ALL * len(cells):
            return name
    return None


def _names(table: TextTable, column: str, folder: Path) -> tuple[str, ...]:
    """Return the names in a column relative to a folder; with several tables, each next to its table."""
    names = tuple(table.column(column))
    parents = [os.path.relpath(path.absolute().parent, folder.absolute()) for path in table.paths]
    if len(set(parents)) == 1:
        return names
    beside = (parents[file] for file in table.of_files(range(len(parents))))
    return tuple(name and str(Path(parent, name)) for parent, name in zip(beside, names, strict=True))


def _require_some(column: str, files: FolderFiles, folders: Sequence[Path]) -> None:
    """Raise if none of the first names is that of a file: the names or the folder are probably wrong."""
    some = [name for name in files.names if not is_missing(name)][:_TRIED]
    if not some or any(is_file(files.folder / name) for name in some):
        return
    beside = sorted(path.name for path in folders[0].iterdir() if not path.name.startswith("."))
    raise UnreadableTask(
        f"No file that '{column}' names exists (first: '{some[0]}'). The folder {folders[0]} has "
        f"{first_names(beside, len(beside))}. Write paths that are relative to the table, or absolute."
    )


def _split_by_paths(column: str, labelled: LabelledRows, names: Sequence[str]) -> LabelledRows:
    """Return the rows with official splits if all paths lead through folders that are named after splits."""
    folders = [PurePath(names[row].replace("\\", "/")).parts[:-1] for row in labelled.rows]
    for level in range(min(map(len, folders), default=0)):
        named = {folder[level]: part_of(folder[level]) for folder in folders}
        parts = [part for part in named.values() if part is not None]
        if len(parts) == len(named) and Part.TRAIN in parts and len(set(parts)) > 1:
            note = (
                f"The folders {first_names(named, len(named))} in '{column}' are read as the official splits."
            )
            official = np.array([named[folder[level]] for folder in folders], dtype=np.int64)
            return replace(labelled, official=official, notes=(*labelled.notes, note))
    return labelled


def with_file(
    table: TextTable, column: str, labelled: LabelledRows, is_there: Callable[[str], bool] = bool
) -> LabelledRows:
    """Return the rows that name a file, and note the others; a file may be called "nan" or "-" too."""
    names = tuple(table.column(column))
    none = np.array([is_missing(names[row]) and not is_there(names[row]) for row in labelled.rows])
    marked = sorted({names[row] for row, is_none in zip(labelled.rows, none, strict=True) if is_none} - {""})
    marks = ", ".join(f"'{name}'" for name in marked)
    if not none.any():
        return labelled
    notes = missing_note(f"'{column}'", none, lambda row: table.row_name(int(labelled.rows[row])), marks)
    return replace(labelled, notes=(*labelled.notes, *notes)).usable(
        np.flatnonzero(~none), "no row of them names a file"
    )


def named_files(column: str, names: Sequence[str], *folders: Path) -> tuple[FolderFiles, bool]:
    r"""Return files by their names in a column, relative to the folder that contains most of the first.

    If none does, it is the only folder directly inside them that has nearly all, as train next to train.csv.
    A path may be written as on Windows (``cats\1.png``), or begin with ~ or file:// or, though it is
    relative, with a slash, or with folders of another machine that all have in common; True is returned
    beside the files if some differ by suffix, capitals, the form of accents or these folders.

    Raises:
        UnreadableTask: The column holds addresses of the web.
    """
    some = [name for name in names if not is_missing(name)][:_TRIED]
    web = next((name for name in some if _ON_THE_WEB.match(name)), None)
    if web is not None:
        raise UnreadableTask(
            f"'{column}' holds addresses such as '{web}': nothing is downloaded. Download the files first, "
            "and write their paths."
        )
    ways = [(folder, strip) for folder in folders for strip in ("", "/")]
    hits = [sum(is_file(folder / _path(name, strip)) for name in some) for folder, strip in ways]
    folder, strip = ways[int(np.argmax(hits))]  # of equals the first
    root = ""
    if not any(hits):
        folder, root = _elsewhere(folders, some) or (_folder_inside(folders, some) or folder, "")
    paths = [*map(speller(folder), (_path(name, strip).removeprefix(root) for name in names))]
    is_respelled = any(path != _path(name, strip) for path, name in zip(paths, names, strict=True))
    return FolderFiles(folder, tuple(paths)), is_respelled


def _elsewhere(folders: Sequence[Path], names: Sequence[str]) -> tuple[Path, str] | None:
    """Return a folder that has nearly all files, and the common prefix of names that it lacks."""
    paths = [_path(name, "") for name in names]
    levels = zip(*(path.split("/")[:-1] for path in paths), strict=False)
    above = [level[0] for level in takewhile(lambda level: len(set(level)) == 1, levels)]
    for root in ("/".join(above[:count]) + "/" for count in range(1, len(above) + 1)):
        for folder in folders:
            spelled = [*map(speller(folder), (path.removeprefix(root) for path in paths))]
            if sum(is_file(folder / path) for path in spelled) >= _NEARLY_ALL * len(paths):
                return folder, root
    return None


def _folder_inside(folders: Sequence[Path], names: Sequence[str]) -> Path | None:
    """Return the only folder directly in the first of some, else in the next, that has nearly all files."""
    stems = {plain_name(PurePath(name).stem) for name in names}
    if not stems or any(len(PurePath(name).parts) > 1 for name in names) or stems & _stems(folders[0]):
        return None
    for folder in dict.fromkeys(folders):
        inside = (path for path in folder.iterdir() if path.is_dir())
        found = [path for path in inside if len(stems & _stems(path)) >= _NEARLY_ALL * len(stems)]
        if found:
            return found[0] if len(found) == 1 else None
    return None


def _stems(folder: Path) -> set[str]:
    return {plain_name(path.stem) for path in folder.iterdir() if path.is_file()}


def _path(name: str, strip: str) -> str:
    path = name.replace("\\", "/") if "\\" in name and not is_file(Path(name)) else name
    if path.startswith("file://"):
        return unquote(path.removeprefix("file://"))
    if path.startswith("~"):
        return expanded(path)
    return path.lstrip(strip) if strip else path
