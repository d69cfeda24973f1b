"""Parquet and Arrow files, and Arrow columns as strings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from assay.core.errors import UnreadableTask
from assay.core.size_limits import too_many_bytes
from assay.readers.formats.embedded import (
    class_names,
    embedded_modality,
    file_names,
    is_struct_of_file,
    with_names,
)
from assay.readers.formats.json_rows import as_text
from assay.readers.formats.table_file import Note, TableFile, require_columns

_ROWS = 1024
_ROWS_OF_FILES = 64  # each may have megabytes
_ARROW_FILE = b"ARROW1"  # how a file begins that is no stream

Writer = Callable[[pa.Array], pa.Array]


def parquet_rows(file: TableFile, note: Note) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a Parquet file; a note names the columns that cannot be strings.

    Bytes are read as UTF-8, and of a column of structs each field has a column, such as ``meta.lang``. Of
    images and sounds there are names, and of numbers of classes the names that the file itself gives.
    """
    try:
        with pq.ParquetFile(file.path) as opened:
            require_columns(opened.metadata.num_columns, file.name)
            require_bounded(opened.metadata, file.path)
            schema = opened.schema_arrow
            yield from _strings(opened.iter_batches(batch_size=rows_at_once(schema)), schema, file, note)
    except pa.ArrowException as error:
        raise UnreadableTask(f"Cannot read {file.name} as Parquet: {error}") from error


def arrow_rows(file: TableFile, note: Note) -> Iterator[pa.RecordBatch]:
    """Yield the rows of an Arrow file or stream, such as Feather, as ``parquet_rows`` does."""
    try:
        with pa.memory_map(str(file.path)) as mapped:
            is_file = mapped.read(len(_ARROW_FILE)) == _ARROW_FILE
            mapped.seek(0)
            opened = pa.ipc.open_file(mapped) if is_file else pa.ipc.open_stream(mapped)
            require_columns(len(opened.schema), file.name)
            found = map(opened.get_batch, range(opened.num_record_batches)) if is_file else iter(opened)
            count = rows_at_once(opened.schema)
            yield from _strings(_validated(found, count), opened.schema, file, note)
    except pa.ArrowException as error:
        raise UnreadableTask(f"Cannot read {file.name} as an Arrow file: {error}") from error


def _validated(batches: Iterable[pa.RecordBatch], count: int) -> Iterator[pa.RecordBatch]:
    """Yield batches of limited size; offsets outside the file would end the process later."""
    for batch in batches:
        batch.validate(full=True)
        yield from (batch.slice(row, count) for row in range(0, batch.num_rows, count))


def _strings(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, file: TableFile, note: Note
) -> Iterator[pa.RecordBatch]:
    """Yield batches with all columns that can be strings as such."""
    writers: dict[str, Writer] | None = None
    classes = class_names(schema)
    for batch in batches:
        columns = _flat(batch)
        if writers is None:
            writers = {name: write for name, column in columns.items() if (write := _writer(column))}
            writers |= {name: _classes(classes[name]) for name in writers if name in classes}
            other = [f"'{name}' ({columns[name].type})" for name in columns if name not in writers]
            if not writers:
                raise UnreadableTask(f"{file.name} has no columns of texts or numbers: {', '.join(other)}.")
        cells = [write(columns[name]) for name, write in writers.items()]
        yield pa.record_batch(cells, names=list(writers))
    if writers and other:
        note(f"Columns of {file.name} that are neither texts nor numbers are left out: {', '.join(other)}.")


def require_bounded(metadata: pq.FileMetaData, path: Path) -> None:
    """Raise ``UnreadableTask`` if a file claims far more rows or bytes than its size allows."""
    groups = range(metadata.num_row_groups)
    claimed = max(metadata.num_rows, sum(metadata.row_group(group).total_byte_size for group in groups))
    if reason := too_many_bytes(path.stat().st_size, claimed):
        raise UnreadableTask(f"{path.name} is not read: {reason}.")


def rows_at_once(schema: pa.Schema) -> int:
    """Return how many rows are read at a time."""
    return _ROWS_OF_FILES if any(_may_hold_files(kind) for kind in schema.types) else _ROWS


def _may_hold_files(kind: pa.DataType) -> bool:
    return is_bytes(kind) or is_struct_of_file(kind)


def _flat(batch: pa.RecordBatch) -> dict[str, pa.Array]:
    """Return the columns of a batch, and of structs their fields."""
    flat: dict[str, pa.Array] = {}
    waiting = list(zip(batch.schema.names, batch.columns, strict=True))
    while waiting:
        name, column = waiting.pop(0)
        if pa.types.is_struct(column.type) and not is_struct_of_file(column.type):
            fields = [f"{name}.{field.name}" for field in column.type]
            waiting = [*zip(fields, column.flatten(), strict=True), *waiting]
        else:
            flat[name] = column
    return flat


def _writer(column: pa.Array) -> Writer | None:
    """Return a function that converts a column to strings, by its first cells; None if none applies."""
    if is_readable(column.type) or _are_texts(column):
        return text_column
    return file_names if _may_hold_files(column.type) and embedded_modality(column) else None


def _classes(names: Sequence[str]) -> Writer:
    return lambda column: text_column(with_names(column, names))


def text_column(column: pa.Array) -> pa.Array:
    """Return the cells of a column as strings; lists become JSON, and bytes that are no UTF-8 U+FFFD."""
    if _is_list(column.type):
        return pa.array([as_text(cell) for cell in column.to_pylist()], pa.string())
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if is_bytes(column.type):
        column = column.cast(pa.binary())
        texts = [None if cell is None else cell.decode("utf-8", "replace") for cell in column.to_pylist()]
        return pa.array(texts, pa.string())
    try:
        column = column.cast(pa.string())
        column.validate(full=True)
    except pa.ArrowInvalid:
        return text_column(column.cast(pa.binary()))
    return column


def is_readable(kind: pa.DataType) -> bool:
    """Return whether the cells of a column can be converted to strings."""
    return _is_plain(kind) or _is_list(kind)


def _are_texts(column: pa.Array) -> bool:
    """Return whether bytes are mostly UTF-8 without control characters, unlike images and sounds."""
    if not is_bytes(column.type):
        return False
    some = [cell for cell in column.slice(0, 100).to_pylist() if cell]
    texts = sum(b"\0" not in cell and _is_utf_8(cell) for cell in some)
    return texts >= 0.9 * max(len(some), 1)


def _is_utf_8(cell: bytes) -> bool:
    try:
        cell.decode()
    except UnicodeDecodeError:
        return False
    return True


def is_bytes(kind: pa.DataType) -> bool:
    """Return whether the cells of a column are bytes."""
    tests = (
        pa.types.is_binary,
        pa.types.is_large_binary,
        pa.types.is_fixed_size_binary,
        pa.types.is_binary_view,
    )
    return any(is_one(kind) for is_one in tests)


def _is_list(kind: pa.DataType) -> bool:
    """Return whether the cells of a column are lists of strings or integers, which become JSON."""
    lists = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    items = (pa.types.is_string, pa.types.is_large_string, pa.types.is_integer, pa.types.is_dictionary)
    return any(is_one(kind) for is_one in lists) and any(is_one(kind.value_type) for is_one in items)


def _is_plain(kind: pa.DataType) -> bool:
    """Return whether the cells of a column are scalars that can be converted to strings."""
    if pa.types.is_dictionary(kind):
        return _is_plain(kind.value_type)
    return not (pa.types.is_nested(kind) or is_bytes(kind))
