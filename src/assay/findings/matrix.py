"""A named matrix of values, models x tasks, with a reason for each missing value."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from assay.core.errors import UsageError

UNKNOWN_REASON = "there is no value"


@dataclass(frozen=True, slots=True, eq=False)
class Matrix:
    """The value of each model on each task; higher is better.

    >>> matrix = Matrix.of({"digits": {"a": 0.9, "b": 0.8}, "photos": {"a": 0.7}})
    >>> matrix.models, matrix.tasks, matrix.missing("b")
    (('a', 'b'), ('digits', 'photos'), {'photos': 'there is no value'})

    Attributes:
        models: Unique names of the rows.
        tasks: Unique names of the columns.
        values: Models x tasks, float64, read-only; NaN where there is no value, never infinite.
        reasons: Why a value is missing, by (model, task), where the reason is known.

    Raises:
        UsageError: A name occurs twice, the shape does not match the names, or a value is infinite.
    """

    models: tuple[str, ...]
    tasks: tuple[str, ...]
    values: np.ndarray  # models x tasks
    reasons: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        values = np.array(self.values, dtype=np.float64)
        if values.shape != (len(self.models), len(self.tasks)):
            raise UsageError(
                f"A matrix of {len(self.models)} models x {len(self.tasks)} tasks has values of shape "
                f"{values.shape}. Give one row for each model and one column for each task."
            )
        for what, names in (("model", self.models), ("task", self.tasks)):
            twice = [name for name, times in Counter(names).items() if times > 1]
            if twice:
                raise UsageError(f"The {what} '{twice[0]}' stands twice in a matrix. Rename one of them.")
        if np.isinf(values).any():
            row, column = np.argwhere(np.isinf(values))[0]
            raise UsageError(
                f"The value of '{self.models[row]}' on '{self.tasks[column]}' is infinite. "
                "Write a number, or leave the cell empty."
            )
        values.flags.writeable = False
        object.__setattr__(self, "values", values)

    @classmethod
    def of(
        cls,
        table: Mapping[str, Mapping[str, float | None]],
        reasons: Mapping[tuple[str, str], str] | None = None,
    ) -> Matrix:
        """Build a matrix from task -> model -> value; models are sorted by name."""
        models = sorted({model for row in table.values() for model in row})
        rows = [[_number(row.get(model)) for row in table.values()] for model in models]
        values = np.array(rows, dtype=np.float64).reshape(len(models), len(table))
        return cls(tuple(models), tuple(table), values, reasons or {})

    @property
    def known(self) -> np.ndarray:
        """Mask of the values that are not missing, models x tasks."""
        return np.asarray(np.isfinite(self.values))

    def take(self, models: Iterable[str] | None = None, tasks: Iterable[str] | None = None) -> Matrix:
        """Return the matrix of some models and some tasks, in the order given."""
        rows = self.models if models is None else tuple(models)
        columns = self.tasks if tasks is None else tuple(tasks)
        chosen = np.ix_(_places(self.models, rows), _places(self.tasks, columns))
        return Matrix(rows, columns, self.values[chosen], self.reasons)

    def negated(self, tasks: Iterable[str]) -> Matrix:
        """Return the matrix with the values of some tasks negated: those where lower is better."""
        lower_is_better = set(tasks)
        signs = np.array([-1.0 if task in lower_is_better else 1.0 for task in self.tasks])
        return Matrix(self.models, self.tasks, self.values * signs, self.reasons)

    def column(self, task: str) -> dict[str, float]:
        """Return the value of each model that has one on a task."""
        values = self.values[:, self.tasks.index(task)]
        return {
            model: float(value)
            for model, value in zip(self.models, values, strict=True)
            if np.isfinite(value)
        }

    def missing(self, model: str) -> dict[str, str]:
        """Return the tasks on which a model has no value, each with its reason."""
        known = self.known[self.models.index(model)]
        return {
            task: self.reasons.get((model, task), UNKNOWN_REASON)
            for task, has_value in zip(self.tasks, known, strict=True)
            if not has_value
        }


def _number(value: float | None) -> float:
    return np.nan if value is None else float(value)


def _places(names: Sequence[str], wanted: Sequence[str]) -> np.ndarray:
    position = {name: number for number, name in enumerate(names)}
    return np.array([position[name] for name in wanted], dtype=np.int64)
