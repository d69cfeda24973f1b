"""An opened model, as the evaluation of one task uses it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from assay.core.model import Model, ModelSource


@dataclass(frozen=True, slots=True)
class OpenedModel:
    """An opened model, and access to the same architecture with random weights.

    Attributes:
        identity: The identity string of the model's source.
        untrained: Returns the source with random weights, or None.
        device: The device on which the model with random weights is opened.
        encoding_version: The encoding version of the model's source.
    """

    model: Model
    identity: str
    untrained: Callable[[], ModelSource | None]
    device: str
    encoding_version: int = 1
