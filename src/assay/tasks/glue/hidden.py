"""The GLUE test files, whose labels are hidden; predictions for them are scored by the leaderboard."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from assay.core.errors import UnreadableTask
from assay.core.paths import path_of
from assay.readers.hub_datasets import DatasetRequest, coded_batches, open_hub
from assay.tasks.glue.files import require_files, stream_tsv

HUB = "nyu-mll/glue"


class Hidden(NamedTuple):
    """A prediction file of the leaderboard, and the source of its examples.

    Attributes:
        file: The file name required by the leaderboard.
        tasks: The tasks whose model can predict it; the first available task is used.
        path: The path of the examples in the GLUE folder.
        columns: The columns of that file: the example number, then one or two text columns.
        config: The configuration on the hub.
        split: The split on the hub.
        texts: The text columns on the hub.
    """

    file: str
    tasks: tuple[str, ...]
    path: str
    columns: tuple[str, ...]
    config: str
    split: str
    texts: tuple[str, ...]


class UnlabelledExamples(NamedTuple):
    """Examples without labels."""

    numbers: list[str]  # example numbers in the file
    texts: list[str | tuple[str, str]]


_PAIR = ("sentence1", "sentence2")
_QUESTIONS = ("question1", "question2")
_ANSWER = ("question", "sentence")
_NLI = ("premise", "hypothesis")


def _hidden(file: str, task: str, columns: tuple[str, ...], texts: tuple[str, ...] | None = None) -> Hidden:
    """Return the hidden test file of a task, in the folder named like the prediction file."""
    path = f"{file.removesuffix('.tsv')}/test.tsv"
    return Hidden(file, (task,), path, columns, task, "test", texts or columns[1:])


def _inference(file: str, path: str, config: str, split: str) -> Hidden:
    """Return a hidden test file for the MNLI model."""
    tasks = ("mnli_matched", "mnli_mismatched", "ax")
    return Hidden(file, tasks, path, ("index", *_PAIR), config, split, _NLI)


HIDDEN = (
    _hidden("CoLA.tsv", "cola", ("index", "sentence")),
    _hidden("SST-2.tsv", "sst2", ("index", "sentence")),
    _hidden("MRPC.tsv", "mrpc", ("index", "#1 String", "#2 String"), _PAIR),
    _hidden("STS-B.tsv", "stsb", ("index", *_PAIR)),
    _hidden("QQP.tsv", "qqp", ("id", *_QUESTIONS)),
    _inference("MNLI-m.tsv", "MNLI/test_matched.tsv", "mnli", "test_matched"),
    _inference("MNLI-mm.tsv", "MNLI/test_mismatched.tsv", "mnli", "test_mismatched"),
    _hidden("QNLI.tsv", "qnli", ("index", *_ANSWER)),
    _hidden("RTE.tsv", "rte", ("index", *_PAIR)),
    _hidden("WNLI.tsv", "wnli", ("index", *_PAIR)),
    _inference("AX.tsv", "diagnostic/diagnostic.tsv", "ax", "test"),
)


def read_hidden(hidden: Hidden, folder: str | None, revision: str | None) -> UnlabelledExamples:
    """Return the examples of a test file.

    Args:
        hidden: The hidden test file.
        folder: The GLUE folder; None for the hub.
        revision: The revision on the hub.

    Raises:
        UnreadableTask: The file is missing or has a broken row; the leaderboard requires all predictions.
    """
    source, batches = _of_hub(hidden, revision) if folder is None else _of_file(hidden, Path(folder))
    asked = UnlabelledExamples([], [])
    for batch in batches:
        for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            if None in row:
                raise UnreadableTask(
                    f"{source}, row {len(asked.numbers) + 1}: it has fewer cells than the first line, and "
                    "the leaderboard wants an answer to it. Unpack the file as it is distributed."
                )
            number, *texts = (str(cell).strip() for cell in row)
            asked.numbers.append(number)
            asked.texts.append(texts[0] if len(texts) == 1 else (texts[0], texts[1]))
    return asked


def _of_file(hidden: Hidden, folder: Path) -> tuple[str, Iterator[pa.RecordBatch]]:
    folder = path_of(folder)
    path = folder / hidden.path
    require_files(folder, [hidden.path], f"{hidden.file} answers it")
    return str(path), stream_tsv(path, hidden.columns)


def _of_hub(hidden: Hidden, revision: str | None) -> tuple[str, Iterator[pa.RecordBatch]]:
    opened = open_hub(DatasetRequest(HUB, hidden.config, revision)).splits
    if hidden.split not in opened:
        raise UnreadableTask(
            f"{HUB}, {hidden.config} has no split '{hidden.split}', for which {hidden.file} is predicted. "
            "Write another revision, or a folder."
        )
    columns = ("idx", *hidden.texts)
    return f"{HUB}, {hidden.config} {hidden.split}", coded_batches(opened[hidden.split], columns, ())
