"""The compatibility index: what a model reaches of what the best model of the study reaches."""

from __future__ import annotations


def compatibility_index(value: float, floor: float, best: float) -> float | None:
    """Return (value - floor) / (best - floor); None where the best is not above the floor.

    Args:
        value: The model's value; higher is better.
        floor: The value of the trivial predictor.
        best: The best value measured in the study.

    >>> compatibility_index(0.8, floor=0.5, best=0.9)
    0.75
    """
    reach = best - floor
    return round((value - floor) / reach, 12) if reach > 0 else None
