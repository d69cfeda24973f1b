"""The compatibility index: a value rescaled so that chance level is 0 and the best model is 1."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from assay.findings.matrix import Matrix


def compatibility_index(value: float, floor: float, best: float) -> float | None:
    """Return (value - floor) / (best - floor); None if the best is not above chance level.

    Args:
        value: The model's value; higher is better.
        floor: Chance level: the value of the trivial predictor.
        best: The best value measured in the study.

    >>> compatibility_index(0.8, floor=0.5, best=0.9)
    0.75
    """
    reach = best - floor
    return round((value - floor) / reach, 12) if reach > 0 else None


def index_matrix(matrix: Matrix, floors: Mapping[str, float] | None = None) -> Matrix:
    """Return the index of each value; missing on tasks where no model is above chance level.

    Args:
        matrix: Values; the best of a task is the maximum over its models.
        floors: Chance level on each task. By default 0 is the median model of the task.

    >>> index_matrix(Matrix.of({"t": {"a": 0.9, "b": 0.7, "c": 0.5}})).values.ravel().tolist()
    [1.0, 0.0, -1.0]
    """
    columns = {}
    for task in matrix.tasks:
        values = matrix.column(task)
        floor = _median(values) if floors is None else floors[task]
        best = max(values.values(), default=floor)
        columns[task] = [
            compatibility_index(values.get(model, np.nan), floor, best) for model in matrix.models
        ]
    indices = np.array(list(columns.values()), dtype=np.float64).reshape(len(matrix.tasks), -1).T
    return Matrix(matrix.models, matrix.tasks, indices.reshape(matrix.values.shape), matrix.reasons)


def _median(values: Mapping[str, float]) -> float:
    return float(np.median(list(values.values()))) if values else 0.0
