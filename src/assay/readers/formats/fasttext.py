"""Texts with labels in the format of fastText: lines such as ``__label__pos what a film``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from assay.readers.formats.encodings import decoded_lines, find_encoding
from assay.readers.formats.table_file import Note, Row, TableFile, TableFormat, batches, ignored

_LABEL = "__label__"


def is_fasttext(path: Path) -> bool:
    """Return whether the first line of a file begins with a label of fastText."""
    with path.open("rb") as file:
        return file.read(len(_LABEL) + 3).removeprefix(b"\xef\xbb\xbf").startswith(_LABEL.encode())


def fasttext_rows(file: TableFile, form: TableFormat, note: Note) -> Iterator[pa.RecordBatch]:
    """Yield the columns text and label; labels are lists in all rows if a line has several."""
    encoding = find_encoding(file.path, file.name, form.encoding)
    if encoding.note:
        note(encoding.note)
    lines = decoded_lines(file.path, encoding.name, file.name, ignored)
    have_several = any(len(_split(line)[1]) > 1 for line in lines)
    note(f"The labels of {file.name} are those of fastText: {_LABEL} before each is left out.")
    lines = decoded_lines(file.path, encoding.name, file.name, note)
    every = (_row(line, as_lists=have_several) for line in lines if line.strip() or form.keeps_rows)
    yield from batches(["text", "label"], every)


def _row(line: str, *, as_lists: bool) -> Row:
    text, labels = _split(line)
    if not labels:
        return text, None
    return text, json.dumps(labels, ensure_ascii=False) if as_lists else labels[0]


def _split(line: str) -> tuple[str, list[str]]:
    """Return the text of a line and its labels, which may stand anywhere in it."""
    words = line.split()
    labels = [word.removeprefix(_LABEL) for word in words if word.startswith(_LABEL)]
    if words and any(word.startswith(_LABEL) for word in words[len(labels) :]):
        return " ".join(word for word in words if not word.startswith(_LABEL)), labels
    return line.split(maxsplit=len(labels))[-1].strip() if len(words) > len(labels) else "", labels
