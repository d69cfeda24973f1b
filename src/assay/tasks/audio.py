"""Audio classification from a folder: class folders, or a table of files and labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from assay.core.errors import UnreadableTask
from assay.core.paths import path_of
from assay.core.task import Task
from assay.core.task_source import TaskSource
from assay.readers.annotated_folders import are_no_classes
from assay.readers.assembly import assemble
from assay.readers.files import FolderFiles
from assay.readers.folders import FileType, find_files, require_folder
from assay.readers.gathering import ExampleLimits, gather_files
from assay.readers.given_splits import Folders, GivenSplits, shares_and_folders
from assay.readers.label_tables import label_tables
from assay.readers.labelled_rows import LabelForm, LabelledRows, labelled_rows
from assay.readers.labelling import parse_kind
from assay.readers.listed_files import listed_files
from assay.readers.named_columns import NamedColumns
from assay.readers.positive_class import with_positive
from assay.readers.sounds import SUFFIXES, StoredSounds, is_sound
from assay.readers.splits import Part
from assay.readers.tables import TextTable, read_table

Listing = tuple[FolderFiles, LabelledRows, tuple[str, ...]]  # with the columns that name the files


@dataclass(frozen=True, slots=True)
class Audio(TaskSource):
    """Audio files in class folders, directly or in split folders: WAV, FLAC, OGG, MP3, AIFF.

    Attributes:
        name: The path of the folder.
        labels: A table of files and labels in the folder, used instead of class folders. Its paths are
            relative to the table or to the folder.
        label: The label column; guessed by default.
        kind: ``classification``, ``multilabel`` or ``regression``; guessed from the labels by default.
        missing: What marks a missing label besides empty cells (and "NA" among numbers), as in ("?", "none").
        file: The column of paths; by default the first column of audio file names.
        split: The split column; guessed by default; optional.
        unreadable: The maximum fraction of unreadable files; one is always allowed, unless this is 0.
        train: The folder of train, or several, relative to the folder; found by name by default. ``'.'`` says
            that there are no folders of splits.
        val: The fraction of val if there is no official split; or its folder, as for train.
        test: The fraction of test if there is no official split; or its folder, as for train.
        links: Whether links that lead out of the folder are followed.
        metric: The main metric; accuracy by default.
        positive: The class of two whose F1 is judged; the second by name by default.
        limit: The maximum number of files, stratified by class and official split; others are not read.

    >>> import wave
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     for row in range(20):
    ...         path = Path(folder, "bark" if row % 2 else "meow", f"{row}.wav")
    ...         path.parent.mkdir(exist_ok=True)
    ...         with wave.open(str(path), "wb") as file:
    ...             file.setparams((1, 2, 8000, 0, "NONE", ""))
    ...             file.writeframes(bytes([row] * 800))
    ...     task = Audio(folder).load("audio:pets", seed=0)
    >>> len(task.train), len(task.val), len(task.test), task.classes
    (12, 4, 4, ('bark', 'meow'))
    """

    labels: str | None = None
    label: str | tuple[str, ...] | None = None
    kind: str | None = None
    file: str | None = None
    split: str | None = None
    unreadable: float = 0.01
    val: float | str | tuple[str, ...] = 0.2
    test: float | str | tuple[str, ...] = 0.2
    metric: str | None = None
    limit: int | None = None
    missing: str | tuple[str, ...] = ()
    train: Folders | None = None
    links: bool = False
    positive: str | int = ""

    summary: ClassVar[str] = "sounds in a folder, WAV or FLAC: class folders, split folders, or a labels file"
    packages: ClassVar[tuple[str, ...]] = ("soundfile",)

    def load(self, address: str, seed: int) -> Task:
        """Decode and check every file once; files are decoded again on demand."""
        shares, given = shares_and_folders(self.train, self.val, self.test)
        folder = path_of(self.name)
        require_folder(folder)
        if self.labels is None:
            files, labelled, inputs = self._from_folders(folder, given)
        else:
            files, labelled, inputs = self._listed(folder, {folder / path_of(self.labels): None})
        limits = ExampleLimits(self.limit)
        gathered = gather_files(StoredSounds(files), labelled, self.unreadable, limits, seed)
        gathered = replace(with_positive(gathered, self.positive, self.metric), inputs=inputs)
        return assemble(gathered, address, shares=shares, metric=self.metric, seed=seed)

    def _from_folders(self, folder: Path, given: GivenSplits) -> Listing:
        tree = find_files(folder, FileType(is_sound, StoredSounds.plural), given, follows_links=self.links)
        listed = label_tables(folder)
        if listed and (not tree.names or are_no_classes(tree.classes)):
            return self._listed(folder, listed)
        if not tree.names:
            raise UnreadableTask(
                f"'{folder}' has no sounds in class folders. Put those of each class into a folder of its "
                f"name, or name a table of files and labels in it, as in (labels='labels.csv'). They "
                f"end in {', '.join(SUFFIXES)}.{''.join(f' {note}' for note in tree.notes)}"
            )
        return tree.files(), tree.labelled(), ()

    def _listed(self, folder: Path, paths: Mapping[Path, Part | None]) -> Listing:
        table = read_table(list(paths))
        column = self.file or _column_of_sounds(table)
        named = NamedColumns(image=column, label=self.label, split=self.split)
        form = LabelForm(parse_kind(self.kind), missing=self.missing)
        parts = [part for part in paths.values() if part is not None]
        _, labelled = labelled_rows(table, named, form, table.of_files(parts) if parts else None)
        beside = (next(iter(paths)).parent, folder) if len(paths) == 1 else (folder,)  # both are common
        listed = listed_files(table, column, labelled, *beside)
        return listed.files, listed.labelled, (column,)


def _column_of_sounds(table: TextTable) -> str:
    for name, cells in table.head().items():
        if any(cells) and all(is_sound(cell) for cell in cells if cell):
            return name
    raise UnreadableTask(
        f"No column of {table.title} holds names of sounds ({', '.join(SUFFIXES)}): it has "
        f"{', '.join(table.cells.column_names)}. Write for example file='path'."
    )
