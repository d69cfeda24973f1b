"""Tables of strings, in memory or (if large) in a memory-mapped temporary file."""

from __future__ import annotations

import mmap
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from assay.core.errors import UnreadableTask
from assay.core.task import Examples, Words
from assay.readers.digests import digest_example
from assay.readers.formats.row_places import RowPlaces
from assay.readers.formats.table_file import DETECTED, TableFormat
from assay.readers.rows import stream

_IN_MEMORY_BYTES = 32 << 20  # larger files are memory-mapped; Parquet is compressed about fourfold
_HEAD = 1000  # rows used for guesses
_MISSING = -1
_COMPRESSED = frozenset({".parquet", ".pq", ".gz", ".bz2", ".xz", ".zip", ".xlsx"})


@dataclass(frozen=True, slots=True)
class TextTable:
    """One or more files with the same string columns.

    Attributes:
        cells: The concatenated rows of all files.
        starts: The first row of each file.
        notes: How the files were read.
        places: Where the rows of each file lie; empty if they are numbered as they were read.
        lacking: For each column that is left out the files that lack it, and its first cells in another.
    """

    paths: tuple[Path, ...]
    starts: tuple[int, ...]
    cells: pa.Table
    notes: tuple[str, ...] = ()
    places: tuple[RowPlaces, ...] = ()
    lacking: Mapping[str, tuple[tuple[str, ...], Sequence[str]]] = field(default_factory=dict)

    def __len__(self) -> int:
        return int(self.cells.num_rows)

    @property
    def title(self) -> str:
        """The file names, for messages."""
        return ", ".join(path.name for path in self.paths)

    def head(self) -> dict[str, list[str]]:
        """Return the first cells of each column in every file; empty cells are empty strings."""
        parts = pa.concat_tables([self.cells.slice(start, _HEAD) for start in self.starts])
        return {name: [cell or "" for cell in parts[name].to_pylist()] for name in parts.column_names}

    def column(self, name: str) -> Iterator[str]:
        """Yield the trimmed cells of a column in chunks; empty cells are empty strings."""
        for chunk in self.cells[name].chunks:
            yield from ((cell or "").strip() for cell in chunk.to_pylist())

    def coded(self, name: str) -> tuple[list[str], np.ndarray]:
        """Return the distinct trimmed cells of a column, and the index of each row's cell in them."""
        trimmed = pc.utf8_trim_whitespace(self.cells[name])
        coded = pc.dictionary_encode(trimmed).unify_dictionaries()
        names = coded.chunk(0).dictionary.to_pylist()
        codes = [np.asarray(chunk.indices.fill_null(_MISSING)) for chunk in coded.chunks]
        return names, np.concatenate(codes).astype(np.int64)

    def holds(self, name: str, marks: Sequence[str]) -> np.ndarray:
        """Return for each row whether its trimmed cell in a column is one of some."""
        found = pc.is_in(pc.utf8_trim_whitespace(self.cells[name]), value_set=pa.array(marks, pa.string()))
        return np.asarray(found, dtype=bool)

    def of_files(self, values: Sequence[int | float]) -> np.ndarray:
        """Return the value of its file for each row."""
        return np.repeat(values, np.diff([*self.starts, len(self)]))

    def position(self, row: int) -> tuple[int, int]:
        """Return the file index of a row and its position in the file."""
        file = int(np.searchsorted(self.starts, row, side="right")) - 1
        return file, row - self.starts[file]

    def row_name(self, row: int) -> str:
        """Return the name of a row: its number in its file below the header."""
        file, position = self.position(row)
        name = self.places[file].name(position) if self.places else f"row {position + 1}"
        return name if len(self.paths) == 1 else f"{self.paths[file].name} {name}"


@dataclass(frozen=True, slots=True)
class TableTexts(Examples):
    """Texts, pairs of texts or labelled words from one or two columns of a table.

    Attributes:
        columns: One column, or two for pairs.
        split: Splits a text into words if words have labels; otherwise None.
    """

    table: TextTable
    columns: tuple[str, ...]
    split: Callable[[str], tuple[str, ...]] | None = None

    def __len__(self) -> int:
        return len(self.table)

    def read(self, row: int) -> str | tuple[str, str] | Words:
        """Return one text, or a pair."""
        cells = [str(self.table.cells[name][row].as_py()).strip() for name in self.columns]
        if self.split is not None:
            return Words(self.split(cells[0]))
        return cells[0] if len(cells) == 1 else (cells[0], cells[1])

    def name(self, row: int) -> str:
        """Return the number of the row."""
        return self.table.row_name(row)


def read_table(paths: Sequence[Path], form: TableFormat = DETECTED) -> TextTable:
    """Read files with the same columns, in bounded memory.

    Args:
        paths: Files of tables.
        form: The user's settings of their format.

    Raises:
        UnreadableTask: A file is broken, or the files have no column in common.
    """
    notes: list[str] = []
    places = {path: RowPlaces() for path in paths}
    table = read_streams(
        {path: partial(stream, path, form, notes.append, of_file) for path, of_file in places.items()}
    )
    return replace(table, notes=tuple(notes), places=tuple(places.values()))


def read_streams(streams: Mapping[Path, Callable[[], Iterator[pa.RecordBatch]]]) -> TextTable:
    """Read a table from streams of rows, as ``read_table`` does for files."""
    paths = tuple(streams)
    tables = [_read(path, batches) for path, batches in streams.items()]
    tables = [_named_like(tables[0].column_names, table) for table in tables]
    common = [name for name in tables[0].column_names if all(name in table.column_names for table in tables)]
    if not common:
        raise UnreadableTask(
            f"{', '.join(path.name for path in paths)} have no column in common. Give them the same header."
        )
    starts = np.cumsum([0, *(table.num_rows for table in tables[:-1])])
    cells = pa.concat_tables([table.select(common) for table in tables])
    return TextTable(paths, tuple(int(start) for start in starts), cells, lacking=_lacking(paths, tables))


def _named_like(names: Sequence[str], table: pa.Table) -> pa.Table:
    """Return a table with the columns called as in another where names differ by capitals or spaces."""
    alike = {name.strip().casefold(): name for name in names}
    others = [
        name if name in names else alike.get(name.strip().casefold(), name) for name in table.column_names
    ]
    return (
        table if len(alike) < len(names) or len(set(others)) < len(others) else table.rename_columns(others)
    )


def _lacking(
    paths: Sequence[Path], tables: Sequence[pa.Table]
) -> dict[str, tuple[tuple[str, ...], list[str]]]:
    """Return the columns that some tables lack, each with their files and its first cells in another."""
    lacking = {}
    for name in dict.fromkeys(name for table in tables for name in table.column_names):
        without = tuple(
            path.name for path, table in zip(paths, tables, strict=True) if name not in table.column_names
        )
        if without:
            having = next(table for table in tables if name in table.column_names)
            lacking[name] = (without, [cell or "" for cell in having[name].slice(0, _HEAD).to_pylist()])
    return lacking


def text_digests(table: TextTable, columns: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
    """Return the content hash of each row (uint64), and whether it has an empty cell in these columns."""
    digests = np.empty(len(table), dtype=np.uint64)
    empty = np.zeros(len(table), dtype=bool)
    for row, cells in enumerate(zip(*(table.column(name) for name in columns), strict=True)):
        digests[row] = digest_example(cells)
        empty[row] = not all(cells)
    return digests, empty


def _read(path: Path, rows: Callable[[], Iterator[pa.RecordBatch]]) -> pa.Table:
    try:
        batches = rows()
        first = next(batches, None)
        if first is None:
            raise UnreadableTask(f"{path} has no rows.")
        every = chain([first], batches)
        if path.is_file() and _size(path) <= _IN_MEMORY_BYTES:
            return pa.Table.from_batches(every)
        return spooled(first.schema, every)
    except OSError as error:
        raise UnreadableTask(
            f"Cannot read {path}: {error.strerror or error}. Check its permissions, and the free space "
            f"for temporary files in {tempfile.gettempdir()}."
        ) from error


def _size(path: Path) -> int:
    return path.stat().st_size * (4 if path.suffix.lower() in _COMPRESSED else 1)


def spooled(schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> pa.Table:
    """Write batches to an unnamed temporary file and memory-map it; the system deletes it after use."""
    with tempfile.TemporaryFile(prefix="assay-") as file:
        with pa.ipc.new_file(file, schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
        file.flush()
        mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    return pa.ipc.open_file(pa.py_buffer(mapped)).read_all()
