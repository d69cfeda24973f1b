"""Texts that are cut into words, each with a tag."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from assay.core.errors import UnreadableTask
from assay.core.task import Examples, LabelKind, Labels, Words
from assay.readers.labelling import Labelled, missing_note
from assay.readers.lists import splitter
from assay.readers.tables import TextTable
from assay.readers.texts import digest_text

_END = "\0"  # stands in no word of any file


class Tags:
    """Gathers the tags of texts, one for each word."""

    def __init__(self) -> None:
        self._positions: dict[str, int] = {}
        self._values = array("q")
        self._lengths = array("q")

    def add(self, tags: Sequence[str]) -> None:
        """Add the tags of one text."""
        self._lengths.append(len(tags))
        self._values.extend(self._positions.setdefault(tag, len(self._positions)) for tag in tags)

    def labels(self) -> Labels:
        """Return them as labels, the classes sorted."""
        names = list(self._positions)
        order = np.argsort(names) if names else np.empty(0, dtype=np.int64)
        values = np.argsort(order)[np.array(self._values, dtype=np.int64)]
        classes = tuple(names[place] for place in order)
        return Labels(LabelKind.CLASSIFICATION, values, classes, np.array(self._lengths, dtype=np.int64))


@dataclass(frozen=True, slots=True)
class Sentences(Examples):
    """Texts of words in memory."""

    texts: tuple[str, ...]  # the words of each, joined
    names: tuple[str, ...]

    @classmethod
    def of(cls, sentences: Iterable[Sequence[str]], names: Iterable[str]) -> Sentences:
        """Return some texts of words."""
        return cls(tuple(_END.join(words) for words in sentences), tuple(names))

    def __len__(self) -> int:
        return len(self.texts)

    def read(self, row: int) -> Words:
        """Return one text."""
        return Words(tuple(self.texts[row].split(_END)))

    def name(self, row: int) -> str:
        """Return the name that the source gave."""
        return self.names[row]


@dataclass(frozen=True, slots=True)
class TableWords(Examples):
    """Texts of words from a column of a table."""

    table: TextTable
    column: str
    rows: np.ndarray  # rows of the table
    split: Callable[[str], tuple[str, ...]]

    def __len__(self) -> int:
        return len(self.rows)

    def read(self, row: int) -> Words:
        """Return one text."""
        return Words(self.split(str(self.table.cells[self.column][int(self.rows[row])].as_py()).strip()))

    def name(self, row: int) -> str:
        """Return the number of the row."""
        return self.table.row_name(int(self.rows[row]))


def label_words(table: TextTable, words: str, tags: str) -> Labelled:
    """Make labels of the tags of words; rows without any word are left out.

    Raises:
        UnreadableTask: A row has more or fewer tags than words.
    """
    head = table.head()
    cut, cut_tags = splitter(head[words]), splitter(head[tags])
    gathered = Tags()
    none = np.zeros(len(table), dtype=bool)
    for row, (text, cell) in enumerate(zip(table.column(words), table.column(tags), strict=True)):
        counted, found = len(cut(text)), cut_tags(cell)
        if counted != len(found):
            raise UnreadableTask(
                f"{table.title}, {table.row_name(row)}: {counted} words in '{words}' and {len(found)} tags "
                f"in '{tags}'. Give each word a tag, in a list or with spaces between them."
            )
        none[row] = not counted
        if counted:
            gathered.add(found)
    return Labelled(
        gathered.labels(), np.flatnonzero(~none), missing_note(f"'{words}'", none, table.row_name)
    )


def digest_words(words: Sequence[str]) -> int:
    """Return the content hash of a text of words, 64 bits; its plain text has another."""
    return digest_text(_END.join(("", *words)))


def words_of(table: TextTable, column: str, rows: np.ndarray) -> TableWords:
    """Return the texts of words that stand in some rows of a column."""
    return TableWords(table, column, rows, splitter(table.head()[column]))
