"""Image tasks from a folder: class folders, or a table of files and labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar

from assay.core.errors import UnreadableTask
from assay.core.paths import path_of
from assay.core.task import Task
from assay.core.task_source import TaskSource
from assay.readers.annotated_folders import are_no_classes, found_annotations, table_beside
from assay.readers.assembly import assemble
from assay.readers.escaped_names import shown_name
from assay.readers.folders import Tree, find_files, require_folder
from assay.readers.gathering import Gathered, gather_files
from assay.readers.given_splits import Folders, GivenSplits, shares_and_folders
from assay.readers.images import StoredImages
from assay.readers.label_tables import label_tables
from assay.readers.labelled_rows import LabelForm, labelled_rows
from assay.readers.labelling import parse_kind
from assay.readers.listed_files import column_of_files, listed_files
from assay.readers.named_columns import NamedColumns
from assay.readers.pixel_values import parse_range
from assay.readers.positive_class import with_positive
from assay.readers.splits import Part
from assay.readers.tables import read_table

_CLASS_FOLDERS = (
    "Put the images of each class into a folder of its name, or list them in labels.csv with the columns "
    "file and label."
)


@dataclass(frozen=True, slots=True)
class Folder(TaskSource):
    """Images in a folder.

    Class folders are in it directly, or below folders that are named after splits, such as ``train``,
    ``validation`` and ``test``, ``TrainingSet`` and ``TestSet``, or ``seg_train`` and ``seg_test``, which are
    then the official splits. Without class folders, ``labels.csv`` lists the images.

    Attributes:
        name: The path of the folder.
        labels: A table of files and labels, relative to the folder, used instead of class folders.
            Its paths are relative to the table or to the folder.
        label: The label column; guessed by default. Or several columns, as in ('red', 'round'), of 0 and 1
            per class, or of numbers.
        label_separator: The separator of several classes in a cell, such as "|"; not needed for lists.
        kind: ``classification``, ``multilabel`` or ``regression``; guessed from the labels.
        missing: What marks a missing label besides empty cells (and "NA" among numbers), as in ("?", "none").
        file: The column of paths; guessed by default.
        split: The split column; guessed by default; optional.
        slices: One or more columns by which test results are reported separately, such as camera.
        unreadable: The maximum fraction of unreadable images; one is always allowed, unless this is 0.
        train: The folder of train, or several, relative to the folder; found by name by default. ``'.'`` says
            that there are no folders of splits.
        val: The fraction of val if there is no official split; or its folder, as for train.
        test: The fraction of test if there is no official split; or its folder, as for train.
        links: Whether links that lead out of the folder are followed.
        pixel_range: The values that are black and white in images of 16 or 32 bits or floats, such as
            (0, 4095); by default one range found in all images of the task.
        metric: The main metric; by default accuracy, macro F1 for multilabel, or Spearman correlation for
            regression.
        positive: The class of two whose F1 is judged; the second by name by default.

    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> with TemporaryDirectory() as folder:
    ...     for row in range(20):
    ...         path = Path(folder, "ant" if row % 2 else "bee", f"{row}.png")
    ...         path.parent.mkdir(exist_ok=True)
    ...         Image.new("RGB", (8, 8), (row, 0, 0)).save(path)
    ...     task = Folder(folder).load("folder:insects", seed=0)
    >>> len(task.train), len(task.val), len(task.test), task.classes
    (12, 4, 4, ('ant', 'bee'))
    """

    labels: str | None = None
    label: str | tuple[str, ...] | None = None
    label_separator: str | None = None
    kind: str | None = None
    file: str | None = None
    split: str | None = None
    unreadable: float = 0.01
    val: float | str | tuple[str, ...] = 0.2
    test: float | str | tuple[str, ...] = 0.2
    metric: str | None = None
    slices: str | tuple[str, ...] | None = None
    missing: str | tuple[str, ...] = ()
    train: Folders | None = None
    links: bool = False
    pixel_range: tuple[float, float] | None = None
    positive: str | int = ""

    summary: ClassVar[str] = "images in a folder: class folders, split folders, or a labels file"

    def load(self, address: str, seed: int) -> Task:
        """Read and check every image once; images are decoded again on demand."""
        shares, given = shares_and_folders(self.train, self.val, self.test)
        folder = path_of(self.name)
        require_folder(folder)
        gathered = self._gather(folder, given)
        gathered = with_positive(gathered, self.positive, self.metric)
        return assemble(gathered, address, shares=shares, metric=self.metric, seed=seed)

    def _gather(self, folder: Path, given: GivenSplits) -> Gathered:
        if self.labels is not None:
            return self._listed(folder, {folder / path_of(self.labels): None})
        tree = find_files(folder, given=given, follows_links=self.links)
        listed = label_tables(folder)
        if tree.names and not (listed and are_no_classes(tree.classes)):
            if self.slices is not None:
                raise _no_table(folder)
            images = StoredImages(tree.files(), given=parse_range(self.pixel_range))
            return gather_files(images, tree.labelled(), self.unreadable)
        if not listed:
            raise _nothing_found(folder, tree)
        return self._listed(folder, listed)

    def _listed(self, folder: Path, paths: Mapping[Path, Part | None]) -> Gathered:
        table = read_table(list(paths))
        first = next(iter(paths)).parent
        beside = (first, folder) if len(paths) == 1 else (folder,)  # both are common
        file = self.file or column_of_files(table, *beside)
        named = NamedColumns(image=file, label=self.label, split=self.split, slices=self.slices)
        form = LabelForm(parse_kind(self.kind), self.label_separator or None, self.missing)
        parts = [part for part in paths.values() if part is not None]
        columns, labelled = labelled_rows(table, named, form, table.of_files(parts) if parts else None)
        if columns.image is None:
            raise UnreadableTask(
                f"Cannot tell which column of {table.title} holds the paths of images: it has "
                f"{', '.join(table.cells.column_names)}. Write for example file='path'."
            )
        files, labelled = listed_files(table, columns.image, labelled, *beside)
        images = StoredImages(files, given=parse_range(self.pixel_range))
        return replace(gather_files(images, labelled, self.unreadable), inputs=columns.inputs)


def _no_table(folder: Path) -> UnreadableTask:
    return UnreadableTask(
        f"'{folder}' has class folders: slices are columns of a table. List the images in labels.csv with "
        "the columns file, label and those of the slices, and write labels='labels.csv'."
    )


def _nothing_found(folder: Path, tree: Tree) -> UnreadableTask:
    shown, notes = shown_name(str(folder)), "".join(f" {note}" for note in tree.notes)
    if tree.loose:
        cure = found_annotations(folder) or table_beside(folder) or _CLASS_FOLDERS
        return UnreadableTask(f"'{shown}' has {tree.loose} images and no class folders. {cure}{notes}")
    return UnreadableTask(
        f"'{shown}' has no images in class folders. Put the images of each class into a folder of its name; "
        f"for a folder of tables write table: before its path, for sounds audio:.{notes}"
    )
