"""Texts of labelled words in CoNLL files: a word a line, its tag in a column, empty lines between texts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from assay.core.errors import UnreadableTask
from assay.readers.splits import Part, part_of

SUFFIXES = (".conll", ".conllu", ".iob", ".iob2", ".bio", ".tsv", ".txt")

_UNIVERSAL = ".conllu"
_UNIVERSAL_WORD, _UNIVERSAL_TAG = 1, 3  # FORM and UPOS of https://universaldependencies.org/format.html
_NO_WORD = re.compile(r"\d+[-.]\d+")  # the number of a contraction or of an empty node, which have no tag
_DOCUMENT = "-DOCSTART-"  # begins each document of CoNLL-2003, in place of a word
_COMMENT = re.compile(r"#\s*(\S+\s+=\s|id\s)")  # "# text = ..." before a text; a # with its tag is a word
_SPACES = re.compile(r" +")
_CONLL_2003 = {"testa": Part.VAL, "testb": Part.TEST}


class TagColumns(NamedTuple):
    """Where words and tags stand, from 0, or from -1 at the end."""

    word: int
    tag: int

    @classmethod
    def of(cls, path: Path, word: int | None, tag: int | None) -> TagColumns:
        """Return what the user wrote, else what is usual: the first and the last column."""
        universal = path.suffix.lower() == _UNIVERSAL
        usual = (_UNIVERSAL_WORD, _UNIVERSAL_TAG) if universal else (0, -1)
        return cls(usual[0] if word is None else word, usual[1] if tag is None else tag)


class Tagged(NamedTuple):
    """One text."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    name: str  # of its first line


def part_of_file(path: Path) -> Part | None:
    """Return the split that a file name tells, as in train.txt, en_ewt-ud-dev.conllu and eng.testa."""
    for word in re.split(r"[-_.]", path.name.lower()):
        found = part_of(word)
        if found is not None or word in _CONLL_2003:
            return _CONLL_2003[word] if found is None else found
    return None


def read_conll(path: Path, columns: TagColumns) -> Iterator[Tagged]:
    """Yield the texts of a file.

    Raises:
        UnreadableTask: A line has fewer columns than are needed, or other than the first; or it is no UTF-8.
    """
    rows: list[tuple[str, str]] = []
    start, width = 1, 0
    is_universal = path.suffix.lower() == _UNIVERSAL
    for number, line in enumerate(_lines(path), 1):
        text = line.strip()
        if not text or text.startswith(_DOCUMENT):
            if rows:
                yield _tagged(rows, path, start)
            rows = []
            continue
        if not rows and (_COMMENT.match(text) or (is_universal and text.startswith("#"))):
            continue
        cells = line.rstrip("\n").split("\t") if "\t" in line else _SPACES.split(text)
        width = width or len(cells)
        if is_universal and _NO_WORD.fullmatch(cells[0]):
            continue
        start = start if rows else number
        rows.append(_chosen(cells, columns, width, f"{path.name}, line {number}"))
    if rows:
        yield _tagged(rows, path, start)


def _tagged(rows: Sequence[tuple[str, str]], path: Path, start: int) -> Tagged:
    words, tags = zip(*rows, strict=True)
    return Tagged(words, tags, f"{path.name} line {start}")


def _chosen(cells: Sequence[str], columns: TagColumns, width: int, where: str) -> tuple[str, str]:
    if len(cells) != width:
        raise UnreadableTask(
            f"{where} has {len(cells)} columns; the first line has {width}. "
            "Write a word and its tag in each line, with a tab or one space between, and an empty line "
            "after each text."
        )
    for place in columns:
        if not -width <= place < width:
            raise UnreadableTask(
                f"{where} has {width} columns, and none is number {place}. "
                f"Write column=0 to {width - 1}, or -1 for the last."
            )
    word, tag = cells[columns.word].strip(), cells[columns.tag].strip()
    if not word or not tag:
        raise UnreadableTask(f"{where} has no {'tag' if word else 'word'}. Give each word a tag.")
    return word, tag


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8-sig", newline=None) as file:
        try:
            yield from file
        except UnicodeDecodeError as error:
            raise UnreadableTask(f"{path.name} is not UTF-8: {error.reason}. Save it as UTF-8.") from error
