"""Places values on the axes of a chart: the arithmetic of pictures, without any drawing."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

_NICE_STEPS = (1.0, 2.0, 5.0, 10.0, 20.0)


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
    is_logarithmic: bool = False

    def place(self, value: float) -> float:
        """Return where a value stands; one outside stands at the nearer end."""
        low, high, number = self._scaled(self.low), self._scaled(self.high), self._scaled(value)
        share = (number - low) / (high - low) if high > low else 0.5
        return round(self.start + min(1.0, max(0.0, share)) * (self.end - self.start), 2)

    def ticks(self, most: int = 5) -> list[float]:
        """Return round values within the axis."""
        if self.is_logarithmic:
            return _logarithmic_ticks(self.low, self.high, most)
        return _straight_ticks(self.low, self.high, most)

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self.is_logarithmic else value


def axis_around(values: Sequence[float], start: float, end: float, *, is_logarithmic: bool = False) -> Axis:
    """Return an axis that holds all values with a little room at its ends."""
    low, high = min(values), max(values)
    if is_logarithmic:
        return Axis(low / 1.5, high * 1.5, start, end, is_logarithmic=True)
    room = (high - low) * 0.06 or abs(high) * 0.05 or 1.0
    return Axis(low - room, high + room, start, end)


def _straight_ticks(low: float, high: float, most: int) -> list[float]:
    size = 10.0 ** math.floor(math.log10((high - low) / most))
    for step in (nice * size for nice in _NICE_STEPS):
        numbers = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
        if len(numbers) <= most:
            break
    return [round(number * step, 12) for number in numbers]


def _logarithmic_ticks(low: float, high: float, most: int) -> list[float]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for digits in ((1, 2, 5), (1, 3), (1,)):
        ticks = [digit * 10.0**power for power in powers for digit in digits]
        inside = [tick for tick in ticks if low <= tick <= high]
        if len(inside) <= most:
            return inside
    return inside[:: math.ceil(len(inside) / most)]
