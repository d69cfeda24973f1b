"""Parameters: the number of weights, a trivial baseline for other scores."""

from __future__ import annotations

from dataclasses import dataclass

from assay.core.model import ModelFacts
from assay.plugins.method import FactScore


@dataclass(frozen=True, slots=True)
class Parameters(FactScore):
    """The number of weights of a model, with its source head: a baseline that prefers larger models.

    >>> Parameters()(ModelFacts(512, 11_000_000, None, 44_000_000, "3 x 32 x 32", "none", 0, "drawn", "f00d"))
    11000000.0
    """

    def __call__(self, facts: ModelFacts) -> float:
        """Return the number of weights."""
        return float(facts.parameters)
