"""The progress of a running search."""

from __future__ import annotations

from typing import NamedTuple


class SearchProgress(NamedTuple):
    """How far a running search is.

    Attributes:
        candidates: The number of models that can be tried.
        finished: How many of them went through the whole study.
        screened: How many were tried on a part of train, and are not finished.
        failed: How many failed.
        leader: The finished model that is expected to be the best; empty before any finished.
        seconds: What this start took so far; with a total budget alone, what all steps took.
        most_seconds: Their limit; None without.
        most_models: How many models this start may try; None for all.
    """

    candidates: int
    finished: int
    screened: int
    failed: int
    leader: str
    seconds: float
    most_seconds: float | None = None
    most_models: int | None = None
