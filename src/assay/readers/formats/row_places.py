"""The line of each row in its file: malformed rows, blank lines and long cells shift it."""

from __future__ import annotations

from array import array
from bisect import bisect
from typing import final


@final
class RowPlaces:
    """The number below the header and the first line of each row; rows that follow others take no memory.

    >>> places = RowPlaces()
    >>> places.add(1, 2), places.add(3, 4), places.name(0), places.name(1), places.name(2)
    (None, None, 'row 1', 'row 3', 'row 4')
    """

    def __init__(self) -> None:
        self._starts = array("q")  # the positions of rows that do not follow from the one before
        self._numbers, self._lines = array("q"), array("q")  # of these rows
        self._count = 0
        self._next = (0, 0)

    def add(self, number: int, line: int) -> None:
        """Keep where the next row that is read lies."""
        if (number, line) != self._next:
            self._starts.append(self._count)
            self._numbers.append(number)
            self._lines.append(line)
        self._next = number + 1, line + 1
        self._count += 1

    def name(self, position: int) -> str:
        """Return the name of a row, by its position among those that were read; with its line if odd."""
        number, line = position + 1, position + 2
        if self._starts:
            last = bisect(self._starts, position) - 1
            after = position - self._starts[last]
            number, line = self._numbers[last] + after, self._lines[last] + after
        return f"row {number}" if line == number + 1 else f"row {number} (line {line})"
