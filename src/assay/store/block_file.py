"""A matrix in a file whose blocks of rows become valid one by one, written by several processes."""

from __future__ import annotations

import os
import weakref
from collections.abc import Callable, Sequence
from io import FileIO
from pathlib import Path

import numpy as np

from assay.core.errors import ModelError
from assay.environment.atomic_file import written_whole
from assay.environment.file_lock import locked
from assay.store.array_format import (
    EMPTY,
    Blocks,
    Content,
    NpyHeader,
    digests_of,
    intact,
    mapped,
    not_finite,
    read_content,
)
from assay.store.files import (
    DIGEST,
    DamagedFile,
    Readable,
    digest,
    make_shelf,
    make_way,
    name_of,
    open_regular,
    read_at,
    reason_of,
    reported_errors,
    write_at,
)

Note = Callable[[Path, str], None]  # is told why a file, or a part of it, is not used
FLOAT = np.dtype("<f4")

_State = tuple[int, int, int, tuple[bytes, ...]]  # of a file: identity, size, time of change, checksums
_verified: dict[str, tuple[_State, np.ndarray]] = {}  # by path: the intact blocks


class BlockFile:
    """A float32 matrix whose blocks of rows are written in any order, by several processes at a time.

    A block is valid when its checksum is written, which happens after its rows: a process that is killed
    leaves a block that does not exist. Rows are written rather than assigned to a memory map, so that a full
    disk raises an error instead of killing the process with a signal. The file has its full size from the
    first block on, of which the file system allocates what is written.

    Attributes:
        present: For each block, whether it is there and matches its checksum.
        damaged: The number of blocks that do not match their checksum, or all if the file is not usable.
        width: The number of columns; None until the first block is written, unless it was given.
    """

    def __init__(self, path: Path, rows: Sequence[np.ndarray], width: int | None, note: Note) -> None:
        self.present = np.zeros(len(rows), dtype=bool)
        self.damaged = 0
        self.width = width
        self._path = path
        self._rows = rows
        self._note = note
        self._blocks = _blocks_of(rows)
        self._opened: tuple[FileIO, Content] | None = None
        self._open()

    @property
    def is_checked(self) -> bool:
        """Whether the file, if there is one, has checksums."""
        return self._opened is None or self._opened[1].blocks is not None

    @property
    def matrix(self) -> np.ndarray:
        """All rows as a read-only memory map, rows x width; those of blocks not present mean nothing."""
        if self._opened is not None:
            return mapped(self._opened[0], self._opened[1].header)
        if len(self._blocks.block_of):
            raise ValueError(f"No block of '{self._path}' is written.")
        return np.empty((0, self.width or 0), FLOAT)

    def write(self, block: int, matrix: np.ndarray) -> None:
        """Write the rows of a block; one that is there stays as it is.

        Args:
            block: The position of the block.
            matrix: Its rows in the order of the file, rows x width.

        Raises:
            ModelError: The rows do not fit the block or the width of the matrix.
            StoreError: The file cannot be written.
        """
        rows = self._rows[block]
        width = matrix.shape[1] if self.width is None and matrix.ndim == 2 else self.width
        if matrix.shape != (len(rows), width):
            raise ModelError(f"{matrix.shape} rows do not fit a block of {(len(rows), width)}")
        if self.present[block]:
            return
        self.width = width
        content = np.ascontiguousarray(matrix, dtype=FLOAT).tobytes()
        with reported_errors(self._path):
            file, description = self._writable()
            with locked(file.fileno()):
                self._write(block, content, file, description)
            self.present[block] = True
            if self.present.all():
                os.fsync(file.fileno())

    def _write(self, block: int, content: bytes, file: FileIO, description: Content) -> None:
        header, position = description.header, description.digests_start + block * DIGEST
        before = read_at(file, position, DIGEST)
        if before != EMPTY:  # another process wrote it since, or it is damaged
            only = np.arange(len(self._rows)) == block
            is_same = digests_of(file, header, self._blocks, only)[block] == before
            if is_same and not np.isin(self._rows[block], not_finite(file, header)).any():
                return
            write_at(file, position, EMPTY)
        rows, size = self._rows[block], header.row_bytes
        view, first = memoryview(content), 0
        for run in np.split(rows, np.flatnonzero(np.diff(rows) != 1) + 1):
            last = first + len(run)
            if len(run):
                start = len(header.content) + int(run[0]) * size
                write_at(file, start, view[first * size : last * size])
            first = last
        write_at(file, position, digest(content))

    def _writable(self) -> tuple[FileIO, Content]:
        """Return the file, made if there is none with these blocks."""
        if self._opened is None or not self._blocks.equals(self._opened[1].blocks):
            make_shelf(self._path)
            with (self._path.parent / ".lock").open("ab") as lock, locked(lock.fileno()):
                self._open()  # another process may have made it since
                if self._opened is None or not self._blocks.equals(self._opened[1].blocks):
                    self._make()
                    self._open()
        assert self._opened is not None
        return self._opened

    def _make(self) -> None:
        """Write a file with these blocks, in which only those that are present are valid."""
        header = NpyHeader.of(FLOAT, (len(self._blocks.block_of), self.width or 0))
        matrix = self.matrix if self.present.any() else None
        make_way(self._path)
        with written_whole(self._path, fsync=True) as file:
            file.write(header.content)
            file.seek(header.end)
            file.write(self._blocks.tail(header, name_of(self._path)))
            for is_present, rows in zip(self.present, self._rows, strict=True):
                file.write(EMPTY if matrix is None or not is_present else digest(matrix[rows].tobytes()))
            if matrix is not None:
                for row in np.flatnonzero(self.present[self._blocks.block_of]):
                    file.seek(len(header.content) + int(row) * header.row_bytes)
                    file.write(matrix[row].tobytes())

    def _open(self) -> None:
        """Open the file and find out which blocks are present; without a usable file, none is."""
        self._opened = None
        self.present = np.zeros(len(self._rows), dtype=bool)
        try:
            file = _opened_for_writing(self._path)
            weakref.finalize(self, file.close)
            content = read_content(file, name_of(self._path))
            self._must_fit(content.header)
            stored = present_in(self._path, file, content, must_be_finite=True)
        except FileNotFoundError:
            return
        except (DamagedFile, OSError) as error:
            self.damaged = len(self._rows)
            self._note(self._path, reason_of(error))
            return
        self._opened, self.width = (file, content), content.header.shape[1]
        if content.blocks is None:
            self.present[:] = True
            return
        bad = content.written & ~stored
        if bad.any():
            self.damaged = max(self.damaged, int(bad.sum()))
            self._note(self._path, f"{int(bad.sum())} of {len(bad)} blocks do not match their checksums")
        if self._blocks.equals(content.blocks):
            self.present = stored.copy()
        else:
            rows = stored[content.blocks.block_of]
            self.present = np.array([rows[block].all() for block in self._rows], dtype=bool)

    def _must_fit(self, header: NpyHeader) -> None:
        rows, width = len(self._blocks.block_of), self.width
        fits = len(header.shape) == 2 and header.shape[0] == rows and width in {None, header.shape[1]}
        if header.dtype != FLOAT or header.is_fortran or not fits:
            expected = f"float32 ({rows}, {'any' if width is None else width})"
            raise DamagedFile(f"it holds {header.dtype} {header.shape}, not {expected}")


def present_in(path: Path, file: Readable, content: Content, *, must_be_finite: bool) -> np.ndarray:
    """Return which blocks of a file are intact, verified once in this process unless the file changed.

    What was written of features is finite: where a block is not, its checksum was written by something else.
    """
    status = os.fstat(file.fileno())
    state = status.st_ino, status.st_size, status.st_mtime_ns, content.digests
    known = _verified.get(str(path))
    if known is None or known[0] != state:
        known = state, intact(file, content)
        if must_be_finite and content.blocks is not None:
            known[1][content.blocks.block_of[not_finite(file, content.header)]] = False
        _verified[str(path)] = known
    return known[1]


def _opened_for_writing(path: Path) -> FileIO:
    try:
        return open_regular(path, "r+b")
    except PermissionError:
        return open_regular(path)
    except OSError as error:
        if os.path.lexists(path) and not isinstance(error, IsADirectoryError):
            return open_regular(path)  # such as a file system that is read-only
        raise


def _blocks_of(rows: Sequence[np.ndarray]) -> Blocks:
    block_of = np.full(sum(map(len, rows)), len(rows), dtype="<u4")
    for block, positions in enumerate(rows):
        if len(positions) > 1 and (np.diff(positions) <= 0).any():
            raise ValueError("The rows of a block are in the order of the file.")
        block_of[positions] = block
    if (block_of == len(rows)).any():
        raise ValueError("Each row is in one block.")
    return Blocks(block_of, len(rows))
