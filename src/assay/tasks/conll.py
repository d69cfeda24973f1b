"""Word tagging, such as named entities and parts of speech, from CoNLL, CoNLL-U and IOB files."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np

from assay.core.errors import UnreadableTask
from assay.core.paths import beside, path_of
from assay.core.task import Task, Words
from assay.core.task_source import TaskSource
from assay.readers.assembly import assemble
from assay.readers.formats.encodings import decoded_lines, find_encoding
from assay.readers.formats.table_file import Note, ignored
from assay.readers.gathering import ExampleLimits, gather_in_memory
from assay.readers.labelling import tag_labels
from assay.readers.splits import Part, Shares, part_of

SUFFIXES = (".conll", ".conllu", ".iob", ".iob2", ".bio", ".tsv", ".txt")

_UNIVERSAL = ".conllu"
_UNIVERSAL_WORD, _UNIVERSAL_TAG = 1, 3  # FORM and UPOS of https://universaldependencies.org/format.html
_NO_WORD = re.compile(r"\d+[-.]\d+")  # the ID of a contraction or an empty node, which have no tag
_DOCUMENT = "-DOCSTART-"  # marks the start of each document in CoNLL-2003
_COMMENT = re.compile(r"#\s*(\S+\s+=\s|id\s)")  # "# text = ..." before a text; a # with a tag is a word
_SPACES = re.compile(r" +")
_CONLL_2003 = {"testa": Part.VAL, "testb": Part.TEST}


@dataclass(frozen=True, slots=True)
class Conll(TaskSource):
    r"""Texts of labelled words: one word per line with its tag in a column, an empty line after each text.

    File names determine train, val and test, as in ``train.txt`` and ``en_ewt-ud-dev.conllu``. For
    the same in a table (lists of words and of tags) write ``table:`` before its path.

    Attributes:
        name: A file, or a folder of files.
        column: The tag column, from 0; -1 is the last. By default the last, or UPOS in CoNLL-U.
        word: The word column; by default the first, or FORM in CoNLL-U.
        val: The fraction of val if there is no official split.
        test: The fraction of test if there is no official split.
        metric: The main metric; by default entity F1 if tags are of entities (O, B-TYPE, ...), else accuracy.
        limit: The maximum number of texts.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "names.conll")
    ...     _ = path.write_text("\n".join(f"Ada{row} B-PER\nsings O\n" for row in range(10)))
    ...     task = Conll(str(path)).load("conll:names.conll", seed=0)
    >>> len(task.train), task.classes, task.metric
    (6, ('B-PER', 'O'), 'entity_f1')
    """

    column: int | None = None
    word: int | None = None
    val: float = 0.2
    test: float = 0.2
    metric: str | None = None
    limit: int | None = None

    summary: ClassVar[str] = "words with a tag each: CoNLL, CoNLL-U and IOB files"

    def load(self, address: str, seed: int) -> Task:
        """Read every text once."""
        shares = Shares(self.val, self.test)
        files = _files(path_of(self.name))
        texts, parts = [], []
        notes: list[str] = []
        for path, part in files:
            for text in read_conll(path, TagColumns.of(path, self.word, self.column), notes.append):
                texts.append(text)
                parts.append(part)
        if not texts:
            raise UnreadableTask(f"There is no word in {', '.join(path.name for path, _ in files)}.")
        gathered = gather_in_memory(
            [Words(text.words) for text in texts],
            [text.name for text in texts],
            tag_labels(text.tags for text in texts),
            None if None in parts else np.array(parts),
            (*notes, *self._notes(texts[0])),
        )
        limits = ExampleLimits(self.limit)
        return assemble(gathered, address, shares=shares, metric=self.metric, seed=seed, limits=limits)

    def _notes(self, first: Tagged) -> tuple[str, ...]:
        """Return a note with an example of a word and its tag, unless the user chose the column."""
        if self.column is not None:
            return ()
        pairs = zip(first.words, first.tags, strict=True)
        shown = " ".join(f"{word}/{tag}" for word, tag in list(pairs)[:5])
        return (f"Words and tags begin {shown}: write column=1, for example, if other tags are meant.",)


def _files(path: Path) -> list[tuple[Path, Part | None]]:
    """Return the files with their splits; None for a single file, which is split at random."""
    if path.is_file():
        return [(path, None)]
    if not path.is_dir():
        raise UnreadableTask(f"There is no file or folder '{path}'. {beside(path) or 'Check the path.'}")
    files = [file for file in sorted(path.iterdir()) if file.is_file() and not file.name.startswith(".")]
    named: list[tuple[Path, Part | None]] = [(file, part_of_file(file)) for file in files]
    named = [(file, part) for file, part in named if part is not None]
    if named:
        return named
    plain = [file for file in files if file.suffix.lower() in SUFFIXES]
    if len(plain) == 1:
        return [(plain[0], None)]
    raise UnreadableTask(
        f"'{path}' has no files called train, val or test. Rename its {len(plain)} CoNLL files, or name one."
    )


class TagColumns(NamedTuple):
    """The columns of words and tags, from 0, or from -1 at the end."""

    word: int
    tag: int

    @classmethod
    def of(cls, path: Path, word: int | None, tag: int | None) -> TagColumns:
        """Return the user's columns, by default the first and the last."""
        universal = path.suffix.lower() == _UNIVERSAL
        usual = (_UNIVERSAL_WORD, _UNIVERSAL_TAG) if universal else (0, -1)
        return cls(usual[0] if word is None else word, usual[1] if tag is None else tag)


class Tagged(NamedTuple):
    """One text."""

    words: tuple[str, ...]
    tags: tuple[str, ...]
    name: str  # the name of its first line


def part_of_file(path: Path) -> Part | None:
    """Return the split in a file name such as train.txt, en_ewt-ud-dev.conllu or eng.testa, or None."""
    for word in re.split(r"[-_.]", path.name.lower()):
        part = _CONLL_2003.get(word, part_of(word))
        if part is not None:
            return part
    return None


def read_conll(path: Path, columns: TagColumns, note: Note = ignored) -> Iterator[Tagged]:
    """Yield the texts of a file.

    Raises:
        UnreadableTask: A line has too few columns, or a different number than the first.
    """
    encoding = find_encoding(path, path.name)
    if encoding.note:
        note(encoding.note)
    rows: list[tuple[str, str]] = []
    start, width = 1, 0
    is_universal = path.suffix.lower() == _UNIVERSAL
    for number, line in enumerate(decoded_lines(path, encoding.name, path.name, note), 1):
        text = line.strip()
        if not text or text.startswith(_DOCUMENT):
            if rows:
                yield _tagged(rows, path, start)
            rows = []
            continue
        if not rows and (_COMMENT.match(text) or (is_universal and text.startswith("#"))):
            continue
        cells = line.rstrip("\r\n").split("\t") if "\t" in line else _SPACES.split(text)
        width = width or len(cells)
        if is_universal and _NO_WORD.fullmatch(cells[0]):
            continue
        start = start if rows else number
        rows.append(_word_and_tag(cells, columns, width, f"{path.name}, line {number}"))
    if rows:
        yield _tagged(rows, path, start)


def _tagged(rows: Sequence[tuple[str, str]], path: Path, start: int) -> Tagged:
    words, tags = zip(*rows, strict=True)
    return Tagged(words, tags, f"{path.name} line {start}")


def _word_and_tag(cells: Sequence[str], columns: TagColumns, width: int, where: str) -> tuple[str, str]:
    if len(cells) != width:
        raise UnreadableTask(
            f"{where} has {len(cells)} columns; the first line has {width}. "
            "Write a word and its tag in each line, with a tab or one space between, and an empty line "
            "after each text."
        )
    for column in columns:
        if not -width <= column < width:
            raise UnreadableTask(
                f"{where} has {width} columns, and none is number {column}. "
                f"Write column=0 to {width - 1}, or -1 for the last."
            )
    word, tag = cells[columns.word].strip(), cells[columns.tag].strip()
    if not word or not tag:
        raise UnreadableTask(f"{where} has no {'tag' if word else 'word'}. Give each word a tag.")
    return sys.intern(word), tag  # a text then needs 8 bytes per word
