"""Predicts the hidden GLUE labels with trained models of a study, and writes leaderboard files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from assay.actions.load import Saved, load
from assay.actions.save import ModelToSave, code_of, must_be_empty, save
from assay.core.errors import StoreError, UsageError
from assay.core.model import ModelSource
from assay.core.result import Status
from assay.core.task import Example, TaskKind
from assay.environment.atomic_file import replacing_text
from assay.plugins.address import Address
from assay.plugins.families import families
from assay.plugins.protocol import Protocol
from assay.plugins.registry import Named
from assay.run.plan import resolve_tasks
from assay.store.results import Store
from assay.tasks.glue import Glue
from assay.tasks.glue.hidden import HIDDEN, Hidden, UnlabelledExamples, read_hidden

_AT_ONCE = 1024  # examples per prediction call
_SCALE = (0.0, 5.0)  # range of STS-B labels


class Entrant(NamedTuple):
    """A submission: one model, trained by one protocol on each task."""

    model: Named[ModelSource]
    method: Named[Protocol]


class Written(NamedTuple):
    """A file of a submission."""

    path: Path
    task: str  # the task whose model made the predictions
    answers: int


def lacking(store: Store, entrant: Entrant) -> tuple[Hidden, ...]:
    """Return the files for which a study has no model; the leaderboard requires all files."""
    known = _tasks(store, entrant)
    return tuple(hidden for hidden in HIDDEN if known.keys().isdisjoint(hidden.tasks))


def submit(store: Store, entrant: Entrant, folder: Path, seed: int, device: str) -> Iterator[Written]:
    """Train again as the study did, and yield each file once it is written.

    One model predicts AX and both files of MNLI.

    Args:
        store: The store of a study with GLUE tasks.
        entrant: The model and the protocol.
        folder: The folder is created, or must be empty.
        seed: Seed of the study's splits.
        device: The device for training.

    Raises:
        UsageError: The study has no GLUE task with such a result, or the folder is not empty.
        UnreadableTask: A test file is missing or broken.
        StoreError: Training again gave other predictions, or the folder cannot be written.
    """
    must_be_empty(folder)
    tasks = _tasks(store, entrant)
    if not tasks:
        raise UsageError(
            f"The study has no result of {entrant.method} for {entrant.model} on a task of GLUE. Name them "
            "as the report does; tasks are for example glue:cola, or all of them: suite:glue."
        )
    wanted: dict[
        str, list[tuple[Hidden, UnlabelledExamples]]
    ] = {}  # everything is read before anything is trained
    for hidden in HIDDEN:
        name = next((name for name in hidden.tasks if name in tasks), None)
        if name is not None:
            source = families().tasks.create_from_source(Address.parse(tasks[name])).plugin
            assert isinstance(source, Glue)
            asked = read_hidden(hidden, source.folder, source.revision)
            wanted.setdefault(tasks[name], []).append((hidden, asked))
    for address, files in wanted.items():
        model = ModelToSave(entrant.model, resolve_tasks([address], seed)[0], entrant.method)
        with tempfile.TemporaryDirectory() as temporary:
            save(store, model, Path(temporary), device)
            code = code_of(Path(temporary))  # which training ran a moment ago
            with load(temporary, device, allow_code=code) as saved:
                for hidden, asked in files:
                    answers = _answers(saved, asked.texts)
                    yield Written(_write(folder / hidden.file, asked, answers), address, len(answers))


def _tasks(store: Store, entrant: Entrant) -> dict[str, str]:
    """Return the addresses of the tasks of GLUE that the entrant was trained on, by name."""
    addresses: dict[str, str] = {}
    for result in store.results():
        job, address = result.job, Address.parse(result.job.task)
        ours = (job.model, job.method) == (str(entrant.model), str(entrant.method))
        if not ours or address.source != "glue" or result.status is not Status.OK:
            continue
        if addresses.setdefault(address.name, job.task) != job.task:
            raise UsageError(
                f"The study has two tasks of glue:{address.name}: {addresses[address.name]} and {job.task}. "
                "The leaderboard takes one: keep them in stores of their own."
            )
    return addresses


def _answers(saved: Saved, texts: Sequence[Example]) -> list[str]:
    answers: list[str] = []
    for start in range(0, len(texts), _AT_ONCE):
        values = saved.predict(texts[start : start + _AT_ONCE]).values
        if saved.settings.kind == TaskKind.REGRESSION:
            answers += [f"{number:.3f}" for number in np.clip(np.ravel(values), *_SCALE)]
        else:
            answers += [saved.classes[position] for position in values]
    return answers


def _write(path: Path, asked: UnlabelledExamples, answers: Sequence[str]) -> Path:
    rows = (f"{number}\t{answer}\n" for number, answer in zip(asked.numbers, answers, strict=True))
    try:
        with replacing_text(path) as file:
            file.writelines(["index\tprediction\n", *rows])
    except OSError as error:
        raise StoreError(f"Cannot write '{path}': {error}. Name another folder: --out other.") from error
    return path
