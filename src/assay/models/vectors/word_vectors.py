"""Word vectors, cached in a memory-mapped file and looked up by word."""

from __future__ import annotations

import json
import os
import re
import struct
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO

import numpy as np

from assay.core.errors import ModelError
from assay.core.paths import opened_regular
from assay.encoders.identity import file_hash
from assay.environment.atomic_file import written_whole
from assay.environment.cache import cache_folder
from assay.models.vectors.vector_files import has_mark, read_header, read_rows

_VERSION = 2  # of the kept files
_HEADER = 4096  # bytes that the header of a kept file has; safetensors allows spaces behind it
_WORD = re.compile(r"\w+(?:['’]\w+)*|[^\w\s]")
_CONTRACTION = re.compile(r"(?i)^(.+?)(n['’]t|['’](?:s|re|ve|ll|d|m))$")  # as the Penn Treebank splits them


@dataclass(frozen=True)
class WordVectors:
    """Words and their vectors, in the order of the file (usually by frequency).

    Attributes:
        words: Each once.
        matrix: Words x width, float32, read-only; mapped into memory.
        left_out: How many words came a second time.
        promised: How many words the file's header promises, if it has one.
    """

    words: tuple[str, ...]
    matrix: np.ndarray
    left_out: int
    promised: int | None

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {word: row for row, word in enumerate(self.words)}

    def rows(self, text: str) -> list[int]:
        """Return the rows of the words of a text, in order; unknown words are left out.

        A word is looked up as it is written, in lower case, and with a capital. An unknown
        contraction is split as in "do n't".
        """
        return [row for word in _WORD.findall(text) for row in self._lookup(word)]

    def _lookup(self, word: str) -> Iterator[int]:
        straight = word.replace("’", "'")
        for written in (word, straight, straight.lower(), straight.capitalize()):
            if written in self._rows:
                yield self._rows[written]
                return
        parts = _CONTRACTION.match(straight)
        if parts is not None:
            for part in parts.groups():
                yield from self._lookup(part)


def open_vectors(path: Path, limit: int | None) -> WordVectors:
    """Return the vectors of a file, which is read once and cached as safetensors.

    Args:
        path: GloVe, word2vec (text or binary) or fastText (.vec).
        limit: How many words are read, from the first.
    """
    version = f"{_VERSION}-marked" if has_mark(path) else str(_VERSION)
    kept = cache_folder() / "vectors" / f"{file_hash(path)}-{limit or 'all'}-{version}.safetensors"
    with suppress(OSError, ValueError, LookupError, TypeError, struct.error):  # missing or damaged
        return _mapped(kept)
    try:
        with written_whole(kept) as file:
            _convert(path, limit, file)
    except OSError as error:
        raise ModelError(
            f"Cannot keep the vectors of '{path}' in '{kept.parent}': {error}. Make room, or name "
            "another folder in the environment variable ASSAY_CACHE."
        ) from error
    return _mapped(kept)


def _convert(path: Path, limit: int | None, file: IO[bytes]) -> None:
    header = read_header(path)
    seen: dict[str, None] = {}
    left_out = 0
    file.seek(8 + _HEADER)
    for words, matrix in read_rows(path, header, limit):
        fresh = []
        for row, word in enumerate(words):
            if word not in seen:
                seen[word] = None
                fresh.append(row)
        left_out += len(words) - len(fresh)
        file.write(np.ascontiguousarray(matrix[fresh], dtype="<f4").data)
    if not seen:
        raise ModelError(f"'{path}' holds no word vectors. Name another file.")
    text = "\n".join(seen).encode()
    file.write(text)
    counts = {"left_out": left_out, "promised": header.rows}
    _write_header(file.fileno(), (len(seen), header.width), len(text), counts)


def _write_header(file: int, shape: tuple[int, int], text: int, counts: dict[str, int | None]) -> None:
    end = 4 * shape[0] * shape[1]
    header = {
        "__metadata__": {"told": json.dumps(counts)},
        "matrix": {"dtype": "F32", "shape": shape, "data_offsets": (0, end)},
        "words": {"dtype": "U8", "shape": (text,), "data_offsets": (end, end + text)},
    }
    os.pwrite(file, struct.pack("<Q", _HEADER) + json.dumps(header).encode().ljust(_HEADER), 0)


def _mapped(path: Path) -> WordVectors:
    with opened_regular(path) as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(_HEADER if length == _HEADER else 0))
    start, end = header["words"]["data_offsets"]
    words = np.memmap(path, np.uint8, "r", 8 + length + start, (end - start,)).tobytes().decode()
    shape = tuple(header["matrix"]["shape"])
    matrix = np.memmap(path, "<f4", "r", 8 + length, shape)
    return WordVectors(tuple(words.split("\n")), matrix, **json.loads(header["__metadata__"]["told"]))
