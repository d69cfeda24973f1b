"""Matrices of models x tasks from files: either side may be which, and one row may hold one cell."""

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
    MODEL_WORDS,
    TASK_WORDS,
    Cells,
    Grid,
    grid_of_columns,
    grids_of_json,
    number_in,
    read_columns,
    reason_in,
    word_of,
)

_NAMES = ("method", "score", "metric", "scorer", "protocol")  # columns that tell several matrices apart
_VALUES = ("value", "score", "accuracy", "result", "performance", "metric", "mean")


class Rows(StrEnum):
    """What the rows of a file are."""

    MODELS = "models"
    TASKS = "tasks"


@dataclass(frozen=True, slots=True)
class MatrixFile:
    """What a file holds.

    Attributes:
        matrices: By the name of their score or method; of a file with one matrix, the file's name.
        notes: How the file was understood, in sentences: what was guessed and what was left out.
    """

    matrices: Mapping[str, Matrix]
    notes: tuple[str, ...]


def read_matrices(path: Path, *, rows: Rows | None = None, models: Collection[str] = ()) -> MatrixFile:
    """Read every matrix of a CSV, TSV, JSON, JSON-lines or Parquet file.

    A file with the columns ``model``, ``task`` and ``value`` holds one cell a row; a column ``method`` (or
    ``score``) parts it into several matrices, and repeats, told apart by a column ``seed``, are averaged.
    Any other file has models on one side and tasks on the other; nested JSON objects are read alike.
    Words in place of a number say why there is none.

    Args:
        path: The file.
        rows: What the rows are; guessed, and said, if None.
        models: Names that are known to be those of models.

    Raises:
        UsageError: The file cannot be read so; the message says what to write.
    """
    grids = grids_of_json(path) if path.suffix.lower() == ".json" else None
    if grids is None:
        columns = read_columns(path)
        words = {word_of(name): name for name in columns}
        if MODEL_WORDS & words.keys() and TASK_WORDS & words.keys():
            return _listed(columns, words, path)
        grids = {path.stem: grid_of_columns(columns, path)}
    first = next(iter(grids.values()))
    chosen, why = (rows, "as you wrote") if rows is not None else _guess(first, models)
    found = {name: _matrix(grid, chosen, path) for name, grid in grids.items()}
    sizes = {(len(one.models), len(one.tasks)) for one in found.values()}
    size = " x ".join(map(str, sizes.pop())) if len(sizes) == 1 else "models x tasks"
    told = f"{path.name}: {size} values, rows are {chosen} ({why})"
    left_out = tuple(f"{path.name}: {note}" for note in first.left_out)
    return MatrixFile(found, (told, *left_out))


def rows_from(word: str | None) -> Rows | None:
    """Return what a user says that rows are.

    Raises:
        UsageError: It is neither models nor tasks.
    """
    if word is None or word in set(Rows):
        return None if word is None else Rows(word)
    raise UsageError(f"Rows are '{word}'. Write models or tasks.")


def read_matrix(path: Path, *, rows: Rows | None = None, name: str | None = None) -> Matrix:
    """Read the one matrix of a file, or the one with a name; see :func:`read_matrices`."""
    return only(read_matrices(path, rows=rows), path, name)


def read_facts(path: Path) -> dict[str, dict[str, float]]:
    """Read what is known of models: a column that names them, and columns of numbers.

    Returns:
        For each column of numbers, the number of each model that has one.

    Raises:
        UsageError: The file cannot be read so.
    """
    grid = grid_of_columns(read_columns(path), path)
    found = {}
    for name in grid.columns:
        cells = {model: number_in(grid.cells[model, name]) for model in grid.rows}
        found[name] = {model: number for model, number in cells.items() if number is not None}
    return found


def rising(matrix: Matrix, falling: Collection[str]) -> Matrix:
    """Return the matrix with those tasks negated where lower is better; patterns such as ``'*'`` are known.

    Raises:
        UnknownName: A pattern is that of no task.
    """
    found = set()
    for pattern in falling:
        matching = fnmatch.filter(matrix.tasks, pattern)
        if not matching:
            raise UnknownName("task of the matrix", pattern, matrix.tasks)
        found.update(matching)
    return matrix.negated(found)


def only(file: MatrixFile, path: Path, name: str | None) -> Matrix:
    """Return the matrix with a name, or the only one there is.

    Raises:
        UsageError: There are several, or none of that name; the message lists them.
    """
    listed = ", ".join(sorted(file.matrices)[:12])
    if name is None and len(file.matrices) > 1:
        raise UsageError(f"'{path}' holds {len(file.matrices)} matrices: {listed}. Name one of them.")
    if name is not None and name not in file.matrices:
        raise UsageError(f"'{path}' holds no matrix called '{name}'. It holds: {listed}.")
    return next(iter(file.matrices.values())) if name is None else file.matrices[name]


def _guess(grid: Grid, models: Collection[str]) -> tuple[Rows, str]:
    """Return what the rows are, and how that is known."""
    for word, of_models, of_tasks in (
        (grid.row_word, Rows.MODELS, Rows.TASKS),
        (grid.column_word, Rows.TASKS, Rows.MODELS),
    ):
        if word in MODEL_WORDS:
            return of_models, f"the file calls one side '{word}'"
        if word in TASK_WORDS:
            return of_tasks, f"the file calls one side '{word}'"
    known = set(models)
    in_rows, in_columns = len(known & set(grid.rows)), len(known & set(grid.columns))
    if in_rows != in_columns:
        return (Rows.MODELS if in_rows > in_columns else Rows.TASKS), "by the names of the models"
    chosen = Rows.MODELS if len(grid.rows) >= len(grid.columns) else Rows.TASKS
    other = Rows.TASKS if chosen is Rows.MODELS else Rows.MODELS
    return chosen, f"a guess: models are the longer side; if not, write --rows {other}"


def _matrix(grid: Grid, rows: Rows, path: Path) -> Matrix:
    if rows is Rows.TASKS:
        turned = {(model, task): text for (task, model), text in grid.cells.items()}
        return _of_cells(grid.columns, grid.rows, turned, path)
    return _of_cells(grid.rows, grid.columns, grid.cells, path)


def _of_cells(models: Sequence[str], tasks: Sequence[str], cells: Cells, path: Path) -> Matrix:
    numbers: dict[str, dict[str, float | None]] = {task: dict.fromkeys(models) for task in tasks}
    reasons = {}
    for (model, task), text in cells.items():
        number = number_in(text)
        if number is not None and math.isinf(number):
            raise UsageError(f"'{path}' holds '{text}' for {model} on {task}. Write a number, or nothing.")
        numbers[task][model] = number
        if reason := reason_in(text):
            reasons[model, task] = reason
    return Matrix.of(numbers, reasons)


def _listed(columns: Mapping[str, Sequence[str]], words: Mapping[str, str], path: Path) -> MatrixFile:
    """Return the matrices of a file with one cell a row."""
    model, task = (
        next(words[word] for word in words if word in known) for known in (MODEL_WORDS, TASK_WORDS)
    )
    value = _value_column(columns, words, {model, task}, path)
    is_name = [words[word] for word in _NAMES if word in words and words[word] not in {model, task, value}]
    name = next((column for column in is_name if not _is_numeric(columns[column])), None)
    reason = words.get("reason")
    groups: dict[str, dict[tuple[str, str], list[str]]] = {}
    for place, (of_model, of_task) in enumerate(zip(columns[model], columns[task], strict=True)):
        text = columns[value][place] or (columns[reason][place] if reason else "")
        group = groups.setdefault(columns[name][place] if name else path.stem, {})
        group.setdefault((of_model, of_task), []).append(text)
    if "seed" not in words:
        _refuse_repeats(groups, name, path)
    found = {}
    for title, group in groups.items():
        models, tasks = (dict.fromkeys(pair[side] for pair in group) for side in (0, 1))
        cells = {pair: _joined(texts) for pair, texts in group.items()}
        found[title] = _of_cells(tuple(models), tuple(tasks), cells, path)
    by = f", one matrix for each '{name}'" if name else ""
    return MatrixFile(found, (f"{path.name}: one cell a row, values from the column '{value}'{by}",))


def _joined(texts: Sequence[str]) -> str:
    """Return the mean of repeats; a repeat without a number is left out while another has one."""
    numbers = [number for number in map(number_in, texts) if number is not None]
    return repr(statistics.fmean(numbers)) if numbers else next(filter(None, texts), "")


def _value_column(
    columns: Mapping[str, Sequence[str]], words: Mapping[str, str], taken: Collection[str], path: Path
) -> str:
    numeric = [name for name in columns if name not in taken and _is_numeric(columns[name])]
    named = [words[word] for word in _VALUES if words.get(word) in numeric]
    if not named and len(numeric) != 1:
        raise UsageError(
            f"'{path}' has a model and a task in each row and {len(numeric)} columns of numbers. "
            "Call the column of values 'value'."
        )
    return (named or numeric)[0]


def _is_numeric(cells: Sequence[str]) -> bool:
    told = [cell for cell in cells if cell]
    return bool(told) and sum(number_in(cell) is not None for cell in told) > len(told) / 2


def _refuse_repeats(
    groups: Mapping[str, Mapping[tuple[str, str], Sequence[str]]], name: str | None, path: Path
) -> None:
    for group in groups.values():
        for (model, task), texts in group.items():
            if len(texts) > 1:
                apart = "" if name else ", or name what tells them apart in a column 'method'"
                raise UsageError(
                    f"'{path}' has {len(texts)} values of '{model}' on '{task}'. Number repeats in a column "
                    f"'seed'{apart}."
                )
