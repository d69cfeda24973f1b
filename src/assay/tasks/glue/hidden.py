"""The test files of GLUE, whose labels are hidden: the leaderboard judges what is predicted for them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa

from assay.core.errors import UnreadableTask
from assay.readers.hub_datasets import DatasetRequest, coded_batches, open_hub
from assay.tasks.glue.files import require_files, stream_tsv

HUB = "nyu-mll/glue"


class Hidden(NamedTuple):
    """A file that the leaderboard takes, and where its examples are.

    Attributes:
        file: As the leaderboard calls it.
        tasks: Whose model predicts it; of those that there are, the first.
        path: Of the examples, in the folder of GLUE.
        columns: Of that file: the number of an example, then one or two of texts.
        config: Of the hub.
        split: Of the hub.
        texts: The columns of texts on the hub.
    """

    file: str
    tasks: tuple[str, ...]
    path: str
    columns: tuple[str, ...]
    config: str
    split: str
    texts: tuple[str, ...]


class Asked(NamedTuple):
    """Examples without labels."""

    numbers: list[str]  # as the files number them
    texts: list[str | tuple[str, str]]


_PAIR = ("sentence1", "sentence2")
_QUESTIONS = ("question1", "question2")
_ANSWER = ("question", "sentence")
_NLI = ("premise", "hypothesis")


def _hidden(file: str, task: str, columns: tuple[str, ...], texts: tuple[str, ...] | None = None) -> Hidden:
    """Return the test file of a task that has one; it lies in a folder of the name of the task's file."""
    path = f"{file.removesuffix('.tsv')}/test.tsv"
    return Hidden(file, (task,), path, columns, task, "test", texts or columns[1:])


def _inference(file: str, path: str, config: str, split: str) -> Hidden:
    """Return a file that a model of MNLI predicts: all of them learn from one train."""
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


def read_hidden(hidden: Hidden, folder: str | None, revision: str | None) -> Asked:
    """Return the examples of a test file.

    Args:
        hidden: Which.
        folder: Where the folders of GLUE lie; None for the hub.
        revision: Of the hub.

    Raises:
        UnreadableTask: They are not there, or a row is broken: the leaderboard wants an answer to each.
    """
    source, batches = _of_hub(hidden, revision) if folder is None else _of_file(hidden, Path(folder))
    asked = Asked([], [])
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
    path = folder.expanduser() / hidden.path
    require_files(folder.expanduser(), [hidden.path], f"{hidden.file} answers it")
    return str(path), stream_tsv(path, hidden.columns)


def _of_hub(hidden: Hidden, revision: str | None) -> tuple[str, Iterator[pa.RecordBatch]]:
    opened = open_hub(DatasetRequest(HUB, hidden.config, revision))
    if hidden.split not in opened:
        raise UnreadableTask(
            f"{HUB}, {hidden.config} has no split '{hidden.split}', for which {hidden.file} is predicted. "
            "Write another revision, or a folder."
        )
    columns = ("idx", *hidden.texts)
    return f"{HUB}, {hidden.config} {hidden.split}", coded_batches(opened[hidden.split], columns, ())
