"""Which slice of the test each example stands in: what a column beside its label says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Slicing:
    """A column by which the results of a task are told apart; it decides no result.

    Attributes:
        column: Its name.
        names: What stands in it, sorted.
        places: For each example its position in ``names``; -1 where nothing stands.
    """

    column: str
    names: tuple[str, ...]
    places: np.ndarray

    def of(self, examples: Sequence[int] | np.ndarray) -> Slicing:
        """Return the same column of some examples."""
        return Slicing(self.column, self.names, self.places[np.asarray(examples, dtype=np.int64)])
