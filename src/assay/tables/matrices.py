"""Reads matrices of models x tasks from files, in wide format (either axis) or long format."""

from __future__ import annotations

import fnmatch
import math
import statistics
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from assay.core.errors import UnknownName, UsageError
from assay.findings.matrix import Matrix
from assay.tables.grids import (
    MODEL_NAMES,
    TASK_NAMES,
    Cells,
    Grid,
    grid_of_columns,
    grids_of_json,
    normalised,
    parse_number,
    parse_reason,
    read_columns,
)

_NAMES = ("method", "score", "metric", "scorer", "protocol")  # columns by which several matrices differ
_VALUES = ("value", "score", "accuracy", "result", "performance", "metric", "mean")


class RowKind(StrEnum):
    """The meaning of the rows of a table."""

    MODELS = "models"
    TASKS = "tasks"


@dataclass(frozen=True, slots=True)
class MatrixFile:
    """The matrices of a file.

    Attributes:
        matrices: The matrices, by score or method; a single matrix has the file's name.
        notes: Sentences about how the file was interpreted and what was skipped.
    """

    matrices: Mapping[str, Matrix]
    notes: tuple[str, ...]


def read_matrices(
    path: Path,
    *,
    rows: RowKind | None = None,
    models: Collection[str] = (),
    averages_repeats: bool = False,
) -> MatrixFile:
    """Read every matrix of a CSV, TSV, JSON, JSON-lines or Parquet file.

    A file in long format has the columns ``model``, ``task`` and ``value``; a column ``method`` (or
    ``score``) splits it into several matrices, and repeats with different ``seed`` are averaged.
    All other files, and nested JSON objects, have models on one axis and tasks on the other.
    Words in place of a number say why it is missing.

    Args:
        path: The file.
        rows: The meaning of the rows; guessed, with a note, if None.
        models: Known model names.
        averages_repeats: Whether several values of a model on a task are averaged, with a note, although no
            seed tells them apart.

    Raises:
        UsageError: The file cannot be read as matrices; the message says how to fix it.
    """
    grids = grids_of_json(path) if path.suffix.lower() == ".json" else None
    if grids is None:
        columns = read_columns(path)
        names = {normalised(name): name for name in columns}
        if MODEL_NAMES & names.keys() and TASK_NAMES & names.keys():
            return _one_cell_per_row(columns, names, path, averages_repeats=averages_repeats)
        grids = {path.stem: grid_of_columns(columns, path)}
    first = next(iter(grids.values()))
    chosen, why = (rows, "as you wrote") if rows is not None else _guess(first, models)
    matrices = {name: _matrix(grid, chosen, path) for name, grid in grids.items()}
    sizes = {(len(matrix.models), len(matrix.tasks)) for matrix in matrices.values()}
    size = " x ".join(map(str, sizes.pop())) if len(sizes) == 1 else "models x tasks"
    notes = (f"{size} values, rows are {chosen} ({why})", *first.left_out)
    return MatrixFile(matrices, tuple(f"{path.name}: {note}" for note in notes))


def parse_row_kind(word: str | None) -> RowKind | None:
    """Parse the user's row kind; raise ``UsageError`` unless it is models or tasks."""
    if word is None or word in set(RowKind):
        return None if word is None else RowKind(word)
    raise UsageError(f"Rows are '{word}'. Write models or tasks.")


def read_matrix(path: Path, *, rows: RowKind | None = None, name: str | None = None) -> Matrix:
    """Read the only matrix of a file, or the matrix with a name; see :func:`read_matrices`."""
    return select_matrix(read_matrices(path, rows=rows), path, name)


def read_facts(path: Path) -> dict[str, dict[str, float]]:
    """Read model facts from a file with a column of model names and columns of numbers.

    Returns:
        For each numeric column, the values by model, without missing values.

    Raises:
        UsageError: The file cannot be read as model facts.
    """
    grid = grid_of_columns(read_columns(path), path)
    numbers = {pair: parse_number(text) for pair, text in grid.cells.items()}
    return {
        name: {model: number for model in grid.rows if (number := numbers[model, name]) is not None}
        for name in grid.columns
    }


def higher_is_better(matrix: Matrix, lower_is_better: Collection[str]) -> Matrix:
    """Return the matrix with the lower-is-better tasks negated, given by name or pattern (``'*'``).

    Raises:
        UnknownName: A pattern matches no task.
    """
    tasks: set[str] = set()
    for pattern in lower_is_better:
        matching = fnmatch.filter(matrix.tasks, pattern)
        if not matching:
            raise UnknownName("task of the matrix", pattern, matrix.tasks)
        tasks.update(matching)
    return matrix.negated(tasks)


def select_matrix(file: MatrixFile, path: Path, name: str | None, option: str = "") -> Matrix:
    """Return the matrix with a name, or the only matrix.

    Args:
        file: The matrices of a file.
        path: Its path, for errors.
        name: The name, or None.
        option: The option of the command line that gives the name; empty if there is none.

    Raises:
        UsageError: There are several matrices, or none with that name; the message lists them.
    """
    listed = ", ".join(sorted(file.matrices)[:12])
    if name is None and len(file.matrices) > 1:
        example = f", as in {option} '{sorted(file.matrices)[0]}'" if option else ""
        raise UsageError(f"'{path}' has {len(file.matrices)} matrices: {listed}. Name one of them{example}.")
    if name is not None and name not in file.matrices:
        raise UsageError(f"'{path}' has no matrix called '{name}'. It has: {listed}.")
    return next(iter(file.matrices.values())) if name is None else file.matrices[name]


def _guess(grid: Grid, models: Collection[str]) -> tuple[RowKind, str]:
    """Return the meaning of the rows, and how it was determined."""
    for name, of_models, of_tasks in (
        (grid.row_name, RowKind.MODELS, RowKind.TASKS),
        (grid.column_name, RowKind.TASKS, RowKind.MODELS),
    ):
        if name in MODEL_NAMES | TASK_NAMES:
            return of_models if name in MODEL_NAMES else of_tasks, f"the file calls one side '{name}'"
    known = set(models)
    in_rows, in_columns = len(known & set(grid.rows)), len(known & set(grid.columns))
    if in_rows != in_columns:
        return (RowKind.MODELS if in_rows > in_columns else RowKind.TASKS), "by the names of the models"
    chosen = RowKind.MODELS if len(grid.rows) >= len(grid.columns) else RowKind.TASKS
    other = RowKind.TASKS if chosen is RowKind.MODELS else RowKind.MODELS
    return chosen, f"a guess: models are the longer side; if not, write --rows {other}"


def _matrix(grid: Grid, rows: RowKind, path: Path) -> Matrix:
    if rows is RowKind.TASKS:
        transposed = {(model, task): text for (task, model), text in grid.cells.items()}
        return _of_cells(grid.columns, grid.rows, transposed, path)
    return _of_cells(grid.rows, grid.columns, grid.cells, path)


def _of_cells(models: Sequence[str], tasks: Sequence[str], cells: Cells, path: Path) -> Matrix:
    numbers: dict[str, dict[str, float | None]] = {task: dict.fromkeys(models) for task in tasks}
    reasons = {}
    is_percent: dict[str, bool] = {}
    for (model, task), text in cells.items():
        number = parse_number(text)
        if number is not None and math.isinf(number):
            raise UsageError(f"'{path}' holds '{text}' for {model} on {task}. Write a number, or nothing.")
        if number is not None and is_percent.setdefault(task, text.endswith("%")) != text.endswith("%"):
            raise UsageError(
                f"'{path}' has '{text}' for {model} on {task}, where other cells are "
                f"{'percent' if is_percent[task] else 'plain numbers'}. Use one notation per task."
            )
        numbers[task][model] = number
        if reason := parse_reason(text):
            reasons[model, task] = reason
    return Matrix.of(numbers, reasons)


def _one_cell_per_row(
    columns: Mapping[str, Sequence[str]], names: Mapping[str, str], path: Path, *, averages_repeats: bool
) -> MatrixFile:
    """Return the matrices of a file in long format, with one cell per row."""
    model, task = (
        next(names[name] for name in names if name in known) for known in (MODEL_NAMES, TASK_NAMES)
    )
    value = _value_column(columns, names, {model, task}, path)
    methods = [names[name] for name in _NAMES if name in names and names[name] not in {model, task, value}]
    method = next((column for column in methods if not _is_numeric(columns[column])), None)
    reasons = columns[names["reason"]] if "reason" in names else columns[value]
    titles = columns[method] if method else [path.stem] * len(columns[value])
    groups: dict[str, dict[tuple[str, str], list[str]]] = {}
    for title, of_model, of_task, text, reason in zip(
        titles, columns[model], columns[task], columns[value], reasons, strict=True
    ):
        groups.setdefault(title, {}).setdefault((of_model, of_task), []).append(text or reason)
    if "seed" not in names and not averages_repeats:
        _refuse_repeats(groups, method, path)
    matrices = {}
    for title, group in groups.items():
        models, tasks = (dict.fromkeys(pair[side] for pair in group) for side in (0, 1))
        cells = {pair: _mean(texts) for pair, texts in group.items()}
        matrices[title] = _of_cells(tuple(models), tuple(tasks), cells, path)
    by = f", one matrix for each '{method}'" if method else ""
    notes = (f"{path.name}: one cell a row, values from the column '{value}'{by}", *_different(groups, path))
    return MatrixFile(matrices, notes if averages_repeats else notes[:1])


def _different(groups: Mapping[str, Mapping[tuple[str, str], Sequence[str]]], path: Path) -> tuple[str, ...]:
    """Return a note on models with several values for one task, which are averaged."""
    twice = [pair for group in groups.values() for pair, texts in group.items() if len(set(texts)) > 1]
    if not twice:
        return ()
    model, task = twice[0]
    return (
        f"{path.name}: the mean was taken where a model has several values on a task "
        f"({len(twice)} time{'s' * (len(twice) > 1)}, first '{model}' on '{task}')",
    )


def _mean(texts: Sequence[str]) -> str:
    """Return the mean of repeats, ignoring missing numbers unless all are missing."""
    numbers = [number for number in map(parse_number, texts) if number is not None]
    return repr(statistics.fmean(numbers)) if numbers else next(filter(None, texts), "")


def _value_column(
    columns: Mapping[str, Sequence[str]], names: Mapping[str, str], others: Collection[str], path: Path
) -> str:
    numeric = [name for name in columns if name not in others and _is_numeric(columns[name])]
    named = [names[name] for name in _VALUES if names.get(name) in numeric]
    if not named and len(numeric) != 1:
        raise UsageError(
            f"'{path}' has a model and a task in each row and {len(numeric)} columns of numbers. "
            "Call the column of values 'value'."
        )
    return (named or numeric)[0]


def _is_numeric(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell]
    return bool(filled) and sum(parse_number(cell) is not None for cell in filled) > len(filled) / 2


def _refuse_repeats(
    groups: Mapping[str, Mapping[tuple[str, str], Sequence[str]]], method: str | None, path: Path
) -> None:
    for group in groups.values():
        for (model, task), texts in group.items():
            if len(texts) > 1:
                apart = "" if method else ", or name what tells them apart in a column 'method'"
                raise UsageError(
                    f"'{path}' has {len(texts)} values of '{model}' on '{task}'. Number repeats in a column "
                    f"'seed'{apart}."
                )
