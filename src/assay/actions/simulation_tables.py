"""Reads the tables that go with a replayed matrix: costs, facts and scores of models, data sets of tasks."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

from assay.core.errors import UsageError
from assay.findings.matrix import Matrix
from assay.tables.grids import read_columns
from assay.tables.matrices import RowKind, read_facts, read_matrices

Scores = Mapping[str, Mapping[str, float]]  # task -> model -> number


def read_costs(path: Path | None, matrix: Matrix) -> tuple[dict[str, float] | None, tuple[str, ...]]:
    """Return the cost of each model, and notes on how the table was read; None without a table."""
    if path is None:
        return None, ()
    columns = read_facts(path)
    if not columns:
        raise UsageError(
            f"'{path}' has no column of numbers. Write one model a row, and its cost next to it."
        )
    name, costs = next(iter(columns.items()))
    wrong = [model for model in matrix.models if not 0 < costs.get(model, 0.0) < math.inf]
    if wrong:
        raise UsageError(
            f"'{path}' has no cost above 0 in column '{name}' for {len(wrong)} of {len(matrix.models)} "
            f"models, such as '{wrong[0]}'. Give each model of the matrix one."
        )
    others = [f"'{other}'" for other in list(columns)[1:]]
    note = f"'{path}': costs are the column '{name}', not {', '.join(others)}"
    return costs, (note,) if others else ()


def read_facts_as_rules(path: Path | None, matrix: Matrix) -> dict[str, dict[str, float]]:
    """Return each column of numbers of a table of facts: model -> number."""
    if path is None:
        return {}
    columns = read_facts(path)
    found = {name: numbers for name, numbers in columns.items() if set(numbers) & set(matrix.models)}
    if not found:
        raise UsageError(
            f"'{path}' has no number for a model of the matrix. Write one model a row, named as in the "
            "matrix, and its facts next to it."
        )
    return found


def read_scores(path: Path | None, rows: RowKind | None, matrix: Matrix) -> dict[str, Scores]:
    """Return each score of a table."""
    if path is None:
        return {}
    file = read_matrices(path, rows=rows, models=matrix.models)
    scores: dict[str, Scores] = {}
    for name, of_score in file.matrices.items():
        if not set(of_score.models) & set(matrix.models) or not set(of_score.tasks) & set(matrix.tasks):
            raise UsageError(
                f"'{path}' has no value for a model and a task of the matrix. Both tables must use the same "
                "names."
            )
        scores[name] = {
            task: {
                model: float(value)
                for model, value in zip(of_score.models, of_score.values[:, column], strict=True)
                if math.isfinite(value)
            }
            for column, task in enumerate(of_score.tasks)
        }
    return scores


def read_groups(path: Path | None, matrix: Matrix) -> dict[str, str] | None:
    """Return the data set of each task; those that the table does not name are their own."""
    if path is None:
        return None
    columns = list(read_columns(path).values())
    if len(columns) != 2:
        raise UsageError(f"'{path}' has {len(columns)} columns. Write two: the task, and its data set.")
    named: dict[str, str] = {}
    for task, group in zip(*columns, strict=True):
        if task not in matrix.tasks:
            raise UsageError(f"'{path}' names the task '{task}', which the matrix does not have.")
        if named.setdefault(task, group) != group:
            raise UsageError(
                f"'{path}' puts '{task}' in '{named[task]}' and in '{group}'. Name one data set."
            )
    return {task: named.get(task) or task for task in matrix.tasks}
