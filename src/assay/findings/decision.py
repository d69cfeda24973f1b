"""The decision between models: the recommended one, and a cheaper one that is close enough."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class CheapBy(StrEnum):
    """The cost by which a model is cheaper than another."""

    MACS = "macs"
    PARAMETERS = "parameters"
    LATENCY = "latency"
    MEMORY = "memory"


@dataclass(frozen=True, slots=True)
class Recommendation:
    """The decision between the pretrained models of a task, or of several tasks.

    The regret of a model is the true value of the best model minus its own, as they would be measured on
    endless test examples. Models with random weights are never recommended.

    Attributes:
        recommended: Address of the model with the least expected regret.
        method: The protocol or score that ranks the models.
        margin: The expected regret that a cheaper model may have beyond that of the recommended one, in the
            unit of the values.
        cheap_by: The cost by which models are cheaper.
        cheaper: Address of the cheapest model within the margin; None if it is not at least 25 % cheaper than
            the recommended one.
        expected_regret: Expected regret by model; empty if it is unknown, because no predictions are stored
            or because the score has a scale of its own: then the model with the best value is recommended.
        within_margin: Probability that the regret of a model is at most the margin, by model; for several
            tasks empty.
    """

    recommended: str
    method: str
    margin: float
    cheap_by: CheapBy
    cheaper: str | None = None
    expected_regret: Mapping[str, float] = field(default_factory=dict)
    within_margin: Mapping[str, float] = field(default_factory=dict)
