"""Parameters: the number of weights, a trivial score that others should beat."""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.model import ModelFacts
from assay.plugins.method import FactScore


@dataclass(frozen=True, slots=True)
class Parameters(FactScore):
    """The number of weights of a model, its source head included: the larger is guessed to be the better.

    >>> Parameters()(ModelFacts(512, 11_000_000, None, 44_000_000, "3 x 32 x 32", "none", 0, "drawn", "f00d"))
    11000000.0
    """

    def __call__(self, facts: ModelFacts) -> float:
        """Return the number of weights."""
        return float(facts.parameters)
