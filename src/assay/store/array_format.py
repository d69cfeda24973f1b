"""The file format of stored arrays: NPY, followed by a checksum of each block of rows.

The file is an NPY file of version 2.0 in C order, which ``numpy.load`` reads. After the data follow:

- 8 bytes that name the format, the number of blocks, and the rows of each block (0: a map of rows follows);
- a checksum of the NPY header, of the 16 bytes above, of the map and of the name of the file;
- the map, if there is one: the block of each row;
- a checksum of each block, whose rows are read in the order of the file; zeros mean that it is not written.

Checksums are blake2b of 16 bytes. The name is that of the folder and of the file in it: so a file that was
copied over another is not used. Earlier files left it out, with another name of the format. Files of schema
version 3 are NPY files of version 1.0 without any: so a file that lost its checksums is not mistaken for
one that never had any.
"""

from __future__ import annotations

import math
import os
import re
import struct
from dataclasses import dataclass
from functools import cached_property, lru_cache
from io import BytesIO
from itertools import pairwise
from mmap import ACCESS_READ, ALLOCATIONGRANULARITY, mmap
from typing import IO

import numpy as np

from assay.store.files import DIGEST, DamagedFile, FilePart, Readable, checksum, digest, read_at

BLOCK = 512  # rows of a block of an array that is written whole
EMPTY = bytes(DIGEST)  # the checksum of a block that is not written

_MAGIC = b"assay\x00\x002"
_NAMELESS = b"assay\x00\x001"  # of files that may have any name
_HEAD = struct.Struct("<8sII")
_NPY = re.compile(
    rb"\{'descr': '([<>|=]?[biufUS]\d+)', 'fortran_order': (True|False), 'shape': \(([\d, ]*)\), \} *\n"
)
MOST_HEADER = 4096  # bytes; ours have 128
_CHUNK = 4 << 20  # bytes that are read at once


@dataclass(frozen=True, slots=True)
class NpyHeader:
    """The NPY header of a file.

    Attributes:
        content: The bytes before the data.
        is_checked: Whether checksums follow the data.
    """

    dtype: np.dtype
    shape: tuple[int, ...]
    is_fortran: bool
    is_checked: bool
    content: bytes

    @classmethod
    def of(cls, dtype: np.dtype, shape: tuple[int, ...]) -> NpyHeader:
        """Return the header of a file with checksums."""
        file = BytesIO()
        fields = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
        np.lib.format.write_array_header_2_0(file, fields)
        return cls(dtype, shape, False, True, file.getvalue())

    @property
    def rows(self) -> int:
        """The number of rows; 1 for an array without dimensions."""
        return self.shape[0] if self.shape else 1

    @property
    def row_bytes(self) -> int:
        """The bytes of a row."""
        return self.dtype.itemsize * math.prod(self.shape[1:])

    @property
    def end(self) -> int:
        """The position in the file at which the data end."""
        return len(self.content) + self.rows * self.row_bytes


@dataclass(frozen=True, eq=False)
class Blocks:
    """The assignment of rows to blocks.

    Attributes:
        block_of: The block of each row.
        count: The number of blocks.
    """

    block_of: np.ndarray
    count: int

    @classmethod
    def in_order(cls, rows: int) -> Blocks:
        """Return blocks of consecutive rows."""
        return cls((np.arange(rows) // BLOCK).astype("<u4"), -(-rows // BLOCK))

    @cached_property
    def is_in_order(self) -> bool:
        """Whether each block has ``BLOCK`` consecutive rows, the last one the rest."""
        return self.equals(Blocks.in_order(len(self.block_of)))

    def equals(self, other: Blocks | None) -> bool:
        """Return whether these are the same blocks."""
        if other is None or self.count != other.count:
            return False
        return np.array_equal(self.block_of, other.block_of)

    def tail(self, header: NpyHeader, name: bytes) -> bytes:
        """Return the bytes between the data and the checksums of the blocks of a file with this name."""
        if self.is_in_order:
            return tail_in_order(header, name)
        head, rows = _HEAD.pack(_MAGIC, self.count, 0), self.block_of.astype("<u4").tobytes()
        return head + digest(header.content + head + rows + name) + rows


@dataclass(frozen=True)
class Content:
    """What a file holds, apart from its data.

    Attributes:
        blocks: The blocks of rows; None if the file has no checksums.
        digests: The checksum of each block.
        digests_start: The position in the file of the first of these checksums.
    """

    header: NpyHeader
    blocks: Blocks | None
    digests: tuple[bytes, ...]
    digests_start: int

    @property
    def written(self) -> np.ndarray:
        """For each block, whether it was written."""
        return np.array([one != EMPTY for one in self.digests], dtype=bool)


class ArrayWriter:
    """Writes an array row by row, then its checksums."""

    def __init__(self, file: IO[bytes], name: bytes, dtype: np.dtype, shape: tuple[int, ...]) -> None:
        self._file, self._name = file, name
        self._header = NpyHeader.of(dtype, shape)
        self._digests: list[bytes] = []
        self._sum = checksum()
        self._room = BLOCK  # rows until the block is full
        file.write(self._header.content)

    def append(self, rows: np.ndarray) -> None:
        """Write the next rows."""
        rows = rows.astype(self._header.dtype, copy=False)
        while len(rows):
            content = rows[: self._room].tobytes()
            self._file.write(content)
            self._sum.update(content)
            written = min(len(rows), self._room)
            rows, self._room = rows[written:], self._room - written
            if not self._room:
                self._end_block()

    def end(self) -> None:
        """Write the checksums."""
        if self._room < BLOCK:
            self._end_block()
        self._file.write(tail_in_order(self._header, self._name) + b"".join(self._digests))

    def _end_block(self) -> None:
        self._digests.append(self._sum.digest())
        self._sum, self._room = checksum(), BLOCK


def tail_in_order(header: NpyHeader, name: bytes) -> bytes:
    """Return the bytes between the data and the checksums of blocks of consecutive rows."""
    head = _HEAD.pack(_MAGIC, -(-header.rows // BLOCK), BLOCK)
    return head + digest(header.content + head + name)


def write_array(file: IO[bytes], name: bytes, array: np.ndarray) -> None:
    """Write an array with its checksums."""
    writer = ArrayWriter(file, name, array.dtype, array.shape)
    writer.append(array if array.ndim else array.reshape(1))
    writer.end()


def read_content(file: Readable, name: bytes) -> Content:
    """Return the header and checksums of a file; raise ``DamagedFile`` if they do not fit its name or size.

    Args:
        file: The file.
        name: Its name, of ``name_of``.
    """
    size = file.seek(0, os.SEEK_END)
    header = npy_header(read_at(file, 0, min(size, MOST_HEADER)))
    if not header.is_checked:
        if size != header.end:
            raise DamagedFile(f"it has {size:,} bytes, not {header.end:,}")
        return Content(header, None, (), size)
    start = header.end + _HEAD.size + DIGEST
    if size < start:
        raise DamagedFile(f"it has {size:,} bytes, fewer than {start:,}")
    head = read_at(file, header.end, _HEAD.size)
    magic, count, rows_of_block = _HEAD.unpack(head)
    map_size = 0 if rows_of_block else 4 * header.rows
    if magic not in {_MAGIC, _NAMELESS} or size != start + map_size + count * DIGEST:
        raise DamagedFile("its checksums are damaged")
    row_map = read_at(file, start, map_size)
    named = header.content + head + row_map + (name if magic == _MAGIC else b"")
    if digest(named) != read_at(file, header.end + _HEAD.size, DIGEST):
        raise DamagedFile("its header is damaged, or it is a copy of another file")
    block_of = np.frombuffer(row_map, dtype="<u4")
    needed = -(-header.rows // BLOCK) if rows_of_block else len(block_of) and int(block_of.max()) + 1
    if needed > count:
        raise DamagedFile(f"it has {count:,} checksums, fewer than {needed:,}")
    blocks = Blocks.in_order(header.rows) if rows_of_block else Blocks(block_of, count)
    content = read_at(file, start + map_size, count * DIGEST)
    digests = tuple(content[at : at + DIGEST] for at in range(0, len(content), DIGEST))
    return Content(header, blocks, digests, start + map_size)


def intact(file: Readable, content: Content) -> np.ndarray:
    """Return for each block whether it is written and its rows match its checksum."""
    if content.blocks is None:
        return np.ones(0, dtype=bool)
    found = digests_of(file, content.header, content.blocks, content.written)
    return np.array([a == b for a, b in zip(found, content.digests, strict=True)], dtype=bool)


def digests_of(file: Readable, header: NpyHeader, blocks: Blocks, wanted: np.ndarray) -> list[bytes]:
    """Return the checksums of the data of the wanted blocks; the others are undefined.

    The file is read in its own order, rather than through a memory map, so that a defect of the disk raises
    an error instead of killing the process with a signal.
    """
    sums = [checksum() for _ in range(blocks.count)]
    size = header.row_bytes
    step = max(1, _CHUNK // max(1, size))
    for start in range(0, header.rows, step):
        block_of = blocks.block_of[start : start + step]
        if not wanted[block_of].any():
            continue
        content = memoryview(read_at(file, len(header.content) + start * size, len(block_of) * size))
        edges = [0, *(np.flatnonzero(np.diff(block_of)) + 1).tolist(), len(block_of)]
        for first, last in pairwise(edges):
            if wanted[block_of[first]]:
                sums[block_of[first]].update(content[first * size : last * size])
    return [one.digest() for one in sums]


def not_finite(file: Readable, header: NpyHeader) -> np.ndarray:
    """Return the rows that hold a number that is not finite; the file is read as ``digests_of`` does."""
    if header.dtype.kind != "f" or not header.row_bytes or header.is_fortran:
        return np.empty(0, dtype=np.int64)
    size, found = header.row_bytes, [np.empty(0, dtype=np.int64)]
    for at in range(0, header.rows, rows := max(1, _CHUNK // size)):
        content = read_at(file, len(header.content) + at * size, min(rows, header.rows - at) * size)
        is_finite = np.isfinite(np.frombuffer(content, header.dtype)).reshape(len(content) // size, -1)
        found.append(at + np.flatnonzero(~is_finite.all(axis=1)))
    return np.concatenate(found)


def mapped(file: Readable, header: NpyHeader) -> np.ndarray:
    """Return the data of a file as a read-only memory map, which outlives the open file."""
    if header.end == len(header.content):
        return np.empty(header.shape, header.dtype)
    before = (start := file.start if isinstance(file, FilePart) else 0) % ALLOCATIONGRANULARITY
    content = mmap(file.fileno(), before + header.end, access=ACCESS_READ, offset=start - before)
    flat = np.frombuffer(content, header.dtype, offset=before + len(header.content))
    return flat.reshape(header.shape, order="F" if header.is_fortran else "C")


def npy_header(content: bytes) -> NpyHeader:
    """Return the header at the start of a file; raise ``DamagedFile`` if there is none of ours."""
    if not content:
        raise DamagedFile("it is empty")
    version, start, length = content[6:8], 0, 0
    if version == b"\x01\x00" and len(content) >= 10:
        start, length = 10, struct.unpack("<H", content[8:10])[0]
    elif version == b"\x02\x00" and len(content) >= 12:
        start, length = 12, struct.unpack("<I", content[8:12])[0]
    if content[:6] != b"\x93NUMPY" or not start:
        raise DamagedFile("its header is damaged")
    return _parsed(content[: start + length], start)


@lru_cache  # most files of a task have the same
def _parsed(content: bytes, start: int) -> NpyHeader:
    match = _NPY.fullmatch(content[start:])
    if match is None:
        raise DamagedFile("its header is damaged")
    try:
        dtype = np.dtype(match[1].decode())
        shape = tuple(int(part) for part in match[3].replace(b" ", b"").split(b",") if part)
    except (TypeError, ValueError) as error:
        raise DamagedFile("its header is damaged") from error
    is_fortran = match[2] == b"True"
    return NpyHeader(dtype, shape, is_fortran, content[6:8] == b"\x02\x00", content)
