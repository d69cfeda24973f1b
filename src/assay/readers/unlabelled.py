"""Reads examples without labels from files, folders and tables, for predictions."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from assay.core.errors import UnreadableTask
from assay.core.paths import path_of
from assay.core.task import Example, Modality, Words
from assay.readers.checking import looked_at
from assay.readers.embedded_files import EmbeddedFiles, embedded_columns
from assay.readers.files import FileExamples, Files, FolderFiles, is_file
from assay.readers.formats.suffixes import SUFFIXES
from assay.readers.formats.table_file import TableFormat
from assay.readers.images import StoredImages, is_image
from assay.readers.listed_files import named_files
from assay.readers.lists import splitter
from assay.readers.pixel_values import PixelKind, PixelRange
from assay.readers.sounds import StoredSounds, is_sound
from assay.readers.tables import TableTexts, TextTable, read_table

_FITS: Mapping[Modality, tuple[Callable[[str], bool], str]] = {
    Modality.IMAGE: (is_image, "images"),
    Modality.AUDIO: (is_sound, "sounds"),
}

_WHOLE = TableFormat(keeps_rows=True)  # each row of a file has an answer


class NewExample(NamedTuple):
    """One example, or why it cannot be read.

    Attributes:
        input: The file, table or text that the user named.
        row: The row of a table, from 1; None elsewhere.
        example: The example; None if it cannot be read.
        error: The reason; empty otherwise.
    """

    input: str
    row: int | None
    example: Example | None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Unlabelled:
    """How examples are read.

    Attributes:
        modality: What an example is.
        columns: The columns of a table that hold an example; empty to take the only one.
        is_tokens: Whether texts are split into words.
        ranges: The values that are black and white in pixels of more than 8 bits; of each image if absent.
        full_scale: The value of full scale in sounds of floats.
    """

    modality: Modality
    columns: tuple[str, ...] = ()
    is_tokens: bool = False
    ranges: Mapping[PixelKind, PixelRange] = field(default_factory=dict)
    full_scale: float = 1.0

    def examples(self, given: str) -> Iterator[NewExample]:
        """Yield the examples of a file, folder or table, including unreadable ones."""
        try:
            yield from self._read(given, path_of(given))
        except UnreadableTask as error:
            yield NewExample(given, None, None, str(error))
        except OSError as error:
            yield NewExample(given, None, None, error.strerror or str(error))
        except ValueError as error:  # a NUL in a path
            yield NewExample(given, None, None, str(error))

    def _read(self, given: str, path: Path) -> Iterator[NewExample]:
        if not path.exists():
            hint = f" For the text itself write --text {given!r}." if self.modality is Modality.TEXT else ""
            raise UnreadableTask(f"There is no file '{given}'.{hint}")
        if path.is_dir():
            yield from self._folder(given, path)
        elif path.name.lower().endswith(SUFFIXES):
            yield from self._table(given, path)
        elif self.modality is Modality.TEXT:
            raise UnreadableTask(
                f"'{given}' is not a table. Its name must end in one of {', '.join(SUFFIXES)}."
            )
        else:
            yield self._file(given, None, path.parent, path.name)

    def _folder(self, given: str, path: Path) -> Iterator[NewExample]:
        if self.modality is Modality.TEXT:
            raise UnreadableTask(f"'{given}' is a folder. Name a table of texts in it.")
        fits, plural = _FITS[self.modality]
        found = False
        for folder, inner, names in os.walk(path):
            inner[:] = sorted(name for name in inner if not name.startswith((".", "@")))
            for link in (Path(folder, name) for name in inner):
                if link.is_symlink():  # os.walk does not follow it
                    yield NewExample(str(link), None, None, "a link to a folder is not followed")
            for name in sorted(name for name in names if fits(name) and not name.startswith(".")):
                found = True
                yield self._below(path, Path(folder, name))
        if not found:
            raise UnreadableTask(f"The folder '{given}' has no {plural}.")

    def _below(self, top: Path, path: Path) -> NewExample:
        if not path.resolve().is_relative_to(top.resolve()):
            return NewExample(str(path), None, None, "a link that leaves the folder")
        return self._file(str(path), None, path.parent, path.name)

    def _table(self, given: str, path: Path) -> Iterator[NewExample]:
        table = read_table([path], _WHOLE)
        columns = self._columns_of(given, table)
        split = splitter(table.head()[columns[0]]) if self.is_tokens else None
        texts = TableTexts(table, columns, split)
        embedded: EmbeddedFiles | None = None
        if columns[0] in embedded_columns(table.paths):
            embedded = EmbeddedFiles.of(table, columns[0])
        elif self.modality is not Modality.TEXT:
            beside = path.absolute().parent
            files, _ = named_files(columns[0], tuple(table.column(columns[0])), beside, beside.parent)
            self._require_one(given, columns[0], files)
        for row, cells in enumerate(zip(*(table.column(name) for name in columns), strict=True)):
            lacking = [name for name, cell in zip(columns, cells, strict=True) if not cell]
            if lacking:
                is_odd = table.notes and all(column[row].as_py() is None for column in table.cells.columns)
                why = ", or the row has a wrong number of cells" if is_odd else ""
                yield NewExample(given, row + 1, None, f"'{lacking[0]}' is empty{why}")
            elif self.modality is Modality.TEXT:
                yield NewExample(given, row + 1, texts.read(row))
            elif embedded is not None:
                yield self._decoded(given, row + 1, embedded, row)
            else:
                yield self._file(given, row + 1, files.folder, files.names[row])

    def _require_one(self, given: str, column: str, files: FolderFiles) -> None:
        """Raise if a column of several rows names no file that exists: it holds something else."""
        if len(files.names) > 1 and not any(name and is_file(files.folder / name) for name in files.names):
            plural = _FITS[self.modality][1]
            raise UnreadableTask(
                f"None of the {len(files.names)} cells of '{column}' in '{given}' names a file that exists "
                f"(first: '{files.names[0][:40]}'). Say which column holds paths of {plural}: --column NAME."
            )

    def _columns_of(self, given: str, table: TextTable) -> tuple[str, ...]:
        names = table.cells.column_names
        lacking = [name for name in self.columns if name not in names]
        if self.columns and not lacking:
            return self.columns
        holding = embedded_columns(table.paths)
        only = [name for name in names if holding.get(name) is self.modality] or names
        if not self.columns and len(only) == 1:
            return (only[0],)
        which = f"no column '{lacking[0]}'" if lacking else "several columns"
        raise UnreadableTask(
            f"'{given}' has {which} (it has {', '.join(names)}). Say which holds the examples: --column NAME."
        )

    def _file(self, shown: str, row: int | None, folder: Path, name: str) -> NewExample:
        where = "" if row is None else f"{name}: "
        if not is_file(folder / name):
            return NewExample(shown, row, None, f"{where}no such file")
        return self._decoded(shown, row, FolderFiles(folder, (name,)), 0, where)

    def _decoded(
        self, shown: str, row: int | None, files: Files, position: int, where: str = ""
    ) -> NewExample:
        are_images = self.modality is Modality.IMAGE
        stored: FileExamples = (
            StoredImages(files, self.ranges) if are_images else StoredSounds(files, self.full_scale)
        )
        try:
            return NewExample(shown, row, stored.read(position))
        except Exception as error:  # a decoder may raise anything on damaged bytes
            reason = looked_at(stored, position)
            return NewExample(shown, row, None, f"{where}{reason if isinstance(reason, str) else error}")


def given_texts(texts: Sequence[str], seconds: Sequence[str], *, is_tokens: bool) -> Iterator[NewExample]:
    """Yield texts that the user wrote; with as many second texts, pairs."""
    split = splitter(())
    for position, text in enumerate(texts):
        if not text.strip():
            yield NewExample(text, None, None, "the text is empty")
        elif seconds:
            yield NewExample(text, None, (text.strip(), seconds[position].strip()))
        else:
            yield NewExample(text, None, Words(split(text.strip())) if is_tokens else text.strip())
