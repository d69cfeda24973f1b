"""Reads numbers as people write them in tables, such as 45%, 12,345 and (12), and marks of missing values."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# what pandas, Excel, R, SQL, Weka and people write where a number is missing, in lower case
_MARKS = """
    na n/a n.a. nan -nan +nan <na> nat none null nil \\n - -- --- – — ? ?? . .. ... inf -inf +inf infinity
    -infinity 1.#ind -1.#ind 1.#qnan -1.#qnan 1.#inf -1.#inf #n/a #na #null! #value! #div/0!
    #ref! #name? #num!
"""
MISSING_MARKS = frozenset(_MARKS.split())

_CURRENCY = r"US\$|USD|EUR|GBP|CHF|JPY|CNY|INR|[$€£¥₹₩₽₺₫฿¢]"
_DRESSED = re.compile(
    rf"(?P<open>\()?(?P<sign>[-+])? ?(?P<before>{_CURRENCY})? ?(?P<inner>[-+])?"
    rf"(?P<body>[\d.,' ]*\d[\d.,]*(?:[eE][-+]?\d+)?) ?(?P<after>[%‰]|{_CURRENCY})?(?P<close>\))?"
)
_LETTERS = str.maketrans(
    {"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2212": "-", "\u2013": "-", "’": "'", "٬": ",", "٫": "."}
)
_CONVENTIONS = ((",", "."), (".", ","), (" ", "."), (" ", ","), ("'", "."), ("'", ","))  # thousands, decimals


class Numbers(NamedTuple):
    """The cells of a column as numbers.

    Attributes:
        values: The number of each cell; NaN if it is none.
        missing: Whether a cell is empty or marks a missing number.
        dressed: Whether a cell is a number that is not written plainly, such as "12,345".
    """

    values: np.ndarray
    missing: np.ndarray
    dressed: np.ndarray

    @property
    def are_all(self) -> bool:
        """Whether every cell that is not missing is a number, and there is one."""
        return bool((np.isfinite(self.values) | self.missing).all() and not self.missing.all())


def as_number(text: str) -> float:
    """Parse a finite number, or return NaN."""
    try:
        number = float(text) if "_" not in text else math.nan  # 1_0 is a number only in Python
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan


def is_missing(cell: str) -> bool:
    """Return whether a cell is empty, or marks a missing number."""
    return cell.lower() in MISSING_MARKS or not cell


def read_numbers(cells: Sequence[str]) -> Numbers:
    """Read the distinct cells of a column as numbers, all by one convention.

    Plain numbers are read as they are. If other cells are left, all must be numbers with the same signs for
    thousands and decimals and with the same unit; otherwise the column holds words, and only the plain ones
    are numbers. Where 12,345 may be either, the comma separates thousands.

    >>> read_numbers(["12,345", "1,200.5", "NA"]).values.tolist()
    [12345.0, 1200.5, nan]
    >>> read_numbers(["45%", "12,5%"]).values.tolist(), read_numbers(["45%", "high"]).are_all
    ([45.0, 12.5], False)
    """
    missing = np.array([is_missing(cell) for cell in cells], dtype=bool)
    plain = np.array([as_number(cell) for cell in cells], dtype=np.float64)
    dressed = ~missing & ~np.isfinite(plain)
    given = [cell for cell, is_none in zip(cells, missing, strict=True) if not is_none]
    values = _dressed(given) if dressed.any() else None
    if values is None:
        return Numbers(plain, missing, np.zeros_like(missing))
    plain[~missing] = values
    return Numbers(plain, missing, dressed)


def _dressed(cells: Sequence[str]) -> list[float] | None:
    """Return numbers with units, signs of thousands or decimal commas; None if a cell is no number."""
    found = [_DRESSED.fullmatch(cell.translate(_LETTERS)) for cell in cells]
    matches = [match for match in found if match is not None and bool(match["open"]) == bool(match["close"])]
    if len(matches) < len(cells):
        return None
    units = [match["after"] or match["before"] or "" for match in matches]
    shares = {unit for unit in units if unit in "%‰"}  # 0.45 beside 45% may be either
    if len({*units} - {""}) > 1 or (shares - {""} and "" in shares):
        return None
    bodies = [match["body"].strip() for match in matches]
    for thousands, decimal in _CONVENTIONS:
        pattern = _pattern(thousands, decimal)
        if all(pattern.fullmatch(body) for body in bodies):
            plain = (float(body.replace(thousands, "").replace(decimal, ".")) for body in bodies)
            return [
                -number if _is_negative(match) else number
                for number, match in zip(plain, matches, strict=True)
            ]
    return None


def _pattern(thousands: str, decimal: str) -> re.Pattern[str]:
    grouped = rf"[1-9]\d{{0,2}}(?:{re.escape(thousands)}\d{{2,3}})*{re.escape(thousands)}\d{{3}}"
    point = re.escape(decimal)
    return re.compile(rf"(?:(?:{grouped}|\d+)(?:{point}\d*)?|{point}\d+)(?:[eE][-+]?\d+)?")


def _is_negative(match: re.Match[str]) -> bool:
    return ((match["sign"] == "-") != (match["inner"] == "-")) != bool(match["open"])
