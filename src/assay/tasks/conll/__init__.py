"""Words with a tag each, as in named entities and parts of speech: CoNLL, CoNLL-U and IOB files."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from assay.core.errors import UnreadableTask
from assay.core.task import Modality, Task, TaskSource
from assay.readers.assembly import assemble
from assay.readers.gathered import Gathered
from assay.readers.gathering import limited
from assay.readers.splits import Part, Shares
from assay.readers.words import Sentences, Tags, digest_words
from assay.tasks.conll.files import SUFFIXES, TagColumns, Tagged, part_of_file, read_conll


@dataclass(frozen=True, slots=True)
class Conll(TaskSource):
    """Texts of labelled words: a word a line, its tag in a column, an empty line after each text.

    Train, val and test are told by the names of files, as in ``train.txt`` and ``en_ewt-ud-dev.conllu``. For
    the same in a table (lists of words and of tags) write ``table:`` before its path.

    Attributes:
        name: A file, or a folder of files.
        column: The column of tags, from 0; -1 is the last. The last, or that of UPOS in CoNLL-U.
        word: The column of words; the first, or that of FORM in CoNLL-U.
        val: The share of val where there is no official split.
        test: The share of test where there is no official split.
        metric: The main metric; entity F1 where tags are O, B-TYPE and I-TYPE, else accuracy.
        limit: At most so many texts.
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
        files = _files(Path(self.name).expanduser())
        tags, texts, given = Tags(), [], []
        for path, part in files:
            for text in read_conll(path, TagColumns.of(path, self.word, self.column)):
                tags.add(text.tags)
                texts.append(text)
                given.append(part)
        if not texts:
            raise UnreadableTask(f"There is no word in {', '.join(path.name for path, _ in files)}.")
        digests = np.array([digest_words(text.words) for text in texts], dtype=np.uint64)
        sentences = Sentences.of((text.words for text in texts), (text.name for text in texts))
        parts = None if None in given else np.array(given)
        notes = self._notes(texts[0])
        found = Gathered(sentences, digests, tags.labels(), Modality.TEXT, parts, notes)
        return assemble(
            limited(found, self.limit, seed), address, shares=shares, metric=self.metric, seed=seed
        )

    def _notes(self, first: Tagged) -> tuple[str, ...]:
        """Say what was taken as word and tag, by example, unless the user said it."""
        if self.column is not None:
            return ()
        pairs = zip(first.words, first.tags, strict=True)
        shown = " ".join(f"{word}/{tag}" for word, tag in list(pairs)[:5])
        return (f"Words and tags begin {shown}: write column=1, for example, if other tags are meant.",)


def _files(path: Path) -> list[tuple[Path, Part | None]]:
    """Return the files with their splits; None for a single file, which is cut."""
    if path.is_file():
        return [(path, None)]
    if not path.is_dir():
        raise UnreadableTask(f"There is no file or folder '{path}'. Check the path after 'conll:'.")
    files = [one for one in sorted(path.iterdir()) if one.is_file() and not one.name.startswith(".")]
    named: list[tuple[Path, Part | None]] = [(one, part_of_file(one)) for one in files]
    named = [(one, part) for one, part in named if part is not None]
    if named:
        return named
    plain = [one for one in files if one.suffix.lower() in SUFFIXES]
    if len(plain) == 1:
        return [(plain[0], None)]
    raise UnreadableTask(
        f"'{path}' has no files called train, val or test. Rename its {len(plain)} CoNLL files, or name one."
    )
