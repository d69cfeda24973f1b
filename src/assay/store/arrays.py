"""Stores arrays and JSON by key, in files of their own or packs, with checksums and without pickle."""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from io import BufferedReader
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np

from assay.core.errors import ModelError, StoreError
from assay.core.result import FileNote
from assay.environment.atomic_file import written_whole
from assay.store.array_format import ArrayWriter, mapped, read_content, write_array
from assay.store.block_file import BlockFile, present_in
from assay.store.cache import CACHED, mark_used
from assay.store.checked_text import checked_text, with_checksum
from assay.store.files import (
    DamagedFile,
    digest,
    is_key,
    make_shelf,
    make_way,
    name_of,
    open_regular,
    reason_of,
    reported_errors,
)
from assay.store.packs import Packs, write_pack
from assay.store.small_arrays import read_small

logger = logging.getLogger(__name__)

Parsed = TypeVar("Parsed")


class Arrays:
    """Files ``<root>/<shelf>/<key>.npy`` or ``.json``; a shelf is a kind of data, such as features.

    What was merged may be in packs instead, from which it is read as if it were a file of its own.
    Every file carries checksums, which are verified when it is read. A damaged file counts as absent.

    Attributes:
        adds_checksums: Whether a file of an earlier version is written again with checksums when it is read.
    """

    def __init__(self, root: Path, *, adds_checksums: bool = False) -> None:
        self._root = root
        self.adds_checksums = adds_checksums
        self._notes: dict[str, FileNote] = {}
        self._packs = Packs(root)

    @property
    def root(self) -> Path:
        """The folder of the store."""
        return self._root

    @property
    def notes(self) -> tuple[FileNote, ...]:
        """The damaged files and those without checksums that this object met, each once."""
        return tuple(self._notes.values())

    @property
    def damaged(self) -> dict[str, str]:
        """The damaged files among them, as ``<shelf>/<name>``, each with the reason."""
        return {note.file: note.damage for note in self.notes if note.damage}

    @property
    def unchecked(self) -> set[str]:
        """The files among them that had no checksum."""
        return {note.file for note in self.notes if not note.damage}

    def learn(self, notes: Iterable[FileNote]) -> None:
        """Add what other processes met."""
        for note in notes:
            if note.file not in self._notes or (note.damage and not self._notes[note.file].damage):
                self._notes[note.file] = note

    def write(self, shelf: str, key: str, array: np.ndarray) -> None:
        """Write an array."""
        with self._replacing(shelf, key, ".npy") as file, reported_errors(Path(file.name)):
            write_array(file, name_of(self._path(shelf, key, ".npy")), array)

    def pack(self, shelf: str, keys: Sequence[str], source: Arrays) -> None:
        """Write what another store has of these keys, of which this one holds none, into one file."""
        if not keys:
            return
        arrays = ((key, array) for key in keys if (array := source.read(shelf, key)) is not None)
        name = f"merged-{digest(' '.join(keys).encode()).hex()}"
        with self._replacing(shelf, name, ".npz") as file, reported_errors(Path(file.name)):
            write_pack(file, shelf, arrays)
        self._packs.forget(shelf)

    def holds(self, shelf: str, key: str) -> bool:
        """Return whether there is an array, damaged or not."""
        return self._packs.holds(self._path(shelf, key, ".npy"))

    def drop_damaged_packs(self) -> None:
        """Remove packs of which nothing can be read, once all was made again; requires the write lock."""
        shelves = {pack.parent.name for pack in self._packs.drop_damaged()}
        for name in list(self._notes):
            if name.partition("/")[0] in shelves and not os.path.lexists(self._root / name):
                del self._notes[name]  # nothing made it again: it was never there

    def write_text(self, shelf: str, key: str, text: str) -> None:
        """Write JSON, which is followed by its checksum in white space: so the file stays JSON."""
        with self._replacing(shelf, key, ".json") as file, reported_errors(Path(file.name)):
            file.write(with_checksum(text, name_of(self._path(shelf, key, ".json"))))

    def read_text(self, shelf: str, key: str) -> str | None:
        """Return JSON without its checksum, or None if the key does not exist or the file is damaged."""
        path = self._path(shelf, key, ".json")
        try:
            with open_regular(path) as file:
                content = file.read()
            text, is_checked = checked_text(content, name_of(path))
        except FileNotFoundError:
            return None
        except (DamagedFile, OSError, ValueError, RecursionError) as error:
            self._note(
                path, reason_of(error) if isinstance(error, (DamagedFile, OSError)) else "it is not JSON"
            )
            return None
        if not is_checked:
            self._note(path, "")
            with suppress(StoreError):  # it is not needed
                if self.adds_checksums:
                    self.write_text(shelf, key, text)
        return text

    def read_json(self, shelf: str, key: str, parse: Callable[[Any], Parsed]) -> Parsed | None:
        """Return what ``parse`` makes of a stored value; a value that it cannot use counts as damaged."""
        text = self.read_text(shelf, key)
        try:
            return None if text is None else parse(json.loads(text))
        except (AttributeError, LookupError, TypeError, ValueError, OverflowError, RecursionError):
            self.refuse(shelf, f"{key}.json", "it does not hold what is expected")
            return None

    def remove_text(self, shelf: str, key: str) -> None:
        """Remove JSON, if it exists."""
        self._path(shelf, key, ".json").unlink(missing_ok=True)

    def drop_unfinished(self) -> None:
        """Remove temporary files of killed processes; requires the write lock."""
        for path in self._root.glob("*/.*.*.*"):
            if path.name.rpartition(".")[2].isdigit():
                path.unlink(missing_ok=True)

    def read(self, shelf: str, key: str) -> np.ndarray | None:
        """Return a read-only array, or None if the key does not exist or is damaged.

        It is a memory map unless it is small. A file of blocks is returned when all of its blocks are there.
        """
        path = self._path(shelf, key, ".npy")
        if shelf in CACHED:
            mark_used(path)
        try:
            with self._packs.open(path) as unbuffered:
                small = None if shelf in CACHED else read_small(unbuffered, name_of(path))
                if small is not None:
                    return small
                file = BufferedReader(unbuffered)
                content = read_content(file, name_of(path))
                present = present_in(path, file, content, must_be_finite=shelf in CACHED)
                array = mapped(unbuffered, content.header)
        except FileNotFoundError:
            return None
        except (DamagedFile, OSError, ValueError) as error:
            self._note(path, reason_of(error))
            return None
        if content.blocks is None:
            self._add_checksums(path, shelf, key, array)
        bad = content.written & ~present
        if bad.any():
            self._note(path, f"{int(bad.sum())} of {len(bad)} blocks do not match their checksums")
        return array if present.all() else None

    def blocks(self, shelf: str, key: str, rows: Sequence[np.ndarray], width: int | None) -> BlockFile:
        """Return a matrix whose blocks are written one by one; a damaged block is not present.

        Args:
            shelf: The kind of data.
            key: The key.
            rows: The rows of each block, ascending; together they are all rows of the matrix. A file with
                other blocks is used as far as its rows are there.
            width: The number of columns; None if the first block or the stored file decides it.
        """
        path = self._path(shelf, key, ".npy")
        if shelf in CACHED:
            mark_used(path)
        blocks = BlockFile(path, rows, width, self._note)
        if not blocks.is_checked:
            self._add_checksums(path, shelf, key, blocks.matrix)
        return blocks

    def refuse(self, shelf: str, file: str, reason: str) -> None:
        """Note that a file does not hold what it should."""
        self._note(self._root / shelf / file, reason)

    def is_mended(self, name: str) -> bool:
        """Return whether a file, as named in ``damaged``, was made again since."""
        shelf, _, file = name.partition("/")
        key, _, suffix = file.rpartition(".")
        fresh = Arrays(self._root)
        if _state(self._root / name) == self._notes[name].state:
            return False
        return (fresh.read_text if suffix == "json" else fresh.read)(shelf, key) is not None

    def has_checksum(self, name: str) -> bool:
        """Return whether a file, as named in ``unchecked``, has checksums now."""
        fresh = Arrays(self._root)
        shelf, _, file = name.partition("/")
        key, _, suffix = file.rpartition(".")
        (fresh.read_text if suffix == "json" else fresh.read)(shelf, key)
        return not fresh.unchecked

    def _add_checksums(self, path: Path, shelf: str, key: str, array: np.ndarray) -> None:
        self._note(path, "")
        with suppress(StoreError):  # they are not needed
            if self.adds_checksums:
                self.write(shelf, key, array)

    @contextmanager
    def appending(
        self, shelf: str, key: str, shape: tuple[int, int]
    ) -> Iterator[Callable[[np.ndarray], None]]:
        """Write a float32 matrix of known shape in order; it becomes visible when complete.

        Rows are appended rather than written through a memory map, so that a full disk raises an error
        instead of killing the process with a signal.
        """
        with self._replacing(shelf, key, ".npy") as file:
            left = shape[0]
            writer = ArrayWriter(file, name_of(self._path(shelf, key, ".npy")), np.dtype("<f4"), shape)

            def append(rows: np.ndarray) -> None:
                nonlocal left
                if rows.shape[1:] != shape[1:] or len(rows) > left:
                    raise ModelError(f"{rows.shape} rows do not fit a matrix of {shape}, {left} of them left")
                left -= len(rows)
                with reported_errors(Path(file.name)):
                    writer.append(rows)

            yield append
            if left:
                raise ModelError(f"{left} of {shape[0]} rows are missing")
            with reported_errors(Path(file.name)):
                writer.end()

    def _note(self, path: Path, damage: str) -> None:
        name = self._name(path)
        if damage and name not in self.damaged:
            logger.info("'%s' is damaged and is not used: %s", path, damage)
        self.learn([FileNote(name, damage, _state(path))])

    def _name(self, path: Path) -> str:
        return path.relative_to(self._root).as_posix()

    @contextmanager
    def _replacing(self, shelf: str, key: str, suffix: str) -> Iterator[IO[bytes]]:
        path = self._path(shelf, key, suffix)
        with ExitStack() as stack:
            with reported_errors(path):
                make_way(path)
                make_shelf(path)
                file = stack.enter_context(written_whole(path, fsync=True))
            yield file  # what fails here may be no error of writing
            with reported_errors(path):
                stack.close()

    def _path(self, shelf: str, key: str, suffix: str) -> Path:
        if not is_key(key):
            raise ValueError(f"Not a key: {key!r}")
        return self._root.joinpath(shelf, f"{key}{suffix}")


def _state(path: Path) -> tuple[int, int] | None:
    try:
        status = path.lstat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
