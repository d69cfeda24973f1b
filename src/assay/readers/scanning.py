"""Lists the regular files of folders, without system files and links that lead elsewhere."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import NamedTuple, final

from assay.core.errors import UnreadableTask
from assay.readers.escaped_names import first_names

_SYSTEM = frozenset(
    {
        "__macosx", "__pycache__", "thumbs.db", "ehthumbs.db", "desktop.ini", "lost+found", "$recycle.bin",
        "recycler", "recycled", "system volume information", "@eadir", "@recycle", "#recycle", "@tmp",
        "#snapshot", "@__thumb", "@sharebin", "network trash folder", "temporary items", "icon\r",
    }
)  # fmt: skip


class _Kind(Enum):
    FOLDER, FILE, SPECIAL, LEFT_OUT = range(4)


class Listing(NamedTuple):
    """The content of one folder, each sorted by name."""

    folders: tuple[Path, ...]
    files: tuple[str, ...]  # names of files of the wanted type
    others: tuple[str, ...]  # names of other regular files


@final
class Scan:
    """Lists the folders below a root, and remembers what it left out.

    Args:
        root: The folder of the task.
        fits: Whether a file name is of the wanted type.
        follows_links: Whether links that lead out of the root are followed.
    """

    def __init__(self, root: Path, fits: Callable[[str], bool], *, follows_links: bool = False) -> None:
        self._root = root
        self._real = os.path.realpath(root)
        self._fits = fits
        self._follows = follows_links
        self._hidden: dict[str, None] = {}  # ordered, and each once
        self._outside: dict[str, None] = {}
        self._inner: dict[str, None] = {}
        self._special: dict[str, None] = {}
        self._listings: dict[Path, Listing] = {}

    def list(self, folder: Path) -> Listing:
        """Return the contents of a folder, listed once.

        Raises:
            UnreadableTask: The folder may not be read.
        """
        if folder not in self._listings:
            self._listings[folder] = self._list(folder)
        return self._listings[folder]

    def _list(self, folder: Path) -> Listing:
        folders: list[Path] = []
        files: list[str] = []
        others: list[str] = []
        for entry in _entries(folder):
            try:
                kind = self._kind(entry)
            except OSError:  # a link to itself, a process that ended, or what may not be looked at
                kind = _Kind.SPECIAL
            if kind is _Kind.FOLDER:
                folders.append(Path(entry.path))
            elif kind is _Kind.SPECIAL:
                self._special[self._relative(entry.path)] = None
            elif kind is _Kind.FILE:
                (files if self._fits(entry.name) else others).append(entry.name)
        return Listing(tuple(folders), tuple(files), tuple(others))

    def _kind(self, entry: os.DirEntry[str]) -> _Kind:
        if entry.name.startswith(".") or entry.name.lower() in _SYSTEM:
            self._leave_hidden(entry)
            return _Kind.LEFT_OUT
        if entry.is_symlink() and not self._is_followed(entry):
            return _Kind.LEFT_OUT
        if entry.is_dir():
            return _Kind.FOLDER
        return _Kind.FILE if entry.is_file() or _is_broken(entry) else _Kind.SPECIAL

    def walk(self, folder: Path) -> Iterator[tuple[Path, Listing]]:
        """Yield each folder at or below a folder with its content, once; loops of links end."""
        waiting, seen = [folder], {_identity(self._root), _identity(folder.parent)}
        while waiting:
            current = waiting.pop()
            identity = _identity(current)
            if identity in seen:
                continue
            seen.add(identity)
            listing = self.list(current)
            waiting.extend(listing.folders)
            yield current, listing

    def holds(self, folder: Path) -> bool:
        """Return whether there are files of the wanted type at or below a folder."""
        return any(listing.files for _, listing in self.walk(folder))

    def count(self, folder: Path) -> int:
        """Return the number of files of the wanted type at or below a folder."""
        return sum(len(listing.files) for _, listing in self.walk(folder))

    def classes(self, folder: Path) -> dict[str, Path]:
        """Return the folders directly in a folder that hold files of the wanted type, by name."""
        return {path.name: path for path in self.list(folder).folders if self.holds(path)}

    def notes(self) -> tuple[str, ...]:
        """Return notes about what was left out."""
        told = (
            (self._hidden, "hidden file or folder", "hidden files or folders", ""),
            (self._special, "entry that is not a regular file", "entries that are not regular files", ""),
            (self._inner, "link to a folder inside", "links to folders inside", ": they are read once"),
            (
                self._outside, "link that leads out of the folder", "links that lead out of the folder",
                ": add (links=True) to follow links",
            ),
        )  # fmt: skip
        return tuple(
            f"{len(names)} {f'{one} is' if len(names) == 1 else f'{many} are'} ignored "
            f"({first_names(names, len(names))}){cure}."
            for names, one, many, cure in told
            if names
        )

    def _leave_hidden(self, entry: os.DirEntry[str]) -> None:
        """Remember files that might be examples, but not a .git folder or a .DS_Store."""
        if entry.is_dir(follow_symlinks=False):
            is_told = not entry.name.startswith(".") or any(
                self._fits(one.name) for one in _entries(entry.path)
            )
        else:
            is_told = self._fits(entry.name)
        if is_told:
            self._hidden[self._relative(entry.path)] = None

    def _is_followed(self, link: os.DirEntry[str]) -> bool:
        target = os.path.realpath(link.path)
        is_inside = target == self._real or target.startswith(self._real + os.sep)
        if is_inside and link.is_dir() and not self._follows:
            self._inner[self._relative(link.path)] = None
            return False
        if is_inside or self._follows:
            return True
        if link.is_dir() or self._fits(link.name):
            self._outside[self._relative(link.path)] = None
        return False

    def _relative(self, path: str) -> str:
        return Path(path).relative_to(self._root).as_posix()


def _entries(folder: Path | str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except (
        FileNotFoundError,
        NotADirectoryError,
        ProcessLookupError,
    ):  # it vanished since its parent was listed
        return []
    except PermissionError as error:
        raise UnreadableTask(f"The folder '{folder}' may not be read. Change its permissions.") from error
    except OSError as error:
        raise UnreadableTask(f"Cannot read the folder '{folder}': {error.strerror}. Check it.") from error


def _is_broken(entry: os.DirEntry[str]) -> bool:
    """Return whether a link leads nowhere: the file is then reported as missing."""
    return entry.is_symlink() and not Path(entry.path).exists()


def _identity(folder: Path) -> tuple[int, int]:
    try:
        status = folder.stat()
    except OSError:
        return -1, -1
    return status.st_dev, status.st_ino


def suffix_counts(names: Counter[str]) -> str:
    """Return the commonest suffixes of files with their counts, as in ".txt 12, .xml 3"."""
    return ", ".join(f"{suffix or 'no suffix'} {count}" for suffix, count in names.most_common(3))
