"""The slice of test that each example belongs to: its value in a column beside its label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class SliceColumn:
    """A column by which test results of a task are reported separately; it does not affect any result.

    Attributes:
        column: Its name.
        names: Its distinct values, sorted.
        positions: For each example the position of its value in ``names``; -1 where it has none.
    """

    column: str
    names: tuple[str, ...]
    positions: np.ndarray

    def of(self, examples: Sequence[int] | np.ndarray) -> SliceColumn:
        """Return the same column of some examples."""
        return SliceColumn(self.column, self.names, self.positions[np.asarray(examples, dtype=np.int64)])
