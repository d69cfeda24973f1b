"""JSON lines, and JSON files with an array of objects, or one object of columns or of rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice

import pyarrow as pa

from assay.core.errors import UnreadableTask
from assay.readers.formats.encodings import decoded_lines, find_encoding
from assay.readers.formats.table_file import Note, TableFile, TableFormat, batches, require_columns

_HEAD = 1000  # the keys in this many rows are the columns
_EXAMPLE = 'as in {"text": "...", "label": "..."}'
_BETWEEN = re.compile(r"[\s,]*")
_NO_TEXT = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")


def json_rows(file: TableFile, form: TableFormat, note: Note) -> Iterator[pa.RecordBatch]:
    """Yield the rows of a JSON file; of objects in objects each value has a column, such as ``meta.lang``.

    Raises:
        UnreadableTask: A line is not JSON, or no object.
    """
    encoding = find_encoding(file.path, file.name, form.encoding)
    if encoding.note:
        note(encoding.note)
    lines = decoded_lines(file.path, encoding.name, file.name, note)
    first = next((line for line in lines if line.strip()), "")
    second = next((line for line in lines if line.strip()), "")
    lines = chain([first, second], lines)
    is_whole = file.suffix == ".json" and not second and _is_document(first)
    rows_apart = _is_row(first) and not is_whole
    objects = _objects(lines, file) if rows_apart else _document("".join(lines), file)
    rows = map(_flat, objects)
    head = list(islice(rows, _HEAD))
    names = list(dict.fromkeys(key for row in head for key in row))  # later keys are ignored
    if not names:
        raise UnreadableTask(f"{file.name} has no rows.")
    require_columns(len(names), file.name)
    every = chain(head, rows)
    yield from batches(
        [name.translate(_NO_TEXT) for name in names],
        ([as_text(row.get(name)) for name in names] for row in every),
    )


def as_text(value: object) -> str | None:
    """Return a value as a cell: a string as it is, other values as JSON."""
    if value is None:
        return None
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return text.translate(_NO_TEXT) if any("\ud800" <= letter < "\ue000" for letter in text) else text


def _is_row(line: str) -> bool:
    """Return whether a line is an object by itself, or none at all: an array or object may span lines."""
    text = line.strip()
    if text.startswith("["):
        return False
    try:
        json.loads(text)
    except ValueError:
        return text.endswith("}")
    return True


def _is_document(line: str) -> bool:
    """Return whether the only line of a file is an object that holds a table."""
    try:
        values = json.loads(line).values()
    except (ValueError, AttributeError):
        return False
    has_rows = any(isinstance(value, list) and value and isinstance(value[0], dict) for value in values)
    return has_rows or all(isinstance(value, (list, dict)) for value in values)


def _objects(lines: Iterator[str], file: TableFile) -> Iterator[Mapping[str, object]]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            rows = _values(line)
        except ValueError as error:
            raise UnreadableTask(
                f"{file.name}, line {number} is not JSON: {error}. Write one object a line."
            ) from error
        for row in rows:
            yield _required(row, f"{file.name}, line {number}")


def _values(text: str) -> list[object]:
    """Return the values that follow each other in a text, with commas between them or without."""
    values, position, decode = list[object](), 0, json.JSONDecoder().raw_decode
    text = text.strip().removesuffix(",")
    while position < len(text):
        value, end = decode(text, position)
        values.append(value)
        between = _BETWEEN.match(text, end)
        position = between.end() if between else end
    return values


def _document(text: str, file: TableFile) -> Iterator[Mapping[str, object]]:
    """Yield the objects of an array, alone or in an object, or those of columns."""
    try:
        values = _values(text)
    except ValueError as error:
        raise UnreadableTask(
            f"{file.name} is not JSON: {error}. Write one object a line, {_EXAMPLE}."
        ) from error
    rows: Iterable[object] = values
    if len(values) == 1 and isinstance(values[0], list):
        rows = values[0]
    elif len(values) == 1 and isinstance(values[0], dict):
        rows = _of_object(values[0], file)
    for number, row in enumerate(rows, 1):
        yield _required(row, f"{file.name}, item {number}")


def _of_object(document: Mapping[str, object], file: TableFile) -> Iterator[object]:
    """Return the rows of an object: of an array in it, or as any orient of ``pandas.DataFrame.to_json``."""
    names, cells = document.get("columns"), document.get("data")
    if isinstance(names, list) and isinstance(cells, list) and names and cells:  # orient="split"
        rows = [row for row in cells if isinstance(row, list) and len(row) == len(names)]
        if len(rows) == len(cells):
            return (dict(zip(map(str, names), row, strict=True)) for row in rows)
    if _is_of_rows(document):
        return iter(document.values())
    arrays = {key: value for key, value in document.items() if isinstance(value, list)}
    tables = [key for key, value in arrays.items() if value and all(isinstance(row, dict) for row in value)]
    if len(tables) == 1:
        return iter(arrays[tables[0]])
    columns = {
        key: value if isinstance(value, list) else list(value.values())  # as pandas writes columns
        for key, value in document.items()
        if isinstance(value, (list, dict))
    }
    lengths = {len(value) for value in columns.values()}
    if len(tables) > 1 or len(lengths) != 1 or len(columns) < len(document):
        raise UnreadableTask(
            f"{file.name} is one object with {', '.join(map(str, list(document)[:5]))}, and no table. "
            f"Write an array of objects, or one object a line, {_EXAMPLE}."
        )
    return (dict(zip(columns, cells, strict=True)) for cells in zip(*columns.values(), strict=True))


def _is_of_rows(document: Mapping[str, object]) -> bool:
    """Return whether an object holds rows by name (orient="index") rather than columns."""
    inner = [value for value in document.values() if isinstance(value, dict)]
    if not inner or len(inner) < len(document):
        return False
    rows_are_numbered = all(key.isdigit() for key in document)
    if rows_are_numbered != all(key.isdigit() for cells in inner for key in cells):
        return rows_are_numbered
    return len(inner) > max(map(len, inner))  # more rows than columns


def _required(row: object, where: str) -> Mapping[str, object]:
    if not isinstance(row, dict):
        raise UnreadableTask(f"{where} is not an object. Write one object a line, {_EXAMPLE}.")
    return row


def _flat(row: Mapping[str, object], before: str = "") -> dict[str, object]:
    """Return the values of an object and of the objects in it."""
    flat: dict[str, object] = {}
    for key, value in row.items():
        if isinstance(value, dict) and value:
            flat |= _flat(value, f"{before}{key}.")
        else:
            flat[f"{before}{key}"] = value
    return flat
