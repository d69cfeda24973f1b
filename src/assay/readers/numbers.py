"""Parses numbers as people write them in tables, such as 45%, 12,345, 5 kg and (12), and missing values."""

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

_CURRENCY = r"(?:US|AU|CA|NZ|HK|A|C|S|R)\$|USD|EUR|GBP|CHF|JPY|CNY|INR|BRL|SEK|PLN|Rs\.?|[$€£¥₹₩₽₺₫฿¢]"
_UNIT = (  # kg, °C, km/h, m2, stars, of 10, /10
    r"(?:/|out of|of) ?(?=\d)\d+(?:\.\d+)?|°|-?°?[^\W\d_]{1,12}(?:[ /][^\W\d_]{1,12}){0,2}[²³23]?\.?"
)
_DRESSED = re.compile(
    rf"(?P<open>\()?(?P<sign>[-+])? ?(?P<before>{_CURRENCY})? ?(?P<inner>[-+])?"
    rf"(?P<body>[\d.,' ]*\d[\d.,]*(?:[eE][-+]?\d+)?) ?"
    rf"(?:(?P<after>[%‰]|{_CURRENCY})|(?P<unit>{_UNIT}))?(?P<close>\))?(?P<last>-)?"
)
_TIMES = {"": 1.0, "k": 1e3, "m": 1e6, "mn": 1e6, "b": 1e9, "bn": 1e9}  # with k or several: 950, 1.2K, 3M
_RANKS = frozenset({"st", "nd", "rd", "th"})
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
    are numbers. Where 12,345 may be either, the comma separates thousands; 7/10 in a column of tenths is 7.

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
    """Parse numbers with units, thousands separators or decimal commas; None if a cell is not a number."""
    found = [_DRESSED.fullmatch(cell.translate(_LETTERS)) for cell in cells]
    matches = [match for match in found if match is not None and _is_balanced(match)]
    if len(matches) < len(cells) or (times := _times(matches)) is None:
        return None
    bodies = [match["body"].strip() for match in matches]
    for thousands, decimal in _CONVENTIONS:
        pattern = _pattern(thousands, decimal)
        if all(pattern.fullmatch(body) for body in bodies):
            plain = (float(body.replace(thousands, "").replace(decimal, ".")) for body in bodies)
            return [
                (-number if _is_negative(match) else number) * factor
                for number, match, factor in zip(plain, matches, times, strict=True)
            ]
    return None


def _is_balanced(match: re.Match[str]) -> bool:
    opened, closed, first, last = (bool(match[name]) for name in ("open", "close", "sign", "last"))
    return opened == closed and not (first and last)


def _times(matches: Sequence[re.Match[str]]) -> list[float] | None:
    """Return the factor of each number, which is 1 for units; None if the units differ."""
    shares = {(match["after"] or match["before"] or "").removesuffix(".") for match in matches}
    words = [_unit(match["unit"] or "") for match in matches]
    different = set(words)
    if len(shares - {""}) > 1 or (shares & {"%", "‰"} and "" in shares):  # 0.45 next to 45% may be either
        return None
    if different <= _TIMES.keys() and ("k" in different or len(different - {""}) > 1):
        return [_TIMES[word] for word in words]
    if len(different) > 1 or different & _RANKS:
        return None
    return [1.0] * len(words)


def _unit(written: str) -> str:
    """Return a unit in one spelling: "1 star" and "2 Stars" have one, "5 m" and "5 ms" have not."""
    unit = re.sub(r"out of|of", "/", written.strip("-. ").casefold()).replace(" ", "")
    return unit.removesuffix("s") if len(unit) > 3 else unit


def _pattern(thousands: str, decimal: str) -> re.Pattern[str]:
    grouped = rf"[1-9]\d{{0,2}}(?:{re.escape(thousands)}\d{{2,3}})*{re.escape(thousands)}\d{{3}}"
    point = re.escape(decimal)
    return re.compile(rf"(?:(?:{grouped}|\d+)(?:{point}\d*)?|{point}\d+)(?:[eE][-+]?\d+)?")


def _is_negative(match: re.Match[str]) -> bool:
    signs = match["sign"] == "-", match["inner"] == "-", bool(match["open"]), bool(match["last"])
    return bool(sum(signs) % 2)
