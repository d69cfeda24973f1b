"""Converts a store or a file of results to a table of past tasks: numbers and names only."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from collections.abc import Collection, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from assay.analysis.per_task.cells import choose_method, gather
from assay.core.errors import UsageError
from assay.core.task import Modality
from assay.findings.facts import TaskFacts, has_random_weights
from assay.findings.per_task import Cell
from assay.plugins.address import Address
from assay.run.stored_evidence import scores_among
from assay.search.past import PastTable, shipped_tables
from assay.search.past.identity import identity_of
from assay.search.past.table import is_exported, read_tables
from assay.store.results import open_existing
from assay.tables.matrices import RowKind, higher_is_better, read_matrices, select_matrix
from assay.wording.short_names import alias_of

YOURS = "yours"
_SUFFIX = re.compile(r"\.(csv|tsv|jsonl?|parquet|xlsx|ods|txt|conll)(\.gz)?$", re.IGNORECASE)
_SAYS_NOTHING = re.compile(  # of files, configurations and the folders above them
    r"\W*|data|datasets?|default|folder|images|labels|metadata|table|test|train", re.IGNORECASE
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PastReading:
    """How a table of past tasks is read.

    Attributes:
        name: Its name; by default that of the folder or file.
        modality: What its models read; None for what the store or the file says.
        method: Whose values count: of a store by default of the one that ranks; of a file, which matrix.
        rows: Of a file: what its rows are; None to guess.
        lower_is_better: Of a file: tasks, or patterns, where lower is better.
    """

    name: str | None = None
    modality: Modality | None = None
    method: str | None = None
    rows: RowKind | None = None
    lower_is_better: Collection[str] = ()


class PastTables(NamedTuple):
    """Tables of past tasks, one for each modality, and notes on how they were read."""

    tables: tuple[PastTable, ...]
    notes: tuple[str, ...]


_AS_IT_IS = PastReading()


def past_tables_of(path: Path, reading: PastReading = _AS_IT_IS) -> PastTables:
    """Return the tables of past tasks in a store or a file, one for each modality, and notes on them.

    Of a store, the method that ranks counts: what it reached on val, or on test where a model has no value on
    val. Models with random weights are left out. Of a file, the mean of several values of a model on a task.

    Raises:
        UsageError: There is nothing to learn from, or the file cannot be read.
        StoreError: The store cannot be read.
    """
    tables, notes = _of_store(path, reading) if path.is_dir() else _of_file(path, reading)
    compared = tuple(kept for kept in map(_compared_only, tables) if kept.values)
    if not compared:
        raise UsageError(
            f"'{path}' has no task with values of two models or more, so there is nothing to learn from it. "
            f"Read as: {'; '.join(notes)}"
        )
    return PastTables(compared, notes)


def _of_store(path: Path, reading: PastReading) -> PastTables:
    with closing(open_existing(path)) as store:
        results, facts, opened = store.results(), store.tasks(), store.models()
    scores = scores_among(results)
    cells = gather(results, scores)
    if not cells:
        raise UsageError(f"'{path}' has no results yet. Add it when its study has run.")
    method = choose_method(cells, scores, reading.method)
    if method in scores:
        raise UsageError(
            f"'{path}' has no results but estimates ({method}). A history needs what models reached: run a "
            "protocol, such as linear_probe."
        )
    models = {row.address: row for row in opened}
    valued = [
        cell
        for cell in cells
        if cell.method == method and cell.value is not None and not has_random_weights(cell.model, models)
    ]
    names = task_names([task.address for task in facts])
    notes: list[str] = [f"values are those of {method}"]
    tables = []
    for modality in dict.fromkeys(task.modality for task in facts):
        of_tasks = {names[task.address]: task for task in facts if task.modality is modality}
        rows = {name: _row(valued, task) for name, task in of_tasks.items()}
        twice = sum(len(set(values)) > 1 for row in rows.values() for values in row[0].values())
        if twice:
            are = "value is a mean" if twice == 1 else "values are means"
            notes.append(f"{twice} {are}: a model has different values on the same task")
        table = PastTable(
            name=_named(_name(reading, path.resolve().name), modality, facts),
            title=f"{method} of {path.resolve().name}",
            modality=modality,
            source=YOURS,
            licence=YOURS,
            date=_today(),
            metrics={name: f"{of_tasks[name].metric} on {split}" for name, (_, split) in rows.items()},
            groups={name: name for name in rows},
            values={
                name: {model: statistics.fmean(values) for model, values in row.items()}
                for name, (row, _) in rows.items()
            },
        )
        tables.append(table)
    return PastTables(tuple(tables), tuple(notes))


def task_names(addresses: Sequence[str]) -> dict[str, str]:
    """Return a name for each task that says what its data are: no suffix, and no ``data.csv`` or ``default``.

    >>> list(task_names(["folder:/home/me/birds", "table:trec6/data.tsv(limit=9)"]).values())
    ['birds', 'trec6']
    """
    names = {address: _name_of_data(address) for address in addresses}
    times = Counter(names.values())
    return {address: name if times[name] == 1 else address for address, name in names.items()}


def _name_of_data(address: str) -> str:
    if alias := alias_of(address):
        return alias
    parsed = Address.parse(address)
    parts = [parsed.source, *re.split(r"[/\\:]", parsed.name)]
    telling = [name for part in parts if not _SAYS_NOTHING.fullmatch(name := _SUFFIX.sub("", part))]
    return (telling or parts)[-1]


def _row(cells: Collection[Cell], task: TaskFacts) -> tuple[dict[str, list[float]], str]:
    """Return the values of each model on a task, all on one split, and which split that is."""
    of_task = [cell for cell in cells if cell.task == task.address]
    on_val = all(cell.val_value is not None for cell in of_task)
    row: dict[str, list[float]] = {}
    for cell in of_task:
        value = cell.val_value if on_val else cell.value
        if value is not None:
            row.setdefault(str(Address.parse(cell.model).without_alias()), []).append(value)
    return row, "val" if on_val else "test"


def _name(reading: PastReading, default: str) -> str:
    return default if reading.name is None else reading.name


def _named(name: str, modality: Modality, facts: Collection[TaskFacts]) -> str:
    """Return the name of a table; a store with several modalities has one for each."""
    return name if len({task.modality for task in facts}) < 2 else f"{name} {modality}"


def _of_file(path: Path, reading: PastReading) -> PastTables:
    if is_exported(path):
        tables = read_tables(path)
        several = "{} {}" if len(tables) > 1 else "{}"
        renamed = (replace(table, name=several.format(reading.name, table.name)) for table in tables)
        return PastTables(tables if reading.name is None else tuple(renamed), ())
    file = read_matrices(path, rows=reading.rows, averages_repeats=True)
    found = select_matrix(file, path, reading.method, "--method")
    matrix = higher_is_better(found, reading.lower_is_better)
    values = {task: matrix.column(task) for task in matrix.tasks}
    what = reading.method or "value"
    table = PastTable(
        name=_name(reading, path.name.partition(".")[0]),
        title=f"values of {path.name}",
        modality=reading.modality or _modality_of(matrix.models, path),
        source=YOURS,
        licence=YOURS,
        date=_today(),
        metrics={
            task: what if row == found.column(task) else f"negative {what}" for task, row in values.items()
        },
        values=values,
    )
    return PastTables((table,), file.notes)


def _modality_of(models: Collection[str], path: Path) -> Modality:
    """Return the modality of the public tables that know these models."""
    known = {
        table.modality
        for table in shipped_tables()
        if {identity_of(model).weights for model in table.models}
        & {identity_of(model).weights for model in models}
    }
    if len(known) != 1:
        raise UsageError(
            f"'{path}' does not say what its models read. Write --modality image, text or audio."
        )
    return known.pop()


def _compared_only(table: PastTable) -> PastTable:
    """Return the tasks with values of two models or more; one alone says nothing."""
    values = {task: row for task, row in table.values.items() if len(row) > 1}
    metrics, groups = (
        {task: of_task for task, of_task in names.items() if task in values}
        for names in (table.metrics, table.groups)
    )
    return replace(table, values=values, metrics=metrics, groups=groups)


def parse_modality(word: str | None) -> Modality | None:
    """Return the modality that a user wrote; raise ``UsageError`` unless it is one."""
    if word is None or word in set(Modality):
        return None if word is None else Modality(word)
    raise UsageError(f"The modality is '{word}'. Write {', '.join(Modality)}.")


def _today() -> str:
    return datetime.now(UTC).date().isoformat()
