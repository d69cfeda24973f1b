"""Images and sounds inside a column of Parquet files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from assay.core.errors import MissingPackage, UnreadableTask
from assay.core.paths import regular_bytes
from assay.core.task import Modality
from assay.readers.files import FileExamples, Files, FileState
from assay.readers.formats.embedded import embedded_modality, is_struct_of_file
from assay.readers.formats.parquet_rows import is_bytes, rows_at_once
from assay.readers.formats.suffixes import PARQUET
from assay.readers.images import StoredImages
from assay.readers.sounds import StoredSounds
from assay.readers.tables import TextTable, spooled

_CELLS = pa.schema([("bytes", pa.binary()), ("path", pa.string())])


def embedded_columns(paths: Sequence[Path]) -> dict[str, Modality]:
    """Return the columns of Parquet files with images or sounds; empty for other formats."""
    if not all(path.suffix.lower() in PARQUET for path in paths):
        return {}
    with pq.ParquetFile(paths[0]) as opened:
        schema = opened.schema_arrow
        names = [field.name for field in schema if is_bytes(field.type) or is_struct_of_file(field.type)]
        first = next(opened.iter_batches(rows_at_once(schema), columns=names), None) if names else None
    found = {} if first is None else {name: embedded_modality(first[name]) for name in names}
    return {name: modality for name, modality in found.items() if modality is not None}


@dataclass(frozen=True, slots=True)
class EmbeddedFiles(Files):
    """The files in a column of Parquet files, copied to a memory-mapped temporary file.

    Attributes:
        table: The table with the same rows.
        cells: The bytes of each file; its path where they are elsewhere.
    """

    table: TextTable
    cells: pa.Table

    @staticmethod
    def of(table: TextTable, column: str) -> EmbeddedFiles:
        """Return the files of a column of ``embedded_columns``."""
        return EmbeddedFiles(table, spooled(_CELLS, _cells(table.paths, column)))

    def __len__(self) -> int:
        return len(self.table)

    def content(self, row: int) -> bytes:
        """Return the bytes of one file."""
        content, path = (self.cells[name][row].as_py() for name in ("bytes", "path"))
        if content is not None or not path:
            return bytes(content or b"")
        file, _ = self.table.position(row)
        return regular_bytes(Path(self.table.paths[file].absolute().parent, path))

    def name(self, row: int) -> str:
        """Return the number of the row."""
        return self.table.row_name(row)

    def state(self, row: int) -> FileState | None:
        """Return None: the column is read whole at each start."""
        return None


def stored(files: Files, modality: Modality) -> FileExamples:
    """Return files as images or sounds.

    Raises:
        MissingPackage: They are sounds, and soundfile is not installed.
    """
    if modality is Modality.IMAGE:
        return StoredImages(files)
    try:
        import soundfile  # noqa: F401  # that it is there
    except ImportError as error:
        raise MissingPackage("audio", "soundfile") from error
    return StoredSounds(files)


def _cells(paths: Sequence[Path], column: str) -> Iterator[pa.RecordBatch]:
    for path in paths:
        try:
            with pq.ParquetFile(path) as opened:
                for batch in opened.iter_batches(rows_at_once(opened.schema_arrow), columns=[column]):
                    yield _bytes_and_paths(batch[column])
        except pa.ArrowException as error:
            raise UnreadableTask(f"Cannot read {path.name} as Parquet: {error}") from error


def _bytes_and_paths(column: pa.Array) -> pa.RecordBatch:
    if not is_struct_of_file(column.type):
        return pa.record_batch([column.cast(pa.binary()), pa.nulls(len(column), pa.string())], schema=_CELLS)
    fields = dict(zip([field.name for field in column.type], column.flatten(), strict=True))
    return pa.record_batch([fields[field.name].cast(field.type) for field in _CELLS], schema=_CELLS)
