"""Detects the encoding of a text file, reads its lines, and counts undecodable characters."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from assay.core.errors import UnreadableTask, UsageError
from assay.core.text import plural
from assay.readers.bounded import lines_of
from assay.readers.formats.table_file import Note

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is its beginning
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHUNK = 1 << 20
_SAMPLE = 1 << 16  # bytes of lines that are not ASCII, from which an encoding is guessed
_DAMAGE = 0.1  # bad bytes per letter beyond ASCII, up to which a file is damaged UTF-8
_RARE = ("mac", "cp4", "cp7", "cp8", "hp")  # of old systems, whose letters are bytes from 0x80 to 0x9F, too
_OLD_LETTERS = re.compile(  # what is no letter, quotation mark, dash or sign of Windows where it stands
    rb"[\x81-\x90\x98\x9a-\x9f]|[A-Za-z][\x80\x93-\x96\x99][A-Za-z]"
)
_SHOWN = 30  # characters of a line in a note
_REPLACEMENT = "\ufffd"


class Encoding(NamedTuple):
    """The encoding of a file.

    Attributes:
        name: As Python knows it.
        note: What the user should know about it; empty for UTF-8.
    """

    name: str
    note: str = ""


def find_encoding(path: Path, name: str, given: str | None = None) -> Encoding:
    """Return the encoding of a file: the user's, that of its byte order mark, UTF-8, or a guess by chardet.

    Raises:
        UsageError: Python knows no encoding of the user's name.
    """
    if given is not None:
        try:
            return Encoding(codecs.lookup(given).name)
        except LookupError as error:
            raise UsageError(
                f"There is no encoding '{given}'. Write for example encoding='cp1252' or 'shift_jis'."
            ) from error
    with path.open("rb") as file:
        head = file.read(4096)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return Encoding(encoding)
    if wide := _wide_without_mark(head):
        return Encoding(wide, f"{name} is read as {wide.upper()}: every other byte is zero.")
    bad, sample, first = _not_utf_8(path)
    if not bad:
        return Encoding("utf-8-sig")
    if bad <= _DAMAGE * _letters(sample):
        return Encoding("utf-8-sig")
    encoding = _guessed(sample)
    shown = first.decode(encoding, "replace").strip()[:_SHOWN]
    return Encoding(
        encoding,
        f"{name} is not UTF-8: it is read as {encoding}, as in '{shown}'. "
        "Write encoding='...' if letters are wrong.",
    )


def decoded_lines(path: Path, encoding: str, name: str, note: Note) -> Iterator[str]:
    """Yield lines with their ends; a byte that is no letter becomes the replacement character, and is noted.

    Raises:
        UnreadableTask: The bytes of the file do not fit together, as in a truncated UTF-16 file.
    """
    bad, first = 0, 0
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        try:
            for number, line in enumerate(lines_of(file, name), 1):
                if _REPLACEMENT in line:
                    bad += 1
                    first = first or number
                yield line
        except UnicodeError as error:
            raise UnreadableTask(
                f"{name} cannot be read as {encoding}: {error}. Write encoding='...'."
            ) from error
    if bad:
        lines = plural(bad, "line")
        note(
            f"{lines} of {name} (first: line {first}) hold bytes that are not {_spelled(encoding)}, read as "
            f"'{_REPLACEMENT}'. Write encoding='...' if the file has another encoding."
        )


def _spelled(encoding: str) -> str:
    return "UTF-8" if encoding == "utf-8-sig" else encoding


def _wide_without_mark(head: bytes) -> str:
    """Return the UTF-16 encoding of mostly Latin text without a mark; empty if it is none."""
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) < len(head) / 5:
        return ""
    return "utf-16-le" if odd > even else "utf-16-be"


def _not_utf_8(path: Path) -> tuple[int, bytes, bytes]:
    """Return the number of bad bytes, lines that are not ASCII, and the first line that is not UTF-8."""
    bad, sample, first = 0, bytearray(), b""
    decode = codecs.getincrementaldecoder("utf-8")("surrogateescape").decode
    with path.open("rb") as file:
        for line in lines_of(file, path.name):
            if line.isascii():
                continue
            letters = decode(line)
            wrong = sum("\udc80" <= letter <= "\udcff" for letter in letters)
            if wrong and not first:
                first = line
            bad += wrong
            if len(sample) < _SAMPLE:
                sample += line
    return bad, bytes(sample), first


def _letters(sample: bytes) -> int:
    """Return how many letters beyond ASCII a sample has as UTF-8."""
    return sum("\x80" <= letter < "\ud800" for letter in sample.decode("utf-8", "surrogateescape"))


def _guessed(sample: bytes) -> str:
    import chardet

    try:
        encoding = codecs.lookup(chardet.detect(sample)["encoding"] or "cp1252").name
        text = sample.decode(encoding)
    except (LookupError, UnicodeDecodeError):
        return "cp1252"
    is_rare = encoding.startswith(_RARE) and not _OLD_LETTERS.search(sample)
    return "cp1252" if is_rare or text == sample.decode("cp1252", "replace") else encoding
