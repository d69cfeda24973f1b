"""Reads files of word vectors row by row: GloVe, word2vec (text or binary), fastText's .vec, or gzipped.

No library that Assay needs anyway reads them. Memory holds some thousand rows, a damaged line is named by its
number, and words may hold spaces: tests/models/test_vectors.py compares what is read with what was written.
"""

from __future__ import annotations

import gzip
import re
import zlib
from codecs import BOM_UTF8
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple, cast

import numpy as np
import pyarrow as pa
from pyarrow import csv

from assay.core.errors import CheckpointError
from assay.readers.bounded import LimitedStream

_CHUNK = 4096  # rows that are read at a time
_SHOWN = 40  # characters of a bad line in a message
_NUMBER = re.compile(rb"[-+]?\d*\.?\d+(?:[eE][-+]?\d+)?")
_FASTTEXT_MODEL = (793712314).to_bytes(4, "little")  # the magic number of fastText's own .bin files


class WordRows(NamedTuple):
    """A chunk of words and their vectors."""

    words: list[str]
    matrix: np.ndarray  # words x width, float32


class Header(NamedTuple):
    """What the first line of a file states; GloVe states nothing, and the width is counted."""

    rows: int | None
    width: int
    is_binary: bool


def read_header(path: Path) -> Header:
    """Return the header, or infer it from the first line."""
    with _opened(path) as stream:
        start = stream.read(1 << 16).removeprefix(BOM_UTF8)
    if start.startswith(_FASTTEXT_MODEL):
        raise CheckpointError(
            f"'{path}' is a model of fastText with its subwords. Name the file of its word vectors, which "
            "ends in .vec."
        )
    first, _, rest = start.partition(b"\n")
    parts = first.split()
    if len(parts) == 2 and all(part.isdigit() for part in parts):
        return Header(int(parts[0]), int(parts[1]), _is_binary(rest))
    if len(parts) < 2 or _is_binary(start):
        raise CheckpointError(
            f"'{path}' is not a file of word vectors: its first line is '{_shown(first)}'. A line is a word "
            "and its numbers, or first the number of words and that of numbers."
        )
    return Header(None, len(parts) - 1, is_binary=False)


def read_rows(path: Path, header: Header, limit: int | None) -> Iterator[WordRows]:
    """Yield the words and vectors of a file in order, some thousand at a time; at most ``limit`` of them.

    Raises:
        CheckpointError: A row is damaged, or there are fewer than the header promises.
    """
    count = 0
    with _opened(path) as stream:
        if stream.read(len(BOM_UTF8)) != BOM_UTF8:
            stream.seek(0)
        if header.rows is not None:
            stream.readline()
        read = _binary if header.is_binary else _text
        for rows in read(stream, header, path, limit):
            count += len(rows.words)
            yield rows
    if header.is_binary and header.rows is not None and count > header.rows:
        raise _another_width(path, header)
    if header.rows is not None and count < min(header.rows, limit or header.rows):
        raise CheckpointError(
            f"The header of '{path}' promises {header.rows} words with {header.width} numbers each; there "
            f"are {count}. If it is truncated, download it again; to use what is there, write limit={count}."
        )


def _text(stream: IO[bytes], header: Header, path: Path, limit: int | None) -> Iterator[WordRows]:
    number = 1 if header.rows is None else 2  # of the first line with a word
    left = limit
    while lines := [line.rstrip() for line in islice(stream, _CHUNK if left is None else min(_CHUNK, left))]:
        kept = [line for line in lines if line]
        left = None if left is None else left - len(kept)
        split = [_split(line, header.width) for line in kept]
        matrix = _parsed(b" ".join(numbers for _, numbers in split), len(kept) * header.width)
        if matrix is None or any(_has_more(word) for word, _ in split):
            raise CheckpointError(_bad_line(path, lines, number, header))
        if kept:
            words = [word.decode("utf-8", "replace") for word, _ in split]
            yield WordRows(words, matrix.reshape(len(kept), header.width))
        number += len(lines)


def _split(line: bytes, width: int) -> tuple[bytes, bytes]:
    """Return the word and the numbers of a line; a word may hold spaces, as some of GloVe 840B do."""
    word, _, numbers = line.partition(b" ")
    if numbers.count(b" ") + 1 != width:
        parts = line.rsplit(None, width)
        word, numbers = parts[0], b" ".join(parts[1:])
    return word, numbers


def _has_more(word: bytes) -> bool:
    """Return whether what was taken for a word ends in a number: the line has more than it should."""
    _, space, last = word.rpartition(b" ")
    return bool(space and _NUMBER.fullmatch(last))


def _parsed(numbers: bytes, count: int) -> np.ndarray | None:
    """Return finite numbers, as many as are wanted; Arrow's reader of CSV is thrice as fast as numpy."""
    if numbers.count(b" ") + 1 != count:
        return None
    try:
        table = csv.read_csv(
            pa.BufferReader(numbers.replace(b" ", b"\n")),
            read_options=csv.ReadOptions(column_names=["number"], use_threads=False),
            parse_options=csv.ParseOptions(quote_char=False),
            convert_options=csv.ConvertOptions(column_types={"number": pa.float32()}),
        )
    except pa.ArrowInvalid:
        return None
    values = np.asarray(table["number"].to_numpy())
    return values if len(values) == count and np.isfinite(values).all() else None


def _is_bad(word: bytes, numbers: bytes, width: int) -> bool:
    return _has_more(word) or _parsed(numbers, width) is None


def _bad_line(path: Path, lines: list[bytes], first: int, header: Header) -> str:
    start = 1 if header.rows is None else 2
    bad = [
        row for row, line in enumerate(lines) if line and _is_bad(*_split(line, header.width), header.width)
    ]
    number = first + bad[0] if bad else first
    before = number - start
    line = _shown(lines[number - first])
    shape = "its first line" if header.rows is None else "its header"
    return (
        f"Line {number} of '{path}' is not a word with {header.width} finite numbers, as {shape} has it: "
        f"'{line}'. Download the file again"
        + (f"; to use the lines before, write limit={before}." if before else ".")
    )


def _binary(stream: IO[bytes], header: Header, path: Path, limit: int | None) -> Iterator[WordRows]:
    size = 4 * header.width
    buffer, position, left = b"", 0, limit
    words: list[str] = []
    vectors: list[bytes] = []
    read = 0
    while left is None or left > 0:
        while (space := buffer.find(b" ", position)) < 0 or len(buffer) < space + 1 + size:
            more = stream.read(1 << 20)
            if not more:  # read_rows checks whether some are missing
                if words:
                    yield _rows(words, vectors, header.width, path)
                if buffer[position:].strip(b"\n") and read >= (header.rows or 0):
                    raise _another_width(path, header)
                return
            buffer, position = buffer[position:] + more, 0
        words.append(buffer[position:space].lstrip(b"\n").decode("utf-8", "replace"))
        position = space + 1 + size
        vectors.append(buffer[space + 1 : position])
        left = None if left is None else left - 1
        read += 1
        if len(words) == _CHUNK or left == 0:
            yield _rows(words, vectors, header.width, path)
            words, vectors = [], []


def _another_width(path: Path, header: Header) -> CheckpointError:
    return CheckpointError(
        f"The header of '{path}' promises {header.rows} words with {header.width} numbers each, and the file "
        "goes on behind them: the header states something else, or the file is damaged. Download it again."
    )


def _rows(words: list[str], vectors: list[bytes], width: int, path: Path) -> WordRows:
    matrix = np.frombuffer(b"".join(vectors), "<f4").reshape(len(words), width)
    finite = np.isfinite(matrix).all(axis=1)
    if not finite.all():
        raise CheckpointError(
            f"The vector of '{words[int(np.argmin(finite))]}' in '{path}' is not finite: the file is "
            "damaged, or its header states another width. Download it again."
        )
    return WordRows(words, matrix)


def has_mark(path: Path) -> bool:
    """Return whether a file begins with a byte order mark, which is not part of its first word."""
    with _opened(path) as stream:
        return stream.read(len(BOM_UTF8)) == BOM_UTF8


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with path.open("rb") as stream:
        start = stream.read(4)
    if start == b"PK\x03\x04":
        raise CheckpointError(f"'{path}' is a zip archive. Unpack it, and name one of the files inside.")
    if start[:2] != b"\x1f\x8b":
        with path.open("rb") as stream:
            yield stream
        return
    try:
        with gzip.GzipFile(path) as stream:
            packed = path.stat().st_size
            yield BufferedReader(LimitedStream(cast("IO[bytes]", stream), packed, str(path), CheckpointError))
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise CheckpointError(
            f"'{path}' is compressed, and truncated or damaged ({error}). Download it again."
        ) from error


def _is_binary(content: bytes) -> bool:
    """Return whether these are floats: text has no control characters but tabs and line ends."""
    return any(byte < 9 for byte in content[:4096])


def _shown(line: bytes) -> str:
    text = line.decode("utf-8", "replace")
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..."
