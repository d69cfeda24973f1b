"""Places values on the axes of a chart: the arithmetic of pictures, without any drawing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Axis:
    """A straight axis from one value to another, as long as its pixels.

    >>> Axis(0.0, 1.0, 10.0, 110.0).place(0.5)
    60.0
    """

    low: float
    high: float
    start: float
    end: float

    def place(self, value: float) -> float:
        """Return where a value stands; one outside stands at the nearer end."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(self.start + min(1.0, max(0.0, share)) * (self.end - self.start), 2)


def axis_around(values: Sequence[float], start: float, end: float) -> Axis:
    """Return an axis that holds all values with a little room at its ends."""
    low, high = min(values), max(values)
    room = (high - low) * 0.06 or abs(high) * 0.05 or 1.0
    return Axis(low - room, high + room, start, end)
