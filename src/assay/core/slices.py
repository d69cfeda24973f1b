"""Slices: groups of examples by the value of a column, for reporting test results separately."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class SliceColumn:
    """A column by which test results of a task are reported separately; it affects no other result.

    Attributes:
        column: The name of the column.
        names: The distinct values of the column, sorted.
        positions: For each example, the index of its value in ``names``; -1 if the value is missing.
    """

    column: str
    names: tuple[str, ...]
    positions: np.ndarray

    def of(self, examples: Sequence[int] | np.ndarray) -> SliceColumn:
        """Return the same column for a subset of the examples."""
        return SliceColumn(self.column, self.names, self.positions[np.asarray(examples, dtype=np.int64)])
