"""Results of models on past tasks, made comparable between tasks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from assay.core.errors import UsageError
from assay.findings.matrix import Matrix
from assay.search.names import data_set_of

_LEAST = -1.0  # of normalised values: diverged runs say no more than that a model is bad


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """Results of models on past tasks; higher is better.

    Attributes:
        models: Unique names.
        tasks: Unique names.
        values: Tasks x models; NaN where a model was not tried.
        groups: The data set of each task: tasks of one data set are left out together.
    """

    models: tuple[str, ...]
    tasks: tuple[str, ...]
    values: np.ndarray
    groups: tuple[str, ...]

    @classmethod
    def of(cls, matrix: Matrix, groups: Mapping[str, str] | None = None) -> History:
        """Return the history in a matrix.

        Args:
            matrix: Values of models on tasks.
            groups: The data set of each task; by default its name up to ``@``, ``|`` or ``:``.

        Raises:
            UsageError: A group is missing.
        """
        named = {task: data_set_of(task) for task in matrix.tasks} if groups is None else groups
        missing = [task for task in matrix.tasks if task not in named]
        if missing:
            raise UsageError(f"The task '{missing[0]}' has no group. Name one for each task, or for none.")
        return cls(matrix.models, matrix.tasks, matrix.values.T, tuple(named[task] for task in matrix.tasks))

    def of_tasks(self, rows: Sequence[int] | np.ndarray) -> History:
        """Return the history of these tasks."""
        rows = np.asarray(rows, dtype=np.int64)
        tasks, groups = (tuple(names[row] for row in rows) for names in (self.tasks, self.groups))
        return History(self.models, tasks, self.values[rows], groups)

    def without(self, group: str) -> History:
        """Return the history of all other data sets."""
        return self.of_tasks([row for row, name in enumerate(self.groups) if name != group])

    def of_models(self, columns: Sequence[int] | np.ndarray) -> History:
        """Return the history of these models."""
        columns = np.asarray(columns, dtype=np.int64)
        models = tuple(self.models[column] for column in columns)
        return History(models, self.tasks, self.values[:, columns], self.groups)

    def informative(self) -> History:
        """Return the history of the tasks on which models differ; the others say nothing."""
        return self.of_tasks([row for row, values in enumerate(self.values) if spread_of(values) > 0])


def spread_of(values: np.ndarray) -> float:
    """Return the best value minus the median of those that are known; 0 if there are fewer than two."""
    known = values[np.isfinite(values)]
    return float(known.max() - np.median(known)) if len(known) > 1 else 0.0


def normalised(values: np.ndarray) -> np.ndarray:
    """Return tasks x models where 0 is the median of a task and 1 the best model, at least -1; NaN stays."""
    medians = np.nanmedian(values, axis=1, keepdims=True)
    spreads = np.array([spread_of(row) for row in values])[:, None]
    return np.asarray(np.maximum((values - medians) / spreads, _LEAST))


def percentiles(values: np.ndarray) -> np.ndarray:
    """Return the mean percentile rank of each model over the tasks where it has a value; NaN without any.

    The best model of a task has 1, the worst 0.
    """
    ranks = np.full(values.shape, np.nan)
    for row, of_task in enumerate(values):
        known = np.flatnonzero(np.isfinite(of_task))
        ranks[row, known] = (stats.rankdata(of_task[known]) - 1) / max(1, len(known) - 1)
    counts = np.isfinite(ranks).sum(axis=0)
    return np.where(counts > 0, np.nansum(ranks, axis=0) / np.maximum(counts, 1), np.nan)
