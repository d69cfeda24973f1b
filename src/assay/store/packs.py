"""Packs: one file for many arrays of a shelf, which merging writes, so that a shard leaves few files.

A pack, ``<shelf>/merged-<hash>.npz``, is a zip file without compression, which ``numpy.load`` reads. Its
members are the very files ``<key>.npy`` that would otherwise lie in the shelf, each with its own checksums.
The comment of the zip file is a checksum of the list of its members. A file in the shelf counts before a
member of its name.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from io import BytesIO, FileIO
from pathlib import Path
from typing import IO, NamedTuple
from zipfile import BadZipFile, ZipFile, ZipInfo

import numpy as np

from assay.store.array_format import write_array
from assay.store.files import (
    DamagedFile,
    FilePart,
    digest,
    is_key,
    make_way,
    name_of,
    open_regular,
    read_at,
    reason_of,
)

PACKED = ("predictions", "probs", "held_out")  # the shelves whose files grow with the number of jobs
_LOCAL = struct.Struct("<4s22xHH")  # before a member: a mark, the bytes of its name, and those that pad it
_PADDING = struct.Struct("<HH")  # its kind, and how many bytes follow
_ALIGNED = 64  # bytes: where arrays begin in a file, so that they can be mapped

_State = tuple[int, int, int]  # of a file or folder: identity, size, time of change


class _Member(NamedTuple):
    pack: Path
    start: int
    size: int


class _Shelf(NamedTuple):
    state: _State
    members: Mapping[str, _Member]
    damaged: Mapping[Path, Exception]  # packs of which no member is known, with the reason


class Packs:
    """The packs of a store, whose lists of members are read when the first file is not found."""

    def __init__(self, root: Path) -> None:
        self._folders = [root / shelf for shelf in PACKED]
        self._shelves: dict[str, _Shelf] = {}

    def open(self, path: Path) -> FileIO | FilePart:
        """Open a file of a shelf, or else the member of a pack that has its name.

        Raises:
            FileNotFoundError: There is neither.
            DamagedFile: It cannot be read, or may be in a pack whose list of members is damaged.
        """
        try:
            return open_regular(path)
        except FileNotFoundError:
            shelf = self._shelf(path.parent)
            if path.name in shelf.members:
                return _opened(shelf.members[path.name], path.name)
            for pack, error in shelf.damaged.items():
                raise DamagedFile(f"'{pack.name}', which may hold it: {reason_of(error)}") from None
            raise

    def holds(self, path: Path) -> bool:
        """Return whether there is a file or a member of a pack, damaged or not."""
        return os.path.lexists(path) or path.name in self._shelf(path.parent).members

    def members(self) -> Iterator[Path]:
        """Yield where members would lie if they were files, except those for which there is a file."""
        paths = (folder / name for folder in self._folders for name in self._shelf(folder).members)
        return (path for path in paths if not os.path.lexists(path))

    def damaged(self) -> dict[Path, Exception]:
        """Return the packs whose list of members cannot be used, each with the reason."""
        return dict(pair for folder in self._folders for pair in self._shelf(folder).damaged.items())

    def drop_damaged(self) -> list[Path]:
        """Remove these packs, except those that the system does not let us read; requires the write lock."""
        dropped = [
            pack
            for pack, error in self.damaged().items()
            if isinstance(error, DamagedFile) or not pack.is_file()
        ]
        for pack in dropped:
            with suppress(OSError):  # it is named again
                make_way(pack)
                pack.unlink(missing_ok=True)
        return dropped

    def forget(self, shelf: str) -> None:
        """Look again for the packs of a shelf."""
        self._shelves.pop(shelf, None)

    def _shelf(self, folder: Path) -> _Shelf:
        state = _state(folder) if folder.name in PACKED else None
        if state is None:
            return _Shelf((0, 0, 0), {}, {})
        known = self._shelves.get(folder.name)
        if known is None or known.state != state:
            known = self._shelves[folder.name] = _listed(folder, state)
        return known


def write_pack(file: IO[bytes], shelf: str, arrays: Iterable[tuple[str, np.ndarray]]) -> None:
    """Write arrays of a shelf by key; the same arrays give the same bytes."""
    with ZipFile(file, "w") as archive:
        for key, array in arrays:
            content, member = BytesIO(), ZipInfo(f"{key}.npy")
            write_array(content, name_of(Path(shelf, member.filename)), array)
            member.external_attr = 0o600 << 16  # may be read by its owner when it is unpacked
            before = file.tell() + _LOCAL.size + len(member.filename) + _PADDING.size
            padding = bytes(-before % _ALIGNED)
            member.extra = _PADDING.pack(0xD935, len(padding)) + padding
            archive.writestr(member, content.getvalue())
        archive.comment = checksum_of(archive.infolist())


def _listed(folder: Path, state: _State) -> _Shelf:
    members: dict[str, _Member] = {}
    damaged: dict[Path, Exception] = {}
    for pack in sorted(folder.glob("merged-*.npz")):
        try:
            members |= _members(pack, _state(pack))
        except (DamagedFile, OSError) as error:
            damaged[pack] = error
    return _Shelf(state, members, damaged)


@lru_cache(maxsize=1024)
def _members(pack: Path, _: _State | None) -> Mapping[str, _Member]:
    try:
        with open_regular(pack) as file, ZipFile(file) as archive:
            listed, checksum = archive.infolist(), archive.comment
            size = file.seek(0, os.SEEK_END)
    except (BadZipFile, NotImplementedError, ValueError, struct.error) as error:
        raise DamagedFile("its list of members is damaged") from error
    if checksum != checksum_of(listed):
        raise DamagedFile("its list of members does not match its checksum")
    return {
        member.filename: _Member(pack, member.header_offset, member.file_size)
        for member in listed
        if member.filename.endswith(".npy")
        and is_key(member.filename.removesuffix(".npy"))
        and 0 <= member.header_offset < size
        and member.file_size == member.compress_size < size
    }


def _opened(member: _Member, name: str) -> FilePart:
    file = open_regular(member.pack)
    try:
        return FilePart(file, _start(file, member, name), member.size)
    except BaseException:
        file.close()
        raise


def _start(file: FileIO, member: _Member, name: str) -> int:
    before = read_at(file, member.start, _LOCAL.size + len(name))
    kind, length, padding = _LOCAL.unpack_from(before)
    if (kind, length, before[_LOCAL.size :]) != (b"PK\3\4", len(name), name.encode()):
        raise DamagedFile(f"its place in '{member.pack.name}' is damaged")
    return member.start + len(before) + int(padding)


def checksum_of(members: Iterable[ZipInfo]) -> bytes:
    """Return a checksum of what is used of a list of members."""
    used = [(one.filename, one.header_offset, one.file_size, one.compress_size) for one in members]
    return digest(repr(used).encode("utf-8", "surrogatepass")).hex().encode()


def _state(path: Path) -> _State | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
