"""The GLUE tasks: sentences and sentence pairs with the official metrics."""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import ClassVar, NamedTuple

import numpy as np

from assay.core.errors import MissingPackage, UnknownName, UnreadableTask, UsageError
from assay.core.paths import path_of
from assay.core.task import Task, TaskKind
from assay.core.task_source import TaskSource
from assay.readers.assembly import assemble
from assay.readers.gathering import ExampleLimits, Gathered, gather_texts
from assay.readers.hub_datasets import DatasetRequest, coded_batches, open_hub
from assay.readers.labelled_rows import LabelledRows
from assay.readers.labelling import Cells, Labelled, label_rows
from assay.readers.numbers import read_numbers
from assay.readers.splits import Part, Shares
from assay.readers.table_columns import TableColumns
from assay.readers.tables import TextTable, read_streams
from assay.tasks.glue.files import require_files, stream_tsv
from assay.tasks.glue.hidden import HUB

_CLASSES = ("0", "1")
_ENTAILMENT = ("entailment", "not_entailment")
_INFERENCE = ("entailment", "neutral", "contradiction")
_PAIR = ("sentence1", "sentence2")
_NLI = ("premise", "hypothesis")


class _File(NamedTuple):
    """A file of a split; its columns are one or two text columns, then the label column."""

    part: Part
    path: str
    columns: tuple[str | int, ...]
    rows: int  # number of labelled rows in the distributed file


class _Set(NamedTuple):
    """A GLUE task.

    Attributes:
        classes: Class names in the files, in the order of the hub's label numbers; empty for regression.
        texts: The text columns on the hub.
        config: The configuration on the hub, if it differs from the task name.
        dev: The name of the val split on the hub.
    """

    files: tuple[_File, ...]
    metric: str
    classes: tuple[str, ...] = _CLASSES
    texts: tuple[str, ...] = _PAIR
    config: str | None = None
    dev: str = "validation"


class _Source(NamedTuple):
    """The rows of a task, the part of each split, and notes about where they come from."""

    table: TextTable
    parts: Sequence[Part]
    notes: tuple[str, ...] = ()


def _files(
    folder: str, columns: Sequence[str | int], rows: tuple[int, int], dev: str = "dev.tsv"
) -> tuple[_File, ...]:
    """Return train and dev; the test file is not read, because its labels are hidden."""
    return (
        _File(Part.TRAIN, f"{folder}/train.tsv", tuple(columns), rows[0]),
        _File(Part.VAL, f"{folder}/{dev}", tuple(columns), rows[1]),
    )


_MNLI = (*_PAIR, "gold_label")
_DIAGNOSTIC = _File(Part.TEST, "diagnostic/diagnostic-full.tsv", ("Premise", "Hypothesis", "Label"), 1_104)

_SETS = {
    "cola": _Set(
        _files("CoLA", (3, 1), (8_551, 1_043)), "matthews", texts=("sentence",)
    ),  # the files have no header
    "sst2": _Set(_files("SST-2", ("sentence", "label"), (67_349, 872)), "accuracy", texts=("sentence",)),
    "mrpc": _Set(_files("MRPC", ("#1 String", "#2 String", "Quality"), (3_668, 408)), "accuracy_f1"),
    "stsb": _Set(_files("STS-B", (*_PAIR, "score"), (5_749, 1_500)), "pearson_spearman", ()),
    "qqp": _Set(
        _files("QQP", ("question1", "question2", "is_duplicate"), (363_846, 40_430)),
        "accuracy_f1",
        texts=("question1", "question2"),
    ),
    "mnli_matched": _Set(
        _files("MNLI", _MNLI, (392_702, 9_815), "dev_matched.tsv"),
        "accuracy",
        _INFERENCE,
        _NLI,
        "mnli",
        "validation_matched",
    ),
    "mnli_mismatched": _Set(
        _files("MNLI", _MNLI, (392_702, 9_832), "dev_mismatched.tsv"),
        "accuracy",
        _INFERENCE,
        _NLI,
        "mnli",
        "validation_mismatched",
    ),
    "qnli": _Set(
        _files("QNLI", ("question", "sentence", "label"), (104_743, 5_463)),
        "accuracy",
        _ENTAILMENT,
        ("question", "sentence"),
    ),
    "rte": _Set(_files("RTE", (*_PAIR, "label"), (2_490, 277)), "accuracy", _ENTAILMENT),
    "wnli": _Set(_files("WNLI", (*_PAIR, "label"), (635, 71)), "accuracy"),
    "ax": _Set(
        (*_files("MNLI", _MNLI, (392_702, 9_815), "dev_matched.tsv"), _DIAGNOSTIC), "matthews", _INFERENCE
    ),
}
_WHOLE = 0.99  # minimum fraction of rows: some distributed files have a few broken rows
_HIDDEN = "GLUE hides the labels of test: val is judged here, which the leaderboard does not show."
_AX = "Train and val are those of MNLI (matched); test is the diagnostic set, which is for analysis only."


@dataclass(frozen=True, slots=True)
class Glue(TaskSource):
    r"""GLUE tasks, from the distributed files or from the hub.

    The test labels are hidden, so the official val is used as test and a part of train as val. For ``ax``,
    the diagnostic set, train is that of MNLI.

    References:
        GLUE: A Multi-Task Benchmark and Analysis Platform for Natural Language Understanding (Wang et al.,
        2019), https://arxiv.org/abs/1804.07461

    Attributes:
        name: ``cola``, ``sst2``, ``mrpc``, ``stsb``, ``qqp``, ``mnli_matched``, ``mnli_mismatched``,
            ``qnli``, ``rte``, ``wnli`` or ``ax``.
        folder: The parent of the folders CoLA, SST-2, MRPC, STS-B, QQP, MNLI, QNLI, RTE, WNLI and
            diagnostic; by default ``nyu-mll/glue`` is downloaded from the hub.
        revision: A commit, tag or branch on the hub.
        val: The fraction of train used as val.
        metric: The main metric; by default the official matthews, accuracy, accuracy_f1 (mean of both) or
            pearson_spearman (the mean of both).
        limit: The maximum number of examples, stratified by class and official split.
        train_limit: The maximum number of examples of train and val.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     Path(folder, "RTE").mkdir()
    ...     for part, start in (("train", 0), ("dev", 20)):
    ...         rows = [f"{row}\tIt is\tSo {row}.\t{_ENTAILMENT[row % 2]}" for row in range(start, start + 9)]
    ...         text = "\n".join(["index\tsentence1\tsentence2\tlabel", *rows])
    ...         _ = Path(folder, "RTE", f"{part}.tsv").write_text(text)
    ...     task = Glue("rte", folder=folder).load("glue:rte", seed=0)
    >>> len(task.train), len(task.val), len(task.test), task.classes
    (7, 2, 9, ('entailment', 'not_entailment'))
    """

    folder: str | None = None
    revision: str | None = None
    val: float = 0.1
    metric: str | None = None
    limit: int | None = None
    train_limit: int | None = None

    summary: ClassVar[str] = "the tasks of GLUE: cola, sst2, mrpc, stsb, qqp, mnli_matched, ..., ax"

    def load(self, address: str, seed: int) -> Task:
        """Read the files of a task, or download it."""
        if self.name not in _SETS:
            raise UnknownName("task of GLUE", self.name, _SETS)
        shares = Shares(self.val)
        subset = _SETS[self.name]
        return assemble(
            self._gather(subset),
            address,
            shares=shares,
            metric=self.metric or subset.metric,
            seed=seed,
            limits=ExampleLimits(self.limit, self.train_limit),
        )

    def _gather(self, subset: _Set) -> Gathered:
        table, parts, stale = self._from_hub(subset) if self.folder is None else self._from_files(subset)
        *texts, label = table.cells.column_names
        labels, kept, notes = _labelled(table, label, subset)
        counts = np.bincount(table.of_files(range(len(parts)))[kept], minlength=len(parts))
        cut = _cut_off(table, counts, subset.files)
        notes = (_AX if self.name == "ax" else _HIDDEN, *cut, *stale, *notes)
        labelled = LabelledRows(kept, labels, table.of_files(parts)[kept], notes)
        gathered = gather_texts(table, TableColumns((label,), tuple(texts)), labelled)
        return replace(gathered, inputs=subset.texts)  # the distributed files have several names for them

    def _from_hub(self, subset: _Set) -> _Source:
        if self.name == "ax":
            raise UsageError(
                "The hub has no labels of the diagnostic set. Unpack MNLI and diagnostic-full.tsv of "
                "gluebenchmark.com/diagnostics, and write glue:ax(folder='...')."
            )
        if importlib.util.find_spec("datasets") is None:
            raise MissingPackage("hub", "datasets")
        opened, stale = open_hub(
            DatasetRequest(HUB, subset.config or self.name, self.revision, address=f"glue:{self.name}")
        )
        columns = (*subset.texts, "label")
        lacking = [name for name in ("train", subset.dev) if name not in opened]
        if lacking:
            raise UnreadableTask(
                f"{HUB} has no split '{lacking[0]}' for glue:{self.name}. Write another revision."
            )
        splits = {Path(name): opened[name] for name in ("train", subset.dev)}
        streams = {
            path: partial(coded_batches, split, columns, subset.classes) for path, split in splits.items()
        }
        return _Source(read_streams(streams), (Part.TRAIN, Part.VAL), stale)

    def _from_files(self, subset: _Set) -> _Source:
        folder = path_of(self.folder or "")
        paths = {folder / file.path: file for file in subset.files}
        needed = [file.path for file in subset.files]
        require_files(folder, needed, f"glue:{self.name} needs {', '.join(needed)}")
        streams = {path: partial(stream_tsv, path, file.columns) for path, file in paths.items()}
        return _Source(read_streams(streams), tuple(file.part for file in subset.files))


def _cut_off(table: TextTable, counts: np.ndarray, files: Sequence[_File]) -> tuple[str, ...]:
    """Return notes about files with fewer labels than distributed; raise for a file without labels."""
    few = []
    for path, count, file in zip(table.paths, counts, files, strict=False):
        if not count:
            raise UnreadableTask(f"{path} has no row with a label. Unpack it as it is distributed.")
        if count < _WHOLE * file.rows:
            few.append(f"{count:,} of {file.rows:,} labels of {file.path}")
    return (f"It has only {' and '.join(few)}: results are not those of GLUE.",) if few else ()


def _labelled(table: TextTable, label: str, subset: _Set) -> Labelled:
    column = subset.files[0].columns[-1]
    title = f"column {column + 1}" if isinstance(column, int) else column
    cells = Cells(title, *table.coded(label), table.row_name)
    numbers = read_numbers(cells.names)
    odd = np.flatnonzero(~(np.isfinite(numbers.values) | numbers.missing))
    if not subset.classes and len(odd):
        row = int(np.argmax(cells.codes == odd[0]))
        raise UnreadableTask(
            f"{table.row_name(row)}: the label '{cells.names[odd[0]]}' is not a number. "
            "Unpack the files as they are distributed."
        )
    labelled = label_rows(cells, TaskKind.CLASSIFICATION if subset.classes else TaskKind.REGRESSION)
    wrong = sorted(set(labelled.labels.classes) - set(subset.classes))
    if wrong:
        position = labelled.labels.classes.index(wrong[0])
        row = int(labelled.kept[np.argmax(labelled.labels.values == position)])
        raise UnreadableTask(
            f"{table.row_name(row)}: the label is '{wrong[0]}', which is none of "
            f"{', '.join(subset.classes)}. Unpack the files as they are distributed."
        )
    return labelled
